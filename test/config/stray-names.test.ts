import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";

/** What is told of the variable when it is set beside nothing else. */
function told(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    return loadConfig(env).warnings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, message }) => `${key}: ${message}`);
  }
}

/** Slips, by the name that was meant. */
const SLIPS: Readonly<Record<string, readonly string[]>> = {
  CLOUDFLARE_API_TOKEN: [
    "CLOUDFLARE_API_TOKN",
    "CLOUDFARE_API_TOKEN",
    "CLOUDFLARE_API_TOEKN",
    "CLOUDFLARE_APITOKEN",
    "CLOUDFLARE_API_TOKENS",
    "CLOUDFLARE_AIP_TOKEN",
    "INVITEWATCH_CLOUDFLARE_API_TOKEN",
  ],
  CLOUDFLARE_API_TOKEN_FILE: ["CLOUDFLARE_API_TOKEN_FIEL", "CLOUDFLARE_API_TOKENFILE", "CLOUDFARE_API_TOKEN_FILE"],
  CLOUDFLARE_EMAIL: ["CLOUDFLARE_EMAL", "CLOUDFLARE_MAIL"],
  CLOUDFLARE_BASE_URL: ["CLOUDFLARE_BASEURL", "CLOUDFLARE_BASE_URI"],
  DATABASE_URL: ["DATABASE_URI", "DATABSE_URL", "DATABASE_ULR", "DATABASEURL", "DATABASE__URL", "DATABASE_URLS"],
  SMTP_URL: ["SMPT_URL", "SMTP_ULR", "SMTP_UR", "STMP_URL", "SMTPURL", "SMTPS_URL", "SMTP_URI", "smtp_url"],
  SMTP_URL_FILE: ["SMTP_URL_FLIE", "SMPT_URL_FILE"],
  MAIL_FROM: ["MAIL_FORM", "MAIL_FRM", "MIAL_FROM"],
  MAIL_TO: ["MAI_TO", "MAILS_TO", "mail_to", "INVITEWATCH_MAIL_TO"],
  FALLBACK_SMTP_URL: ["FALLBACK_SMPT_URL", "FALLBAKC_SMTP_URL", "FALL_BACK_SMTP_URL"],
  FALLBACK_WEBHOOK_URL: ["FALBACK_WEBHOK_URL", "FALLBACK_WEB_HOOK_URL"],
  FALLBACK_WEBHOOK_SECRET: ["FALLBACK_WEBHOOK_SECERT"],
  SYNC_SCHEDULE: ["SYNC_SHEDULE", "SYNC_SCHEDUEL", "SYNCH_SCHEDULE"],
  SYNC_JITTER: ["SYNC_JITER"],
  SYNC_DEADLINE: ["SYNC_DEADLIEN", "SYNC_DEAD_LINE"],
  TIMEZONE: ["TIME_ZONE", "TIMZONE", "TIMEZOEN"],
  EXPIRY_THRESHOLDS: ["EXPIRY_TRESHOLDS", "EXPIRY_THRESHOLD", "EXPIRE_THRESHOLDS", "EXPRIY_THRESHOLDS"],
  FLOOD_CAP: ["FLOD_CAP", "FLOOD_CAPS"],
  HTTP_TOKEN: ["HTTP_TOKNE", "HTTPTOKEN"],
  PUBLIC_URL: ["PUBLIC_ULR", "PUBLICURL"],
  DIGEST_SCHEDULE: ["DIGEST_SHEDULE", "DIGEST_SCHEDLE"],
  HEARTBEAT_URL: ["HEARTBEAT_ULR", "HEART_BEAT_URL", "HEARBEAT_URL"],
  LOG_LEVEL: ["LOG_LEVL", "LOG_LEVELS", "LOG_LEVLE"],
  LOG_FORMAT: ["LOG_FROMAT", "LOGFORMAT"],
  INVITEWATCH_CONFIG: ["INVITEWATCH_CONFG", "INVITE_WATCH_CONFIG", "INVITWATCH_CONFIG"],
};

for (const [meant, names] of Object.entries(SLIPS)) {
  for (const name of names) {
    test(`${name} is refused, and ${meant} named`, () => {
      assert.deepEqual(told({ [name]: "some-value" }), [`${name}: There is no such setting; did you mean ${meant}?`]);
    });
  }
}

