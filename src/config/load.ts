/**
 * From the environment, and the file that it may name, to a frozen Config, or to one error that has every problem.
 *
 * Each source gives what it says, each setting's schema makes its value, and then come the rules between settings.
 * What is merely absent is no problem here: commands that only read the database need nothing else.
 */
import { readFileSync } from "node:fs";
import type { Route } from "../domain/routing.ts";
import type { Config, Credential } from "./config.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { formatDuration } from "./duration.ts";
import { type Environment, readEnvironment, type Source } from "./environment.ts";
import { type ConfigFile, readConfigFile } from "./file.ts";
import { missingIn } from "./missing.ts";
import { ConfigError, type Problem } from "./problem.ts";
import { createSpelling } from "./recipients.ts";
import { readRoutes } from "./routes.ts";
import type { ReadFile } from "./secret-file.ts";
import { redactorOf, secretsIn } from "./secrets.ts";
import { settings, type Values } from "./settings.ts";
import { neverFires, thresholdProblems } from "./thresholds.ts";
import { problemOf, readValues } from "./values.ts";
import { readWatches, type WatchDraft, watchOf } from "./watches.ts";

export type ConfigIo = {
  /** The text of the configuration file or of a secret's; throws as node:fs does. */
  readonly readFile?: ReadFile;
  /** Whether logs go to a terminal. */
  readonly terminal?: boolean;
};

/** Everything that was read, sound or not. */
type Reading = {
  readonly source: Source;
  readonly file: ConfigFile;
  readonly values: Partial<Values>;
  readonly drafts: readonly WatchDraft[];
  readonly routes: readonly Route[];
};

/**
 * The configuration, deeply frozen.
 *
 * @throws ConfigError with every problem at once, free of secrets
 */
export function loadConfig(env: Environment = process.env, io: ConfigIo = {}): Config {
  const { reading, problems } = readAll(env, io.readFile ?? ((path) => readFileSync(path, "utf8")));
  if (problems.length > 0) throw new ConfigError(problems.map(redactorOf(reading)));
  // Without a problem every setting has its value.
  const values = reading.values as Values;
  return deepFrozen(configOf(values, reading, io.terminal ?? process.stderr.isTTY === true));
}

