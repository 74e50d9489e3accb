/** What `run` and `sync` need and the configuration does not have. */
import type { WatchConfig } from "./config.ts";
import { type Setting, settings, type Values } from "./settings.ts";
import type { WatchDraft } from "./watches.ts";

/**
 * Each as a sentence that says what to set.
 *
 * @param drafts the watches that there are or would be
 */
export function missingIn(
  { smtpUrl, mailFrom }: Values,
  watches: readonly WatchConfig[],
  drafts: readonly WatchDraft[],
): readonly string[] {
  const { apiToken, email, apiKey } = settings;
  const sentences: string[] = [];
  if (watches.length === 0) {
    const pair = `${email.variable} with ${apiKey.variable}`;
    sentences.push(`There is no Cloudflare credential: set ${apiToken.variable}, or ${pair}.`);
  }
  if (smtpUrl === null) sentences.push(`There is no mail server: ${set(settings.smtpUrl)}`);
  if (mailFrom === null) sentences.push(`There is no sender: ${set(settings.mailFrom)}`);
  for (const { name, path } of drafts.filter(({ to }) => to.length === 0)) {
    if (path === null) sentences.push(`There is nobody to mail: ${set(settings.mailTo)}`);
    else
      sentences.push(
        `The watch ${name} has nobody to mail: give it "to", or set mail.to or ${settings.mailTo.variable}.`,
      );
  }
  return sentences;
}

function set({ variable, example }: Setting): string {
  return `set ${variable}, such as ${example}.`;
}
