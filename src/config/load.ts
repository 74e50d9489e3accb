/**
 * From the environment to a frozen Config, or to one error that has every problem in it.
 *
 * A source gives texts, each setting's schema makes its value, and then come the rules between settings. What is
 * merely absent is no problem here: commands that only read the database need nothing else.
 */
import { readFileSync } from "node:fs";
import { createRedactor } from "../domain/redact.ts";
import type { Config, Credential, MailConfig, WatchConfig } from "./config.ts";
import { formatDuration } from "./duration.ts";
import { type Environment, type Given, type ReadFile, readEnvironment, type Source } from "./environment.ts";
import { ConfigError, NOT_SHOWN, type Problem, quoted } from "./problem.ts";
import { type Setting, type SettingName, settingNames, settings, type Values } from "./settings.ts";
import { passwordsIn } from "./urls.ts";

export type ConfigIo = {
  /** The text of a secret's file; throws as node:fs does. */
  readonly readFile?: ReadFile;
  /** Whether logs go to a terminal. */
  readonly terminal?: boolean;
};

/**
 * The configuration, deeply frozen.
 *
 * @throws ConfigError with every problem at once, free of secrets
 */
export function loadConfig(env: Environment = process.env, io: ConfigIo = {}): Config {
  const source = readEnvironment(env, io.readFile ?? ((path) => readFileSync(path, "utf8")));
  const { values, problems: valueProblems } = readValues(source.given);
  const problems = [
    ...source.problems,
    ...valueProblems,
    ...credentialProblems(source),
    ...jitterProblems(source, values),
  ];
  if (problems.length > 0) throw new ConfigError(problems.map(redactorOf(source.given)));
  // Without a problem every setting has its value.
  return deepFrozen(configOf(values as Values, source, io.terminal ?? process.stderr.isTTY === true));
}

function readValues(given: ReadonlyMap<SettingName, Given>): { values: Partial<Values>; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of settingNames) {
    const setting: Setting = settings[name];
    const { text, key } = given.get(name) ?? { text: setting.default, key: setting.variable };
    if (text === null) {
      values[name] = null;
      continue;
    }
    const result = setting.schema.safeParse(text);
    if (result.success) values[name] = result.data;
    else problems.push(problemOf(setting, { text, key }, result.error.issues.map(({ message }) => message).join(" ")));
  }
  return { values: values as Partial<Values>, problems };
}

function problemOf({ secret, accepts, example }: Setting, { text, key }: Given, fault: string): Problem {
  const message = `${fault} Accepted: ${accepts}. Example: ${example}`;
  return { key, found: secret ? NOT_SHOWN : quoted(text), message };
}

function credentialProblems({ mentioned }: Source): readonly Problem[] {
  const token = settings.apiToken.variable;
  const halves = [settings.email.variable, settings.apiKey.variable] as const;
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

function jitterProblems({ given }: Source, { jitter, schedule }: Partial<Values>): readonly Problem[] {
  const text = given.get("jitter");
  if (text === undefined || jitter === undefined || schedule === undefined || jitter < schedule.shortestMs) return [];
  const fault = `It is not shorter than the shortest interval of the schedule, ${formatDuration(schedule.shortestMs)}.`;
  return [problemOf(settings.jitter, text, fault)];
}

function configOf(values: Values, source: Source, terminal: boolean): Config {
  const credential = credentialOf(values);
  return {
    databaseUrl: values.databaseUrl,
    cloudflareBaseUrl: values.baseUrl,
    watches: credential === null ? [] : [watchOf(credential, values)],
    mail: mailOf(values),
    jitterMs: source.given.has("jitter") ? values.jitter : Math.min(values.jitter, values.schedule.shortestMs / 2),
    syncDeadlineMs: values.syncDeadline,
    timezone: values.timezone,
    http: { host: values.httpHost, port: values.httpPort, token: values.httpToken },
    publicUrl: values.publicUrl,
    floodCap: values.floodCap,
    digestSchedule: values.digestSchedule?.expression ?? null,
    heartbeatUrl: values.heartbeatUrl,
    log: { level: values.logLevel, format: values.logFormat ?? (terminal ? "pretty" : "json") },
    missing: missingIn(values),
    secrets: secretsIn(values),
  };
}

function watchOf(credential: Credential, values: Values): WatchConfig {
  return {
    name: "default",
    credential,
    to: values.mailTo ?? [],
    schedule: values.schedule.expression,
    intervalMs: values.schedule.longestMs,
    timezone: values.timezone,
    thresholds: values.thresholds,
  };
}

function credentialOf({ apiToken, email, apiKey }: Values): Credential | null {
  if (apiToken !== null) return { kind: "token", token: apiToken };
  return email !== null && apiKey !== null ? { kind: "key", email, key: apiKey } : null;
}

function mailOf({ smtpUrl, mailFrom }: Values): MailConfig | null {
  return smtpUrl !== null && mailFrom !== null ? { smtpUrl, from: mailFrom } : null;
}

function missingIn(values: Values): readonly string[] {
  const { apiToken, email, apiKey, smtpUrl, mailFrom, mailTo } = settings;
  const set = ({ variable, example }: Setting) => `set ${variable}, such as ${example}.`;
  const pair = `${email.variable} with ${apiKey.variable}`;
  const needs = [
    [credentialOf(values), `There is no Cloudflare credential: set ${apiToken.variable}, or ${pair}.`],
    [values.smtpUrl, `There is no mail server: ${set(smtpUrl)}`],
    [values.mailFrom, `There is no sender: ${set(mailFrom)}`],
    [values.mailTo, `There is nobody to mail: ${set(mailTo)}`],
  ] as const;
  return needs.flatMap(([value, sentence]) => (value === null ? [sentence] : []));
}

function secretsIn({ apiToken, apiKey, httpToken, heartbeatUrl, smtpUrl, databaseUrl }: Values): readonly string[] {
  const whole = [apiToken, apiKey, httpToken, heartbeatUrl].filter((secret) => secret !== null);
  return [...new Set([...whole, ...passwordsIn(smtpUrl ?? ""), ...passwordsIn(databaseUrl)])];
}

/** Masks every secret, for one that stands in a variable where it does not belong. */
function redactorOf(given: ReadonlyMap<SettingName, Given>): (problem: Problem) => Problem {
  const secretTexts = [...given].filter(([name]) => settings[name].secret).map(([, { text }]) => text);
  // The embedded database has no password; masking its name would only garble the message.
  const secrets = secretTexts.filter((text) => !/^pglite:/i.test(text));
  const redact = createRedactor(secrets.flatMap((text) => [text, ...passwordsIn(text)]));
  return ({ key, found, message }) => ({ key, found: found === null ? null : redact(found), message: redact(message) });
}

function deepFrozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) deepFrozen(member);
    Object.freeze(value);
  }
  return value;
}
