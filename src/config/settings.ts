/**
 * Every setting, declared once: the source of validation, of `X_FILE`, of "did you mean" and of the reference page.
 *
 * The keys are the settings' own names, whatever source a value comes from; `variable` is where the environment has it.
 */
import {
  accessTokenField,
  addressField,
  addressListField,
  durationField,
  type FieldSchema,
  field,
  hostField,
  integerField,
  mailboxField,
  optionalScheduleField,
  scheduleField,
  secretField,
  signingSecretField,
  textField,
  thresholdsField,
  timezoneField,
  wordField,
} from "./fields.ts";
import {
  readApiBaseUrl,
  readBaseUrl,
  readDatabaseUrl,
  readPostgresUrl,
  readProxyUrl,
  readSmtpUrl,
  readWebhookUrl,
  readWebUrl,
} from "./urls.ts";

export type Setting<T = unknown, D extends string | null = string | null> = {
  readonly group: string;
  readonly variable: string;
  /** A variable that is looked at where this one is not set. */
  readonly fallback?: string;
  /** What is read where nothing is set; null to leave the setting out. */
  readonly default: D;
  /** What the reference says of the default where the bare value does not say it all. */
  readonly defaultNote?: string;
  /** Where the configuration file has it, if it may. */
  readonly fileKey?: string;
  /** Never shown, masked in logs, and may come from a file. */
  readonly secret: boolean;
  readonly schema: FieldSchema<T>;
  /** Completes "Accepted: …". */
  readonly accepts: string;
  readonly example: string;
  readonly description: string;
};

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
const LOG_FORMATS = ["json", "pretty"] as const;

const CRON = "five cron fields (minute, hour, day of month, month, day of week), or six with seconds first";
const CRON_DAYS = " Where both day of month and day of week are given, either is enough, as in every cron.";

const FALLBACK =
  "The second way out, for what cannot wait: a watch that is blind, a mail that was given up, the last chance to accept. " +
  "Used when mail has been down for 30 minutes, or sooner where the time is nearly over.";

/** Ends the description of a setting that is read and checked, and that nothing obeys yet. */
const LATER = " Checked already; takes effect with a later version.";

