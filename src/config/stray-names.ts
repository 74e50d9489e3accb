/**
 * Variables that nobody here reads: which are a slip of the keyboard, and so an error; which only begin like ours, and
 * get a warning, since the environment is shared with other programs; and which are nobody's business.
 */
import { editDistance } from "./nearest.ts";
import type { Problem } from "./problem.ts";
import { type Setting, settingNames, settings } from "./settings.ts";

export type Names = { readonly problems: readonly Problem[]; readonly warnings: readonly string[] };

const OUR_NAME = "INVITEWATCH_";

/** Who sets a name with one of these beginnings may mean us. Of others (`PUBLIC_`, `CLOUDFLARE_`) too many are about. */
const OUR_PREFIXES = [
  "CLOUDFLARE_API_",
  "DATABASE_",
  "SMTP_",
  "MAIL_",
  "FALLBACK_",
  "FLOOD_",
  "SYNC_",
  "EXPIRY_",
  "DIGEST_",
  "HEARTBEAT_",
  "HTTP_",
  "LOG_",
  OUR_NAME,
];

/** Names that look like ours and belong to others: Cloudflare's wrangler and Terraform provider, cron, others. */
const FOREIGN = new Set([
  "CLOUDFLARE_API_BASE_PATH",
  "CLOUDFLARE_API_BASE_URL",
  "CLOUDFLARE_API_CLIENT_LOGGING",
  "CLOUDFLARE_API_ENVIRONMENT",
  "CLOUDFLARE_API_HOSTNAME",
  "CLOUDFLARE_API_USER_SERVICE_KEY",
  "FTP_PROXY",
  "HTTPS_HOST",
  "HTTPS_PORT",
  "LOGLEVEL",
  "MAILFROM",
  "MAILTO",
]);

/** What Kubernetes and Docker put into the environment for a service that is called `mail`, `smtp`, `invitewatch`, …. */
const SERVICE_LINK = /_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)$/;
const SAYS_URI = /_URI$/i;
const SERVICE_PORT_VALUE = /^(tcp|udp|sctp):\/\//;

const variables = settingNames.map((name) => settings[name].variable);
const secretFiles = settingNames
  .filter((name) => settings[name].secret)
  .map((name) => `${settings[name].variable}_FILE`);
const known: readonly string[] = [...variables, ...secretFiles];
/** Second names, such as `http_proxy`. */
const fallbacks = settingNames.flatMap((name) => (settings[name] as Setting).fallback ?? []);

/** @param set the variables that are set, with their values, which are not shown: one may well be a secret */
export function lookAtNames(set: ReadonlyMap<string, string>): Names {
  const problems: Problem[] = [];
  const strays = new Map<string, string[]>();
  for (const [name, value] of [...set].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (known.includes(name) || fallbacks.includes(name) || isForeign(name, value)) continue;
    const problem = (message: string) => problems.push({ key: name, found: null, message });
    const plain = variables.find((variable) => name === `${variable}_FILE`);
    const meant = meantBy(name);
    const prefix = OUR_PREFIXES.find((ours) => name.startsWith(ours));
    if (plain !== undefined) problem(`${plain} is not a secret and cannot come from a file. Set ${plain}.`);
    // Programs differ in whether they say URL or URI: beside ours the other word is another program's.
    else if (meant !== null && !(set.has(meant) && SAYS_URI.test(name)))
      problem(`There is no such setting; did you mean ${meant}?`);
    else if (prefix !== undefined) strays.set(prefix, [...(strays.get(prefix) ?? []), name]);
  }
  return { problems, warnings: [...strays].map(([prefix, names]) => strayWarning(prefix, names)) };
}

function strayWarning(prefix: string, names: readonly string[]): string {
  const ours = variables.filter((variable) => variable.startsWith(prefix));
  return `invitewatch does not read ${names.join(", ")}; what begins with ${prefix} here is ${ours.join(", ")}.`;
}

/** The name of ours that the other is a slip of the keyboard away from; the nearest of several; null where it is none. */
function meantBy(name: string): string | null {
  // Some programs put their own name before every variable: ours is the beginning of one alone.
  const spellings = name.startsWith(OUR_NAME) ? [name, name.slice(OUR_NAME.length)] : [name];
  const slips = spellings.flatMap((spelling) => known.filter((ours) => isSlip(spelling.toUpperCase(), ours)));
  const distance = (ours: string) =>
    Math.min(...spellings.map((spelling) => editDistance(spelling.toUpperCase(), ours)));
  return slips.sort((a, b) => distance(a) - distance(b))[0] ?? null;
}

/**
 * Word by word: a short word is misspelt by one step at the most (SMTP_SSL is no misspelt SMTP_URL), a longer one by
 * two. Separators that are missing or too many count for nothing.
 */
function isSlip(name: string, ours: string): boolean {
  const [words, ourWords] = [name.split("_"), ours.split("_")];
  if (words.length !== ourWords.length) {
    return editDistance(name.replaceAll(/[_-]/g, ""), ours.replaceAll("_", "")) <= 1;
  }
  return words.every((word, index) => {
    const other = ourWords[index] ?? "";
    const allowed = Math.min(word.length, other.length) < LONG_WORD ? 1 : 2;
    return editDistance(word, other) <= allowed;
  });
}

const LONG_WORD = 5;

function isForeign(name: string, value: string): boolean {
  if (FOREIGN.has(name) || SERVICE_LINK.test(name)) return true;
  return name.endsWith("_PORT") && SERVICE_PORT_VALUE.test(value);
}