function readAll(env: Environment, readFile: ReadFile): { reading: Reading; problems: readonly Problem[] } {
  const source = readEnvironment(env, readFile);
  const file = readConfigFile(source.given.get("configFile"), readFile);
  const { values, problems: valueProblems } = readValues(source, file);

  const spell = createSpelling();
  const top = { values, credential: credentialOf(values), to: spell(values.mailTo ?? []) };
  const { drafts, problems: watchProblems } = readWatches(file, top, { readFile, spell });
  const { routes, problems: routeProblems } = readRoutes(file, namesOf(drafts, file), spell);
  const reading = { source, file, values, drafts, routes };
  const problems = [
    ...source.problems,
    ...valueProblems,
    ...credentialProblems(reading),
    ...directUrlProblems(reading),
    ...webhookProblems(reading),
  ];
  const rules = [...watchProblems, ...routeProblems, ...thresholdRules(reading), ...jitterProblems(reading)];
  const all = [...problems, ...file.problems, ...(file.readable ? rules : [])];
  return { reading, problems: all.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
}

/** Null where a name could not be read: a pattern may mean that one. */
function namesOf(drafts: readonly WatchDraft[], file: ConfigFile): readonly string[] | null {
  const names = drafts.flatMap(({ name }) => name ?? []);
  const listed = file.rawAt(["watches"]);
  const count = listed === undefined ? 1 : Array.isArray(listed) ? listed.length : 0;
  return count > 0 && names.length === count ? names : null;
}

function credentialProblems({ source, file }: Reading): readonly Problem[] {
  const { mentioned, given } = source;
  const token = settings.apiToken.variable;
  const halves = [settings.email.variable, settings.apiKey.variable] as const;
  if (file.has(["watches"])) {
    return (["apiToken", "email", "apiKey"] as const)
      .filter((name) => mentioned.has(name))
      .map((name) => {
        const key = given.get(name)?.key ?? settings[name].variable;
        const where = `watches at ${file.whereIs(["watches"])}`;
        const message = `${key} and ${where} are both set: which watch would it be for? Give each watch its own there.`;
        return { key, found: null, message };
      });
  }
  const [email, apiKey] = [mentioned.has("email"), mentioned.has("apiKey")];
  if (mentioned.has("apiToken") && (email || apiKey)) {
    const message = `Two kinds of credential are set. Keep ${token}, or ${halves.join(" with ")}.`;
    return [{ key: token, found: null, message }];
  }
  if (email === apiKey) return [];
  const [there, absent] = email ? halves : ([halves[1], halves[0]] as const);
  const message = `${there} is set and is only half of a credential. Set ${absent} too, or ${token} in place of both.`;
  return [{ key: absent, found: null, message }];
}

/** A second way leads to the same database: the embedded one has none. */
function directUrlProblems({ source: { mentioned }, values: { databaseUrl } }: Reading): readonly Problem[] {
  if (!mentioned.has("databaseDirectUrl") || databaseUrl === undefined || !/^pglite:/i.test(databaseUrl)) return [];
  const { variable } = settings.databaseDirectUrl;
  const message = `${variable} is set, and ${settings.databaseUrl.variable} names the embedded database. Name the same Postgres database in both.`;
  return [{ key: variable, found: null, message }];
}

/** A post that nobody can verify is no alert. */
function webhookProblems({ source: { mentioned } }: Reading): readonly Problem[] {
  const { fallbackWebhookUrl: url, fallbackWebhookSecret: secret } = settings;
  if (!mentioned.has("fallbackWebhookUrl") || mentioned.has("fallbackWebhookSecret")) return [];
  const message = `${url.variable} is set, and what is posted there has to be signed. Set ${secret.variable} too: ${secret.accepts}.`;
  return [{ key: secret.variable, found: null, message }];
}

function thresholdRules({ source, file, values, drafts }: Reading): readonly Problem[] {
  const given = source.given.get("thresholds");
  if (given === undefined || file.has(["thresholds"])) return thresholdProblems(file, drafts);
  const faults = (values.thresholds ?? []).flatMap((threshold) => {
    const fault = neverFires(
      threshold,
      drafts.filter((draft) => !draft.ownThresholds),
    );
    return fault === null ? [] : [`"${threshold.name}": ${fault}`];
  });
  const problems = faults.length === 0 ? [] : [problemOf(settings.thresholds, given, faults.join(" "))];
  return [...thresholdProblems(file, drafts), ...problems];
}

function jitterProblems({ source, values: { jitter }, drafts }: Reading): readonly Problem[] {
  const text = source.given.get("jitter");
  if (text === undefined || jitter === undefined) return [];
  const tight = drafts.find(({ schedule }) => schedule !== undefined && jitter >= schedule.shortestMs);
  if (tight?.schedule === undefined) return [];
  const whose = tight.path === null ? "the schedule" : `the schedule of the watch ${tight.name}`;
  const fault = `It is not shorter than the shortest interval of ${whose}, ${formatDuration(tight.schedule.shortestMs)}.`;
  return [problemOf(settings.jitter, text, fault)];
}

function configOf(values: Values, reading: Reading, terminal: boolean): Config {
  const { source, drafts, routes } = reading;
  const watches = drafts.map(watchOf).filter((watch) => watch !== null);
  const shortestMs = Math.min(...drafts.map(({ schedule }) => schedule?.shortestMs ?? Number.POSITIVE_INFINITY));
  const { smtpUrl, mailFrom, fallbackWebhookUrl: url, fallbackWebhookSecret: secret } = values;
  return {
    databaseUrl: values.databaseUrl,
    databaseDirectUrl: values.databaseDirectUrl,
    cloudflareBaseUrl: values.baseUrl,
    watches,
    routes,
    mail: smtpUrl !== null && mailFrom !== null ? { smtpUrl, from: mailFrom } : null,
    fallback: {
      smtpUrl: values.fallbackSmtpUrl,
      webhook: url !== null && secret !== null ? { url, secret } : null,
    },
    jitterMs: source.given.has("jitter") ? values.jitter : Math.min(values.jitter, shortestMs / 2),
    syncDeadlineMs: values.syncDeadline,
    timezone: values.timezone,
    http: { host: values.httpHost, port: values.httpPort, token: values.httpToken },
    proxy: { https: values.httpsProxy, http: values.httpProxy, none: values.noProxy ?? "" },
    publicUrl: values.publicUrl,
    floodCap: values.floodCap,
    digest: values.digestSchedule && { schedule: values.digestSchedule.expression },
    heartbeatUrl: values.heartbeatUrl,
    log: { level: values.logLevel, format: values.logFormat ?? (terminal ? "pretty" : "json") },
    missing: missingIn(values, watches, drafts),
    warnings: [...source.warnings, ...databaseUrlWarnings(values.databaseUrl)],
    secrets: secretsIn(values, watches),
  };
}

function databaseUrlWarnings(url: string): readonly string[] {
  const ignored = parseDatabaseUrl(url, () => {})?.ignored ?? [];
  if (ignored.length === 0) return [];
  const have = ignored.length === 1 ? "has" : "have";
  return [`In ${settings.databaseUrl.variable}, ${ignored.join(" and ")} ${have} no effect here.`];
}

function credentialOf({ apiToken, email, apiKey }: Partial<Values>): Credential | null {
  if (apiToken) return { kind: "token", token: apiToken };
  return email && apiKey ? { kind: "key", email, key: apiKey } : null;
}

function deepFrozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) deepFrozen(member);
    Object.freeze(value);
  }
  return value;
}
