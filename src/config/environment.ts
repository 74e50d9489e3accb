/**
 * The environment as a source of settings: which variable holds which setting, and which names look like mistakes.
 */
import { nearest } from "./nearest.ts";
import type { Problem } from "./problem.ts";
import { type ReadFile, readSecretFile, shownPath } from "./secret-file.ts";
import { type Setting, type SettingName, settingNames, settings } from "./settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The text of a setting, and the variable that it came from. */
export type Given = { readonly text: string; readonly key: string };

/** What a source says. `mentioned` also has the settings whose text could not be had. */
export type Source = {
  readonly given: ReadonlyMap<SettingName, Given>;
  readonly mentioned: ReadonlySet<SettingName>;
  readonly problems: readonly Problem[];
};

const OUR_NAME = "INVITEWATCH_";

/**
 * Every name with one of these beginnings is taken for ours. Left out are those of settings whose beginning
 * others use too (`DATABASE_`, `HTTP_`, `LOG_`, `PUBLIC_`, and `CLOUDFLARE_` without `API_`): there only a name that is
 * all but equal to one of ours is a mistake.
 */
const OUR_PREFIXES = [
  "CLOUDFLARE_API_",
  "SMTP_",
  "MAIL_",
  "FALLBACK_SMTP_",
  "FALLBACK_WEBHOOK_",
  "SYNC_",
  "EXPIRY_",
  "DIGEST_",
  "HEARTBEAT_",
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
  "MAILTO",
]);

/** What Kubernetes and Docker put into the environment for a service that is called `mail`, `smtp`, `invitewatch`, …. */
const SERVICE_LINK = /_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_PORT_VALUE = /^(tcp|udp|sctp):\/\//;

const variables = settingNames.map((name) => settings[name].variable);
const secretFiles = settingNames
  .filter((name) => settings[name].secret)
  .map((name) => `${settings[name].variable}_FILE`);
const known: readonly string[] = [...variables, ...secretFiles];
const fallbacks = settingNames.flatMap((name) => (settings[name] as Setting).fallback ?? []);

/** The settings in the environment. An empty variable counts as not set. */
export function readEnvironment(env: Environment, readFile: ReadFile): Source {
  const given = new Map<SettingName, Given>();
  const mentioned = new Set<SettingName>();
  const problems: Problem[] = [];
  for (const name of settingNames) {
    const setting: Setting = settings[name];
    const found = readVariable(setting, env, readFile);
    if (found === null) continue;
    mentioned.add(name);
    if ("message" in found) problems.push(found);
    else given.set(name, found);
  }
  return { given, mentioned, problems: [...problems, ...nameProblems(env)] };
}

function readVariable(setting: Setting, env: Environment, readFile: ReadFile): Given | Problem | null {
  const { variable, fallback } = setting;
  const text = textOf(env, variable);
  const file = `${variable}_FILE`;
  const path = setting.secret ? textOf(env, file) : null;

  if (text !== null && path !== null) {
    return { key: variable, found: null, message: `It is set twice, by ${variable} and by ${file}. Keep one.` };
  }
  if (path !== null) return readSecret(file, path, readFile);
  if (text !== null) return { text, key: variable };
  const other = fallback === undefined ? null : textOf(env, fallback);
  return fallback === undefined || other === null ? null : { text: other, key: fallback };
}

function readSecret(key: string, path: string, readFile: ReadFile): Given | Problem {
  const read = readSecretFile(path, readFile);
  return "text" in read ? { text: read.text, key } : { key, found: shownPath(path), message: read.fault };
}

function nameProblems(env: Environment): readonly Problem[] {
  const set = Object.keys(env).filter((name) => textOf(env, name) !== null);
  return set.sort().flatMap((name) => nameProblem(name, env) ?? []);
}

/** What is wrong with a name that nobody reads; its value is not shown, it may well be a secret. */
function nameProblem(name: string, env: Environment): Problem | null {
  if (known.includes(name) || fallbacks.includes(name) || isForeign(name, env)) return null;
  const problem = (message: string): Problem => ({ key: name, found: null, message });
  const plain = variables.find((variable) => name === `${variable}_FILE`);
  if (plain !== undefined) return problem(`${plain} is not a secret and cannot come from a file. Set ${plain}.`);

  const prefix = OUR_PREFIXES.find((ours) => name.startsWith(ours));
  const kin = known.filter((candidate) => prefix !== undefined && candidate.startsWith(prefix));
  const meant = nearestSetting(name, kin);
  if (meant === null) return null;
  // Somebody who misspelt a name has not set the right one: a similar name beside it belongs to another program.
  const isMisspelt = meant.distance <= 2 && textOf(env, meant.name) === null;
  return prefix !== undefined || isMisspelt ? problem(`There is no such setting; did you mean ${meant.name}?`) : null;
}

/** Some programs put their own name before every variable: ours is the beginning of one alone. */
function nearestSetting(name: string, kin: readonly string[]) {
  const bare = name.startsWith(OUR_NAME) ? nearest(name.slice(OUR_NAME.length), known) : null;
  const whole = nearest(name, kin.length > 0 ? kin : known);
  return bare !== null && whole !== null && bare.distance < whole.distance ? bare : whole;
}

function isForeign(name: string, env: Environment): boolean {
  if (FOREIGN.has(name) || SERVICE_LINK.test(name)) return true;
  return name.endsWith("_PORT") && SERVICE_PORT_VALUE.test(textOf(env, name) ?? "");
}

function textOf(env: Environment, name: string): string | null {
  const value = env[name]?.trim();
  return value === undefined || value === "" ? null : value;
}
