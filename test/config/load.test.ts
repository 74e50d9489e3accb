import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { type Setting, settingNames, settings } from "../../src/config/settings.ts";

type Env = Record<string, string | undefined>;

const COMPLETE = {
  CLOUDFLARE_API_TOKEN: "token-0123",
  SMTP_URL: "smtp://bot:p%40ss-word@mail.example.com:587",
  MAIL_FROM: "Invitewatch <invites@example.com>",
  MAIL_TO: "ops@example.com",
};

function load(env: Env, files: Record<string, string> = {}) {
  return loadConfig(env, { readFile: (path) => fileText(path, files), terminal: false });
}

function fileText(path: string, files: Record<string, string>): string {
  const text = files[path];
  if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
  return text;
}

function errorOf(env: Env, files: Record<string, string> = {}): ConfigError {
  try {
    load(env, files);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  assert.fail("the configuration was accepted");
}

test("an empty environment gives the defaults and says what is missing", () => {
  const config = load({});

  assert.deepEqual(
    { ...config, missing: config.missing.length },
    {
      databaseUrl: "pglite:./data",
      databaseDirectUrl: null,
      cloudflareBaseUrl: "https://api.cloudflare.com/client/v4",
      watches: [],
      routes: [],
      mail: null,
      fallback: { smtpUrl: null, webhook: null },
      jitterMs: 30_000,
      syncDeadlineMs: 120_000,
      timezone: "UTC",
      http: { host: "127.0.0.1", port: 8080, token: null },
      proxy: { https: null, http: null, none: "" },
      publicUrl: null,
      floodCap: 20,
      digest: { schedule: "0 9 * * 1" },
      heartbeatUrl: null,
      log: { level: "info", format: "json" },
      missing: 4,
      warnings: [],
      secrets: [],
    },
  );
});

test("one watch named default is made of the variables", () => {
  const config = load({ ...COMPLETE, TIMEZONE: "Europe/Berlin", EXPIRY_THRESHOLDS: "3d, 25%" });

  assert.deepEqual(config.missing, []);
  assert.deepEqual(config.mail, { smtpUrl: COMPLETE.SMTP_URL, from: COMPLETE.MAIL_FROM });
  assert.deepEqual(config.watches, [
    {
      name: "default",
      credential: { kind: "token", token: "token-0123" },
      to: ["ops@example.com"],
      schedule: "*/15 * * * *",
      intervalMs: 900_000,
      timezone: "Europe/Berlin",
      thresholds: [
        { kind: "lead", name: "3d", ms: 259_200_000 },
        { kind: "share", name: "25%", share: 0.25 },
      ],
      quietHours: null,
    },
  ]);
});

test("the older pair of e-mail and key is a credential", () => {
  const config = load({ CLOUDFLARE_EMAIL: "ops@example.com", CLOUDFLARE_API_KEY: "key-0123" });

  assert.deepEqual(config.watches[0]?.credential, { kind: "key", email: "ops@example.com", key: "key-0123" });
});

test("the second way out is a mail server, a webhook or both", () => {
  const config = load({
    FALLBACK_SMTP_URL: "smtps://mail.example.net",
    FALLBACK_WEBHOOK_URL: "http://localhost:9000/hook",
    FALLBACK_WEBHOOK_SECRET: "plain text is not, this-is: fine".replaceAll(" ", "-"),
  });

  assert.deepEqual(config.fallback, {
    smtpUrl: "smtps://mail.example.net",
    webhook: { url: "http://localhost:9000/hook", secret: "plain-text-is-not,-this-is:-fine" },
  });
});

const MISSING = [
  ["CLOUDFLARE_API_TOKEN", /credential.*CLOUDFLARE_API_TOKEN/],
  ["SMTP_URL", /set SMTP_URL/],
  ["MAIL_FROM", /set MAIL_FROM/],
  ["MAIL_TO", /set MAIL_TO/],
] as const;

for (const [variable, sentence] of MISSING) {
  test(`without ${variable} the configuration is good, and says that it is missing`, () => {
    const config = load({ ...COMPLETE, [variable]: undefined });

    assert.equal(config.missing.length, 1);
    assert.match(config.missing[0] ?? "", sentence);
  });
}

test("an empty or blank variable counts as not set", () => {
  const config = load({ ...COMPLETE, CLOUDFLARE_API_KEY: "", SYNC_SCHEDULE: "  ", SMTP_URL_FILE: "", SYNC_FOO: "" });

  assert.equal(config.watches[0]?.schedule, "*/15 * * * *");
});

test("the configuration is frozen to its depths", () => {
  const config = load(COMPLETE);

  assert.throws(() => Object.assign(config.watches[0]?.thresholds[0] ?? {}, { name: "1h" }), TypeError);
  assert.throws(() => Object.assign(config.http, { port: 1 }), TypeError);
});

test("every secret is listed, with passwords in each form that a server may echo", () => {
  const config = load({
    ...COMPLETE,
    DATABASE_URL: "postgres://app:db-secret@db/invitewatch?sslmode=disable",
    DATABASE_DIRECT_URL: "postgres://owner:direct-secret@db/invitewatch?sslmode=disable",
    HTTP_TOKEN: "http-secret-0123",
    HEARTBEAT_URL: "https://hc-ping.com/3f9b",
    FALLBACK_SMTP_URL: "smtps://bot:fallback-secret@mail.example.net",
    FALLBACK_WEBHOOK_URL: "https://hooks.example.com/services/T0/s3cret",
    FALLBACK_WEBHOOK_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  });

  const login = Buffer.from("\0bot\0p@ss-word").toString("base64");
  const expected = [
    "token-0123",
    "p%40ss-word",
    "p@ss-word",
    login,
    "db-secret",
    "direct-secret",
    "http-secret-0123",
    "https://hc-ping.com/3f9b",
    "fallback-secret",
    "https://hooks.example.com/services/T0/s3cret",
    "/services/T0/s3cret",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  ];
  assert.deepEqual(
    expected.filter((secret) => !config.secrets.includes(secret)),
    [],
  );
  assert.ok(!config.secrets.includes("bot"));
});

/** What a setting cannot be without. */
const PARTNERS: Readonly<Record<string, Env>> = {
  CLOUDFLARE_API_KEY: { CLOUDFLARE_EMAIL: "ops@example.com" },
  DATABASE_DIRECT_URL: { DATABASE_URL: "postgres://db/invitewatch?sslmode=disable" },
  FALLBACK_WEBHOOK_URL: { FALLBACK_WEBHOOK_SECRET: "plain-text-of-24-or-more" },
};

for (const variable of settingNames.map((name) => settings[name] as Setting).filter(({ secret }) => secret)) {
  test(`${variable.variable} may come from a file, trimmed`, () => {
    const pair = PARTNERS[variable.variable] ?? {};
    const fromVariable = load({ ...pair, [variable.variable]: variable.example });

    const fromFile = load({ ...pair, [`${variable.variable}_FILE`]: "/s" }, { "/s": `\uFEFF ${variable.example}\r\n` });

    assert.deepEqual(fromFile, fromVariable);
  });
}

test("a secret's file is read from the disk", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "token"), "from-disk\n");

  const config = loadConfig({ CLOUDFLARE_API_TOKEN_FILE: join(folder, "token") });

  assert.deepEqual(config.watches[0]?.credential, { kind: "token", token: "from-disk" });
});

