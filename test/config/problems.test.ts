import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError, type Problem } from "../../src/config/problem.ts";

type Env = Record<string, string>;

const FILES: Record<string, string> = { "/secret": "file-secret", "/empty": " \n", "/lines": "one\ntwo" };

function problemsOf(env: Env): readonly Problem[] {
  try {
    loadConfig(env, { readFile, terminal: false });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function readFile(path: string): string {
  const text = FILES[path];
  if (text !== undefined) return text;
  throw Object.assign(new Error(path), { code: path === "/locked" ? "EACCES" : "ENOENT" });
}

const PROBLEMS: readonly (readonly [sentence: string, env: Env, key: string, message: RegExp])[] = [
  [
    "both kinds of credential",
    { CLOUDFLARE_API_TOKEN: "t", CLOUDFLARE_EMAIL: "a@b.example", CLOUDFLARE_API_KEY: "k" },
    "CLOUDFLARE_API_TOKEN",
    /Two kinds of credential/,
  ],
  [
    "both kinds of credential, one from a file that cannot be read",
    { CLOUDFLARE_API_TOKEN: "t", CLOUDFLARE_EMAIL: "a@b.example", CLOUDFLARE_API_KEY_FILE: "/none" },
    "CLOUDFLARE_API_TOKEN",
    /Two kinds of credential/,
  ],
  [
    "an e-mail without its key",
    { CLOUDFLARE_EMAIL: "a@b.example" },
    "CLOUDFLARE_API_KEY",
    /only half.*Set CLOUDFLARE_API_KEY/,
  ],
  ["a key without its e-mail", { CLOUDFLARE_API_KEY: "k" }, "CLOUDFLARE_EMAIL", /only half.*Set CLOUDFLARE_EMAIL/],
  ["a secret given twice", { HTTP_TOKEN: "t", HTTP_TOKEN_FILE: "/secret" }, "HTTP_TOKEN", /set twice.*HTTP_TOKEN_FILE/],
  ["a secret's file that is not there", { SMTP_URL_FILE: "/none" }, "SMTP_URL_FILE", /no such file/],
  ["a secret's file that is empty", { DATABASE_URL_FILE: "/empty" }, "DATABASE_URL_FILE", /file is empty/],
  [
    "a secret's file that may not be read",
    { HTTP_TOKEN_FILE: "/locked" },
    "HTTP_TOKEN_FILE",
    /cannot be read \(EACCES\)/,
  ],
  ["a secret's file of several lines", { HTTP_TOKEN_FILE: "/lines" }, "HTTP_TOKEN_FILE", /line break/],
  ["a file for what is not a secret", { MAIL_TO_FILE: "/secret" }, "MAIL_TO_FILE", /MAIL_TO is not a secret/],
  ["a token that is a word of ours", { HTTP_TOKEN: "short" }, "HTTP_TOKEN", /^It is shorter than 16 characters/],
  ["a token that is soon guessed", { HTTP_TOKEN: "fifteen-letters" }, "HTTP_TOKEN", /shorter than 16 characters/],
  ["a token with a space", { CLOUDFLARE_API_TOKEN: "a b" }, "CLOUDFLARE_API_TOKEN", /a space/],
  [
    "an account that is no address",
    { CLOUDFLARE_EMAIL: "ops", CLOUDFLARE_API_KEY: "k" },
    "CLOUDFLARE_EMAIL",
    /not an e-mail/,
  ],
  ["an API URL in the clear", { CLOUDFLARE_BASE_URL: "http://api.example.com" }, "CLOUDFLARE_BASE_URL", /Plain http/],
  [
    "an API URL that only begins like localhost",
    { CLOUDFLARE_BASE_URL: "http://localhost.example.com" },
    "CLOUDFLARE_BASE_URL",
    /Plain http/,
  ],
  ["an API URL with a login", { CLOUDFLARE_BASE_URL: "https://u:p@api.example.com" }, "CLOUDFLARE_BASE_URL", /a login/],
  [
    "an API URL with a query",
    { CLOUDFLARE_BASE_URL: "https://api.example.com/?a=b" },
    "CLOUDFLARE_BASE_URL",
    /a query/,
  ],
  [
    "an API URL with a fragment",
    { CLOUDFLARE_BASE_URL: "https://api.example.com/#a" },
    "CLOUDFLARE_BASE_URL",
    /a fragment/,
  ],
  ["an API address that is no URL", { CLOUDFLARE_BASE_URL: "api.example.com" }, "CLOUDFLARE_BASE_URL", /not an http/],
  ["another kind of database", { DATABASE_URL: "mysql://u:p@db/x" }, "DATABASE_URL", /neither a postgres.*pglite:DIR/],
  ["a direct way that is no server's", { DATABASE_DIRECT_URL: "pglite:data" }, "DATABASE_DIRECT_URL", /not a postgres/],
  [
    "a direct way to the embedded database",
    { DATABASE_URL: "pglite:data", DATABASE_DIRECT_URL: "postgres://db/x?sslmode=disable" },
    "DATABASE_DIRECT_URL",
    /names the embedded database\. Name the same/,
  ],
  ["an embedded database without a folder", { DATABASE_URL: "pglite:" }, "DATABASE_URL", /pglite: with a folder/],
  ["a database password with a bare /", { DATABASE_URL: "postgres://u:p/w@db/x" }, "DATABASE_URL", /write.*\/ as %2F/],
  [
    "a database password with a bare %",
    { DATABASE_URL: "postgres://u:100%@db/x" },
    "DATABASE_URL",
    /"%" that encodes nothing/,
  ],
  ["a mail server that is no URL", { SMTP_URL: "mail.example.com:25" }, "SMTP_URL", /not an smtp:\/\/ or smtps:\/\//],
  ["a mail server without a host", { SMTP_URL: "smtp://" }, "SMTP_URL", /with a host/],
  ["a mail login without password", { SMTP_URL: "smtp://u@mail.example.com" }, "SMTP_URL", /login is half there/],
  ["a mail password with a bare %", { SMTP_URL: "smtp://u:100%@mail.example.com" }, "SMTP_URL", /encodes nothing/],
  ["a mail server with a path", { SMTP_URL: "smtp://mail.example.com/x" }, "SMTP_URL", /a path/],
  [
    "an unknown query of the mail server",
    { SMTP_URL: "smtp://h?allowInsecureAut=true" },
    "SMTP_URL",
    /did you mean allowInsecureAuth\?/,
  ],
  [
    "a query of the mail server that is neither true nor false",
    { SMTP_URL: "smtp://h?allowInsecureAuth=1" },
    "SMTP_URL",
    /neither true nor false/,
  ],
  [
    "a query of the mail server that is no slip of a known one",
    { SMTP_URL: "smtp://h?pool=true" },
    "SMTP_URL",
    /query parameter that is not known; known are tls, name, allowInsecureAuth\./,
  ],
  [
    "an unknown TLS mode",
    { SMTP_URL: "smtp://h?tls=yes" },
    "SMTP_URL",
    /tls is none of require, verify, opportunistic, off/,
  ],
  ["two TLS modes", { SMTP_URL: "smtp://h?tls=off&tls=verify" }, "SMTP_URL", /tls is given more than once/],
  ["no TLS with TLS from the start", { SMTP_URL: "smtps://h?tls=off" }, "SMTP_URL", /tls=off contradicts smtps/],
  [
    "a mail login that would cross the wire in the clear",
    { SMTP_URL: "smtp://u:p@mail.example.com?tls=off" },
    "SMTP_URL",
    /would send the login in the clear; if that is meant, add allowInsecureAuth=true/,
  ],
  ["a name for EHLO that is none", { SMTP_URL: "smtp://h?name=my_host" }, "SMTP_URL", /name is no host name/],
  [
    "a bare address for EHLO",
    { SMTP_URL: "smtp://h?name=192.0.2.1" },
    "SMTP_URL",
    /is an address; write it in brackets/,
  ],
  ["a second mail server with half a login", { FALLBACK_SMTP_URL: "smtp://u@h" }, "FALLBACK_SMTP_URL", /half there/],
  [
    "a webhook in the clear",
    { FALLBACK_WEBHOOK_URL: "http://hooks.example.com/x" },
    "FALLBACK_WEBHOOK_URL",
    /Plain http would send the alerts/,
  ],
  [
    "a webhook without its secret",
    { FALLBACK_WEBHOOK_URL: "https://hooks.example.com/x" },
    "FALLBACK_WEBHOOK_SECRET",
    /has to be signed\. Set FALLBACK_WEBHOOK_SECRET too/,
  ],
  [
    "a webhook's secret that is short",
    { FALLBACK_WEBHOOK_SECRET: "only-23-characters-long" },
    "FALLBACK_WEBHOOK_SECRET",
    /shorter than 24 characters/,
  ],
  [
    "a webhook's secret of few bytes",
    { FALLBACK_WEBHOOK_SECRET: `whsec_${Buffer.alloc(23, 7).toString("base64")}` },
    "FALLBACK_WEBHOOK_SECRET",
    /shorter than 24 bytes/,
  ],
  [
    "a webhook's secret that is not base64",
    { FALLBACK_WEBHOOK_SECRET: "whsec_not*base64*at*all*whatever" },
    "FALLBACK_WEBHOOK_SECRET",
    /not base64/,
  ],
  ["two senders", { MAIL_FROM: "a@b.example, c@d.example" }, "MAIL_FROM", /not one address/],
  ["a sender that is no address", { MAIL_FROM: "Invitewatch" }, "MAIL_FROM", /not an e-mail address/],
  ["a broken recipient", { MAIL_TO: "a@b.example, c@" }, "MAIL_TO", /"c@" is not an e-mail address/],
  [
    "a recipient that only SMTPUTF8 could reach",
    { MAIL_TO: "a@b.example, jörg@b.example" },
    "MAIL_TO",
    /"jörg@b\.example" has a character before the "@" that is not ASCII; such addresses \(SMTPUTF8\) are not supported/,
  ],
  [
    "a sender that only SMTPUTF8 could carry",
    { MAIL_FROM: "Jörg <jörg@b.example>" },
    "MAIL_FROM",
    /It has a character before the "@" that is not ASCII/,
  ],
  ["a mail server whose host is none", { SMTP_URL: "smtp://a%20b.example" }, "SMTP_URL", /not a host name/],
  ["a list without a recipient", { MAIL_TO: "," }, "MAIL_TO", /holds no address/],
  ["a schedule with a broken field", { SYNC_SCHEDULE: "61 * * * *" }, "SYNC_SCHEDULE", /minute field "61"/],
  ["a schedule that never runs", { SYNC_SCHEDULE: "0 0 31 2 *" }, "SYNC_SCHEDULE", /never runs/],
  ["a jitter that is no duration", { SYNC_JITTER: "30" }, "SYNC_JITTER", /not a duration/],
  [
    "a jitter as long as the interval",
    { SYNC_SCHEDULE: "*/5 * * * *", SYNC_JITTER: "5m" },
    "SYNC_JITTER",
    /not shorter.*5m/,
  ],
  ["a deadline of nothing", { SYNC_DEADLINE: "0s" }, "SYNC_DEADLINE", /too short/],
  // A timer of 2³¹ ms and more would fire at once.
  ["a deadline longer than any timer", { SYNC_DEADLINE: "30d" }, "SYNC_DEADLINE", /too long/],
  ["a deadline longer than the queue waits for a sync", { SYNC_DEADLINE: "11m" }, "SYNC_DEADLINE", /too long/],
  ["a jitter longer than any timer", { SYNC_SCHEDULE: "0 9 1 1 *", SYNC_JITTER: "30d" }, "SYNC_JITTER", /too long/],
  ["a threshold beyond any date", { EXPIRY_THRESHOLDS: "9999999w" }, "EXPIRY_THRESHOLDS", /longer than 3650d/],
  [
    "a schedule that programs read differently",
    { SYNC_SCHEDULE: "0 9 */2 * 1" },
    "SYNC_SCHEDULE",
    /both day of month and day of week.*Put "\*" in one of the two/,
  ],
  ["an unknown time zone", { TIMEZONE: "Europe/Berln" }, "TIMEZONE", /did you mean Europe\/Berlin\?/],
  ["a city in place of a time zone", { TIMEZONE: "Tokyo" }, "TIMEZONE", /did you mean Asia\/Tokyo\?/],
  ["an offset in place of a time zone", { TIMEZONE: "+02:00" }, "TIMEZONE", /not a time zone/],
  ["an unknown time zone in TZ", { TZ: "CET-1CEST" }, "TZ", /not the name of a time zone/],
  ["a threshold that is neither", { EXPIRY_THRESHOLDS: "24h,tomorrow" }, "EXPIRY_THRESHOLDS", /"tomorrow" is neither/],
  ["a threshold of nothing", { EXPIRY_THRESHOLDS: "0h" }, "EXPIRY_THRESHOLDS", /"0h" is neither/],
  ["a threshold of the whole lifetime", { EXPIRY_THRESHOLDS: "100%" }, "EXPIRY_THRESHOLDS", /"100%" is neither/],
  ["the same threshold twice", { EXPIRY_THRESHOLDS: "1d,24h" }, "EXPIRY_THRESHOLDS", /"1d" and "24h" are the same/],
  ["a list with an empty threshold", { EXPIRY_THRESHOLDS: "24h," }, "EXPIRY_THRESHOLDS", /"" is neither/],
  ["a flood cap of none", { FLOOD_CAP: "0" }, "FLOOD_CAP", /not a whole number/],
  ["a host with a port", { HTTP_HOST: "localhost:80" }, "HTTP_HOST", /port goes into HTTP_PORT/],
  ["a port out of range", { HTTP_PORT: "65536" }, "HTTP_PORT", /from 0 to 65535/],
  ["a public URL of another kind", { PUBLIC_URL: "ftp://example.com" }, "PUBLIC_URL", /not an http/],
  ["a broken digest schedule", { DIGEST_SCHEDULE: "weekly" }, "DIGEST_SCHEDULE", /1 field\..*or off/],
  ["a heartbeat that is no URL", { HEARTBEAT_URL: "hc-ping.com/x" }, "HEARTBEAT_URL", /not an http/],
  ["an unknown log level", { LOG_LEVEL: "warning" }, "LOG_LEVEL", /did you mean warn\?/],
  ["an unknown log format", { LOG_FORMAT: "jsn" }, "LOG_FORMAT", /did you mean json\?/],
  [
    "a threshold that the schedule passes by",
    { EXPIRY_THRESHOLDS: "72h,10m" },
    "EXPIRY_THRESHOLDS",
    /"10m".*pass unseen.* 15m apart/,
  ],
  ["a configuration file that is not there", { INVITEWATCH_CONFIG: "/none" }, "INVITEWATCH_CONFIG", /no such file/],
  ["a configuration file that may not be read", { INVITEWATCH_CONFIG: "/locked" }, "INVITEWATCH_CONFIG", /EACCES/],
];

for (const [sentence, env, key, message] of PROBLEMS) {
  test(`${sentence} is refused`, () => {
    const problems = problemsOf(env);

    const problem = problems.find((candidate) => candidate.key === key && message.test(candidate.message));
    assert.ok(problem, `expected ${key} ${message} among ${JSON.stringify(problems)}`);
  });
}

const SECRET = "hunter22-secret";

const LEAKS: readonly Env[] = [
  { SMTP_URL: `smtp://u:${SECRET}@mail.example.com/path` },
  { SMTP_URL: `smtp://u:1?${SECRET}@mail.example.com` },
  { SMTP_URL: `mail.example.com?${SECRET}` },
  { FALLBACK_WEBHOOK_URL: `http://hooks.example.com/${SECRET}` },
  { FALLBACK_WEBHOOK_SECRET: SECRET },
  { DATABASE_URL: `mysql://u:${SECRET}@db/x` },
  { CLOUDFLARE_API_TOKEN: `${SECRET} x` },
  { CLOUDFLARE_API_TOKN: SECRET },
  { HEARTBEAT_URL: `ping/${SECRET}` },
  { HTTP_TOKEN: SECRET, HTTP_TOKEN_FILE: "/none" },
  { HTTP_TOKEN_FILE: SECRET },
  { CLOUDFLARE_BASE_URL: `https://u:${SECRET}@api.example.com` },
  { PUBLIC_URL: `ftp://u:${SECRET}@example.com` },
  { SMTP_URL: `smtp://u:${SECRET}@mail.example.com`, MAIL_FROM: SECRET, MAIL_TO: `x ${SECRET}` },
  { HTTP_TOKEN: SECRET, SYNC_SCHEDULE: `${SECRET} * * * *`, TIMEZONE: SECRET },
  { CLOUDFLARE_EMAIL: "0123456789abcdefhunter22-secret0123456", CLOUDFLARE_API_KEY: "k" },
];

for (const env of LEAKS) {
  test(`no secret is told of ${Object.keys(env).join(" with ")}`, () => {
    const problems = problemsOf(env);

    assert.notEqual(problems.length, 0);
    assert.ok(!new ConfigError(problems).message.includes("hunter22"), new ConfigError(problems).message);
  });
}