export const settings = {
  configFile: setting({
    group: "Configuration file",
    variable: "INVITEWATCH_CONFIG",
    default: null,
    secret: false,
    schema: textField,
    accepts: "the path of a YAML file",
    example: "/etc/invitewatch/config.yaml",
    description: "The file for several watches and for routes; see the [keys of the file](#keys-of-the-file).",
  }),
  apiToken: setting({
    group: "Cloudflare",
    variable: "CLOUDFLARE_API_TOKEN",
    default: null,
    secret: true,
    schema: secretField,
    accepts: "an API token of the user whose invitations are watched",
    example: "your-token",
    description: "The credential. In its place: `CLOUDFLARE_EMAIL` with `CLOUDFLARE_API_KEY`; both kinds are an error.",
  }),
  email: setting({
    group: "Cloudflare",
    variable: "CLOUDFLARE_EMAIL",
    default: null,
    secret: false,
    schema: addressField,
    accepts: "the e-mail address of the Cloudflare user",
    example: "ops@example.com",
    description: "Half of the older credential, with `CLOUDFLARE_API_KEY`.",
  }),
  apiKey: setting({
    group: "Cloudflare",
    variable: "CLOUDFLARE_API_KEY",
    default: null,
    secret: true,
    schema: secretField,
    accepts: "the user's global API key",
    example: "your-global-key",
    description: "Half of the older credential, with `CLOUDFLARE_EMAIL`. A token can do less and is the better choice.",
  }),
  baseUrl: setting({
    group: "Cloudflare",
    variable: "CLOUDFLARE_BASE_URL",
    default: "https://api.cloudflare.com/client/v4",
    secret: false,
    schema: field(readApiBaseUrl),
    accepts: "an https URL; plain http to this machine alone",
    example: "http://localhost:8787/client/v4",
    description: "Where the API is. The credential is sent there.",
  }),
  databaseUrl: setting({
    group: "Database",
    variable: "DATABASE_URL",
    default: "pglite:./data",
    secret: true,
    schema: field(readDatabaseUrl),
    accepts: "postgres://USER:PASSWORD@HOST/DATABASE?sslmode=MODE, or pglite:DIR for the embedded database",
    example: "postgres://invitewatch:secret@db.example.com/invitewatch?sslmode=verify-full",
    description:
      "Where the history is kept: Postgres 15 or newer in production; the embedded one needs only a folder. Beyond this " +
      "machine it has to name an `sslmode`; see [the database](database.md).",
  }),
  databaseDirectUrl: setting({
    group: "Database",
    variable: "DATABASE_DIRECT_URL",
    default: null,
    secret: true,
    schema: field(readPostgresUrl),
    accepts: "postgres://USER:PASSWORD@HOST/DATABASE?sslmode=…",
    example: "postgres://owner:secret@db/invitewatch?sslmode=verify-full",
    description:
      "The connection over which the tables are created and upgraded: past a connection pooler, or as the owner of the " +
      "tables where the user of `DATABASE_URL` may only use them. Without it, `DATABASE_URL` serves for that too.",
  }),
  smtpUrl: setting({
    group: "Mail",
    variable: "SMTP_URL",
    default: null,
    secret: true,
    schema: field(readSmtpUrl),
    accepts:
      "smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST:465, login and port optional, with the parameters " +
      "tls, name and allowInsecureAuth",
    example: "smtp://user:password@mail.example.com:587",
    description:
      "The mail server. A login is sent over an encrypted connection only, unless the server is on this machine or the " +
      "URL ends in `?allowInsecureAuth=true`. TLS, certificates, the name in EHLO and logins: [mail-server.md](mail-server.md).",
  }),
  mailFrom: setting({
    group: "Mail",
    variable: "MAIL_FROM",
    fileKey: "mail.from",
    default: null,
    secret: false,
    schema: mailboxField,
    accepts: "one address, with or without a name",
    example: "Invitewatch <invites@example.com>",
    description: "The sender of every mail.",
  }),
  mailTo: setting({
    group: "Mail",
    variable: "MAIL_TO",
    fileKey: "mail.to",
    default: null,
    secret: false,
    schema: addressListField,
    accepts: "one address, or several separated by commas",
    example: "ops@example.com, lead@example.com",
    description: "Who is told where a watch names nobody. Everybody gets a mail of their own.",
  }),
  fallbackSmtpUrl: setting({
    group: "Mail",
    variable: "FALLBACK_SMTP_URL",
    default: null,
    secret: true,
    schema: field(readSmtpUrl),
    accepts: "what `SMTP_URL` takes",
    example: "smtps://user:password@mail.example.net:465",
    description: `${FALLBACK} A mail server that does not fail together with the first.`,
  }),
  fallbackWebhookUrl: setting({
    group: "Mail",
    variable: "FALLBACK_WEBHOOK_URL",
    default: null,
    secret: true,
    schema: field(readWebhookUrl),
    accepts: "an https URL; plain http to this machine alone",
    example: "https://hooks.example.com/invitewatch",
    description:
      `${FALLBACK} Alerts are posted there as JSON, signed with \`FALLBACK_WEBHOOK_SECRET\` as ` +
      "[Standard Webhooks](https://www.standardwebhooks.com) has it.",
  }),
  fallbackWebhookSecret: setting({
    group: "Mail",
    variable: "FALLBACK_WEBHOOK_SECRET",
    default: null,
    secret: true,
    schema: signingSecretField,
    accepts: "whsec_ followed by 24 bytes or more in base64; or any other text of 24 characters or more",
    example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    description:
      "What the receiver of `FALLBACK_WEBHOOK_URL` verifies the signature with; needed where that is set. A text without " +
      "`whsec_` is itself the key.",
  }),
  schedule: setting({
    group: "Sync",
    variable: "SYNC_SCHEDULE",
    fileKey: "schedule",
    default: "*/15 * * * *",
    secret: false,
    schema: scheduleField,
    accepts: CRON,
    example: "*/5 * * * *",
    description: `When the invitations are polled, in the time zone of \`TIMEZONE\`.${CRON_DAYS}`,
  }),
  jitter: setting({
    group: "Sync",
    variable: "SYNC_JITTER",
    default: "30s",
    defaultNote: "`30s`; half the shortest interval of `SYNC_SCHEDULE` where that is less",
    secret: false,
    schema: durationField(0, 86_400_000),
    accepts: "a duration from 0s to 1d",
    example: "10s",
    description:
      "Each scheduled poll waits a random time of up to this long, so that many installations do not ask at once. " +
      "Shorter than the shortest interval of `SYNC_SCHEDULE`.",
  }),
  syncDeadline: setting({
    group: "Sync",
    variable: "SYNC_DEADLINE",
    default: "120s",
    secret: false,
    // The queue takes a sync that lasts a quarter of an hour for lost.
    schema: durationField(1, 600_000),
    accepts: "a duration longer than 0s, of up to 10m",
    example: "60s",
    description: "Everything of one poll ends within this, retries included.",
  }),
  timezone: setting({
    group: "Sync",
    variable: "TIMEZONE",
    fileKey: "timezone",
    fallback: "TZ",
    default: "UTC",
    defaultNote: "`TZ`, else `UTC`",
    secret: false,
    schema: timezoneField,
    accepts: "an IANA time zone",
    example: "Europe/Berlin",
    description: "The time zone of the schedules, and of times in mails and on the screen.",
  }),
  thresholds: setting({
    group: "Sync",
    variable: "EXPIRY_THRESHOLDS",
    fileKey: "thresholds",
    default: "72h,24h,6h,25%",
    secret: false,
    schema: thresholdsField,
    accepts: "durations and percentages from 1% to 99%, separated by commas",
    example: "3d,12h,10%",
    description:
      "How long before an invitation ends a reminder is sent; a percentage is of its own lifetime. The last chance is " +
      "told anyway: two polls before the end, and an hour at the least. One that is shorter than the time between two " +
      "polls is refused: it would pass unseen.",
  }),
  floodCap: setting({
    group: "Mail",
    variable: "FLOOD_CAP",
    fileKey: "floodCap",
    default: "20",
    secret: false,
    schema: integerField(1, 10_000),
    accepts: "a whole number from 1 to 10000",
    example: "50",
    description: "Mails per recipient and hour; the rest is told in one summary.",
  }),
  httpHost: setting({
    group: "HTTP",
    variable: "HTTP_HOST",
    default: "127.0.0.1",
    secret: false,
    schema: hostField,
    accepts: "an IP address or a host name",
    example: "0.0.0.0",
    description: "The address that the HTTP server listens on; it answers `/healthz` and `/readyz`.",
  }),
  httpPort: setting({
    group: "HTTP",
    variable: "HTTP_PORT",
    default: "8080",
    secret: false,
    schema: integerField(0, 65_535),
    accepts: "a port; 0 turns the server off",
    example: "9090",
    description: "The port that the HTTP server listens on; `0` turns it off.",
  }),
  httpToken: setting({
    group: "HTTP",
    variable: "HTTP_TOKEN",
    default: null,
    secret: true,
    schema: accessTokenField,
    accepts: "16 characters or more, printable ASCII without spaces",
    example: "a-long-random-text",
    description:
      "The bearer token for the data routes. Where `HTTP_HOST` is not this machine alone, `run` does not start without it." +
      LATER,
  }),
  httpsProxy: setting({
    group: "Proxy",
    variable: "HTTPS_PROXY",
    fallback: "https_proxy",
    default: null,
    secret: true,
    schema: field(readProxyUrl),
    accepts: "the http:// or https:// URL of a proxy, login and port optional",
    example: "http://user:password@proxy.example.com:3128",
    description:
      "The proxy through which https addresses are reached: the Cloudflare API, `FALLBACK_WEBHOOK_URL` and " +
      "`HEARTBEAT_URL`; never this machine. `https_proxy` is read too. Mail and the database do not go through it.",
  }),
  httpProxy: setting({
    group: "Proxy",
    variable: "HTTP_PROXY",
    fallback: "http_proxy",
    default: null,
    secret: true,
    schema: field(readProxyUrl),
    accepts: "what `HTTPS_PROXY` takes",
    example: "http://proxy.example.com:3128",
    description: "The same for http addresses. `http_proxy` is read too.",
  }),
  noProxy: setting({
    group: "Proxy",
    variable: "NO_PROXY",
    fallback: "no_proxy",
    default: null,
    secret: false,
    schema: textField,
    accepts: "hosts separated by commas",
    example: "example.com,10.0.0.0/8,hooks.internal:8443",
    description:
      "What is reached without a proxy: names, which include all names below them; addresses and networks; each with a " +
      "port or without; `*` for everything. `no_proxy` is read too.",
  }),
  publicUrl: setting({
    group: "HTTP",
    variable: "PUBLIC_URL",
    default: null,
    secret: false,
    schema: field(readBaseUrl),
    accepts: "an http or https URL",
    example: "https://invitewatch.example.com",
    description: `Where people reach the pages of this installation, for links in mails.${LATER}`,
  }),
  digestSchedule: setting({
    group: "Mail",
    variable: "DIGEST_SCHEDULE",
    default: "0 9 * * 1",
    secret: false,
    schema: optionalScheduleField,
    accepts: `${CRON}; or off`,
    example: "0 8 * * 1-5",
    description: `When the digest is mailed, also when all is quiet; \`off\` turns it off.${CRON_DAYS}`,
  }),
  heartbeatUrl: setting({
    group: "HTTP",
    variable: "HEARTBEAT_URL",
    default: null,
    secret: true,
    schema: field(readWebUrl),
    accepts: "an http or https URL",
    example: "https://hc-ping.com/your-uuid",
    description:
      "Pinged after a round in which every watch was complete and no mail is overdue, with `/start` and `/fail` as " +
      "healthchecks.io has them." +
      LATER,
  }),
  logLevel: setting({
    group: "Logging",
    variable: "LOG_LEVEL",
    default: "info",
    secret: false,
    schema: wordField(LOG_LEVELS),
    accepts: LOG_LEVELS.join(", "),
    example: "debug",
    description: "The least important lines that are logged. Stack traces are shown at `debug` only.",
  }),
  logFormat: setting({
    group: "Logging",
    variable: "LOG_FORMAT",
    default: null,
    defaultNote: "`json`; `pretty` on a terminal",
    secret: false,
    schema: wordField(LOG_FORMATS),
    accepts: LOG_FORMATS.join(", "),
    example: "pretty",
    description: "JSON, one line an entry, or lines for people. Logs go to stderr.",
  }),
};

export type SettingName = keyof typeof settings;
export const settingNames = Object.keys(settings) as readonly SettingName[];

/** The values of all settings: null where one is not set and has no default. */
export type Values = {
  readonly [N in SettingName]: (typeof settings)[N] extends Setting<infer T, infer D>
    ? D extends string
      ? T
      : T | null
    : never;
};

function setting<T, D extends string | null>(definition: Setting<T, D>): Setting<T, D> {
  return definition;
}