test("the time zone is TIMEZONE, else TZ, else UTC", () => {
  const zones = [{ TIMEZONE: "asia/tokyo", TZ: "Europe/Berlin" }, { TZ: ":Europe/Berlin" }, {}].map(
    (env) => load(env).timezone,
  );

  assert.deepEqual(zones, ["Asia/Tokyo", "Europe/Berlin", "UTC"]);
});

test("recipients are told once, however the domain is written", () => {
  const config = load({
    ...COMPLETE,
    MAIL_TO: "ops@example.com, Lead <lead@example.com>,ops@EXAMPLE.com,Ops@example.com",
  });

  assert.deepEqual(config.watches[0]?.to, ["ops@example.com", "lead@example.com", "Ops@example.com"]);
});

test("the default jitter gives way to a tight schedule, and one of zero is taken", () => {
  const tight = load({ SYNC_SCHEDULE: "*/10 * * * * *" });
  const none = load({ SYNC_JITTER: "0s" });

  assert.deepEqual([tight.jitterMs, none.jitterMs], [5_000, 0]);
});

test("a digest that is off has no schedule", () => {
  const config = load({ DIGEST_SCHEDULE: "OFF" });

  assert.equal(config.digest, null);
});

test("logs are pretty on a terminal unless a format is set", () => {
  const onTerminal = loadConfig({}, { terminal: true });
  const asked = loadConfig({ LOG_FORMAT: "json", LOG_LEVEL: "DEBUG" }, { terminal: true });

  assert.deepEqual(
    [onTerminal.log, asked.log],
    [
      { level: "info", format: "pretty" },
      { level: "debug", format: "json" },
    ],
  );
});

