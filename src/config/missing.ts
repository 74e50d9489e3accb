/** What `run` and `sync` need and the configuration does not have. */
import { isLoopback } from "../domain/loopback.ts";
import type { WatchConfig } from "./config.ts";
import { type Setting, settings, type Values } from "./settings.ts";
import type { WatchDraft } from "./watches.ts";

/**
 * Each as a sentence that says what to set.
 *
 * @param drafts the watches that there are or would be
 */
export function missingIn(
  { smtpUrl, mailFrom, httpHost, httpPort, httpToken }: Values,
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
  if (httpPort !== 0 && httpToken === null && !isLoopback(httpHost)) {
    const { httpToken: token, httpHost: host, httpPort: port } = settings;
    sentences.push(
      `Others can reach the HTTP server at ${host.variable} ${httpHost}: set ${token.variable} (${token.accepts}), ` +
        `or leave ${host.variable} out, or turn the server off with ${port.variable}=0.`,
    );
  }
  return sentences;
}

function set({ variable, example }: Setting): string {
  return `set ${variable}, such as ${example}.`;
}