/** Other words with a beginning of ours. */
const STRAYS: Readonly<Record<string, readonly string[]>> = {
  SMTP_URL: ["SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_PASS", "SMTP_PASSWORD", "SMTP_SSL", "SMTP_TLS", "SMTP_FROM"],
  MAIL_TO: ["MAIL_HOST", "MAIL_PORT", "MAIL_DRIVER", "MAIL_MAILER", "MAIL_CC", "MAIL_TLS", "MAIL_URL", "MAIL_USERNAME"],
  DATABASE_URL: [
    "DATABASE_NAME",
    "DATABASE_HOST",
    "DATABASE_USER",
    "DATABASE_POOL",
    "DATABASE_SSL",
    "DATABASE_PASSWORD",
  ],
  SYNC_SCHEDULE: ["SYNC_INTERVAL", "SYNC_TOKEN"],
  DIGEST_SCHEDULE: ["DIGEST_SALT", "DIGEST_CRON"],
  EXPIRY_THRESHOLDS: ["EXPIRY_DAYS"],
  HEARTBEAT_URL: ["HEARTBEAT_INTERVAL"],
  FALLBACK_WEBHOOK_URL: ["FALLBACK_WEBHOOK_TOKEN", "FALLBACK_LANGUAGE"],
  CLOUDFLARE_API_TOKEN: ["CLOUDFLARE_API_SECRET"],
  HTTP_HOST: ["HTTP_TIMEOUT", "HTTP_ROOT"],
  LOG_LEVEL: ["LOG_FILE", "LOG_DIR", "LOG_LVL", "LOG_CHANNEL"],
  INVITEWATCH_CONFIG: ["INVITEWATCH_VERSION", "INVITEWATCH_TAG"],
};

for (const [ours, names] of Object.entries(STRAYS)) {
  for (const name of names) {
    test(`${name} is another program's, with a warning that names ${ours}`, () => {
      const [warning, ...others] = told({ [name]: "some-value" });

      assert.deepEqual(others, []);
      assert.match(warning ?? "", new RegExp(`^invitewatch does not read ${name}; .*\\b${ours}\\b`));
      assert.doesNotMatch(warning ?? "", /some-value/);
    });
  }
}

test("names with the same beginning share a warning", () => {
  assert.deepEqual(told({ SMTP_PORT: "25", SMTP_HOST: "mail" }), [
    "invitewatch does not read SMTP_HOST, SMTP_PORT; what begins with SMTP_ here is SMTP_URL.",
  ]);
});

test("the variables of other programs are nobody's mistake", () => {
  const names = `
    PATH HOME USER SHELL PWD LANG LC_ALL TERM EDITOR MAIL MAILCHECK MAILTO MAILFROM HOSTNAME DISPLAY TMPDIR
    XDG_RUNTIME_DIR SSH_AUTH_SOCK DBUS_SESSION_BUS_ADDRESS NO_COLOR CI DEBUG
    HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy HTTPS_PORT
    NODE_ENV NODE_OPTIONS NODE_EXTRA_CA_CERTS NODE_VERSION YARN_VERSION npm_config_cache npm_package_name
    PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGSSLMODE PGDATA POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB
    MYSQL_HOST REDIS_URL MONGODB_URI AMQP_URL SENTRY_DSN PORT HOST URL DB_HOST DB_URL BASE_URL APP_URL SECRET_KEY
    LOGLEVEL LOGNAME LOGGER PUBLIC_KEY PUBLIC_DIR PUBLIC_API PUBLIC_PATH
    CLOUDFLARE_ACCOUNT_ID CLOUDFLARE_ZONE_ID CLOUDFLARE_TUNNEL_TOKEN CLOUDFLARE_API_USER_SERVICE_KEY
    CF_API_TOKEN CF_ACCOUNT_ID WRANGLER_LOG AWS_ACCESS_KEY_ID KUBECONFIG KUBERNETES_SERVICE_HOST KUBERNETES_PORT
    EMAIL EMAIL_HOST SENDGRID_API_KEY TOKEN TZDIR SYSTEMD_EXEC_PID JOURNAL_STREAM NOTIFY_SOCKET INVOCATION_ID
    MAIL_SERVICE_HOST MAIL_SERVICE_PORT_SMTP MAIL_PORT_25_TCP_ADDR
  `;
  const others = Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, "x"]),
  );

  assert.deepEqual(told({ ...others, MAIL_PORT: "tcp://10.0.0.1:25", INVITEWATCH_PORT: "tcp://10.0.0.2:8080" }), []);
});

test("a slip is refused also where the right name is set beside it", () => {
  for (const [set, slip] of [
    ["SMTP_URL", "SMTP_ULR"],
    ["MAIL_FROM", "MAIL_FORM"],
    ["DATABASE_URL", "DATABASE_ULR"],
  ] as const) {
    assert.ok(told({ [set]: "x", [slip]: "x" }).includes(`${slip}: There is no such setting; did you mean ${set}?`));
  }
});

test("a URI is another program's where our URL is set", () => {
  assert.deepEqual(told({ PUBLIC_URL: "https://example.com", PUBLIC_URI: "/x" }), []);
  assert.match(
    told({ DATABASE_URL: "pglite:./data", DATABASE_URI: "mongodb://other" }).join(),
    /does not read DATABASE_URI/,
  );
});

test("parameters of DATABASE_URL that have no effect are told", () => {
  const [warning] = told({ DATABASE_URL: "postgres://u:p@localhost/d?connection_limit=1&pool_timeout=9" });

  assert.equal(warning, "In DATABASE_URL, connection_limit and pool_timeout have no effect here.");
});