test("the host of a mail server is looked up in ASCII", () => {
  const { mail, fallback } = load({
    SMTP_URL: "smtp://us%40er:p%2Fw@Müller.example:2525?allowInsecureAuth=true",
    MAIL_FROM: "a@b.example",
    FALLBACK_SMTP_URL: "smtps://m%C3%BCller.example",
  });

  assert.equal(mail?.smtpUrl, "smtp://us%40er:p%2Fw@xn--mller-kva.example:2525?allowInsecureAuth=true");
  assert.equal(fallback.smtpUrl, "smtps://xn--mller-kva.example");
});

test("slashes at the end of a base URL are dropped", () => {
  const config = load({
    CLOUDFLARE_BASE_URL: "http://127.0.0.1:8787/client/v4/",
    PUBLIC_URL: "https://iw.example.com/",
  });

  assert.deepEqual(
    [config.cloudflareBaseUrl, config.publicUrl],
    ["http://127.0.0.1:8787/client/v4", "https://iw.example.com"],
  );
});

test("every default and every example is accepted", () => {
  const env = Object.fromEntries(settingNames.map((name) => [settings[name].variable, settings[name].example]));
  const { CLOUDFLARE_EMAIL, CLOUDFLARE_API_KEY, INVITEWATCH_CONFIG = "", MAIL_FROM, ...withToken } = env;

  const config = load({ ...withToken, INVITEWATCH_CONFIG }, { [INVITEWATCH_CONFIG]: `mail: { from: ${MAIL_FROM} }` });
  const withPair = load({ CLOUDFLARE_EMAIL, CLOUDFLARE_API_KEY });

  assert.deepEqual(config.missing, []);
  assert.equal(withPair.watches.length, 1);
});

test("every problem is reported at once, one a line", () => {
  const error = errorOf({ SYNC_JITTER: "soon", HTTP_PORT: "http", TIMEZONE: "Berlin", CLOUDFLARE_API_KEY: "k" });

  const keys = error.problems.map(({ key }) => key).sort();
  assert.deepEqual(keys, ["CLOUDFLARE_EMAIL", "HTTP_PORT", "SYNC_JITTER", "TIMEZONE"]);
  assert.equal(error.message.split("\n").length, 5);
  assert.match(error.message, /^ {2}SYNC_JITTER: found "soon"\. .*Accepted: .*Example: 10s$/m);
});

test("several faults of one value are one problem", () => {
  const error = errorOf({ MAIL_TO: "a;b@c, d" });

  assert.equal(error.problems.length, 1);
  assert.match(error.message, /"a;b@c" is not an e-mail address; commas separate several\. "d" is not/);
});

test("a server that others can reach needs a token, one that is turned off or loopback does not", () => {
  const missing = (env: Record<string, string>) => load({ ...COMPLETE, ...env }).missing;

  for (const host of ["0.0.0.0", "::", "192.0.2.1", "invitewatch.example.com"]) {
    assert.match(missing({ HTTP_HOST: host }).join(), /^Others can reach .*set HTTP_TOKEN \(16 characters/);
    assert.deepEqual(missing({ HTTP_HOST: host, HTTP_TOKEN: "sixteen-letters!" }), []);
    assert.deepEqual(missing({ HTTP_HOST: host, HTTP_PORT: "0" }), []);
  }
  for (const host of ["127.0.0.1", "localhost", "::1"]) assert.deepEqual(missing({ HTTP_HOST: host }), []);
});
