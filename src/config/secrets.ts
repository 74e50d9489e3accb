/** The secrets of a configuration: which texts must not be seen, and problems without them. */
import { createRedactor } from "../domain/redact.ts";
import type { WatchConfig } from "./config.ts";
import type { Source } from "./environment.ts";
import type { ConfigFile } from "./file.ts";
import type { Problem } from "./problem.ts";
import { settings, type Values } from "./settings.ts";
import { addressSecretsIn, passwordsIn } from "./urls.ts";
import type { WatchDraft } from "./watches.ts";

/** All of them, passwords in every form in which a server may echo them. */
export function secretsIn(
  { httpToken, heartbeatUrl, smtpUrl, databaseUrl, databaseDirectUrl, httpsProxy, httpProxy, ...fallback }: Values,
  watches: readonly WatchConfig[],
): readonly string[] {
  const { fallbackSmtpUrl, fallbackWebhookUrl, fallbackWebhookSecret } = fallback;
  const credentials = watches.map(({ credential }) => secretOf(credential));
  const others = httpToken === null ? [] : [httpToken];
  const withLogins = [smtpUrl, fallbackSmtpUrl, databaseUrl, databaseDirectUrl, httpsProxy, httpProxy];
  const passwords = withLogins.flatMap((url) => passwordsIn(url ?? ""));
  const addresses = [fallbackWebhookUrl, heartbeatUrl].flatMap((url) => (url === null ? [] : addressSecretsIn(url)));
  const webhook = [
    ...addresses,
    ...(fallbackWebhookSecret === null ? [] : [fallbackWebhookSecret, fallbackWebhookSecret.replace(/^whsec_/, "")]),
  ];
  return [...new Set([...credentials, ...others, ...passwords, ...webhook])];
}

/** No secret is shorter, and masking a word that was taken for one would garble what is said of it. */
const SHORTEST_MASKED = 8;

/** Masks every secret, for one that stands in a variable or key where it does not belong. */
export function redactorOf({
  source,
  file,
  drafts,
}: {
  readonly source: Source;
  readonly file: ConfigFile;
  readonly drafts: readonly WatchDraft[];
}): (problem: Problem) => Problem {
  const fromVariables = [...source.given]
    .filter(([name, { text }]) => settings[name].secret && text.length >= SHORTEST_MASKED)
    .map(([, { text }]) => text);
  // The embedded database has no password; masking its name would only garble the message.
  const texts = fromVariables.filter((text) => !/^pglite:/i.test(text)).flatMap((text) => [text, ...passwordsIn(text)]);
  const fromFiles = drafts.flatMap(({ credential }) => (credential === null ? [] : [secretOf(credential)]));
  const redact = createRedactor([...texts, ...fromFiles, ...inlineSecrets(file)]);
  return (problem) => ({
    ...problem,
    found: problem.found === null ? null : redact(problem.found),
    message: redact(problem.message),
  });
}

/** What stands where a secret belongs, also where the rest of the watch is wrong. */
function inlineSecrets(file: ConfigFile): readonly string[] {
  const watches = file.rawAt(["watches"]);
  if (!Array.isArray(watches)) return [];
  return watches.flatMap((_, index) =>
    ["apiToken", "apiKey"]
      .map((name) => file.rawAt(["watches", index, name]))
      .filter((secret) => typeof secret === "string"),
  );
}

function secretOf(credential: WatchConfig["credential"]): string {
  return credential.kind === "token" ? credential.token : credential.key;
}
