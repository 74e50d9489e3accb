/** What `check` looks at beyond the configuration, and what it finds. */
import { createCloudflareSource } from "../adapters/cloudflare/source.ts";
import { folderToMake } from "../adapters/postgres/embedded.ts";
import { lookAtConnection } from "../adapters/postgres/encryption.ts";
import { powerOverHistory } from "../adapters/postgres/grants.ts";
import { obstacleToMigration, pendingMigrations } from "../adapters/postgres/migrate.ts";
import { readMigrations } from "../adapters/postgres/migrations.ts";
import { type Database, openDatabase } from "../adapters/postgres/open.ts";
import { readClockSkew } from "../adapters/postgres/read-clock.ts";
import { createMailTransport } from "../adapters/smtp/transport.ts";
import { skewText } from "../app/clocks.ts";
import type { Config, WatchConfig } from "../config/config.ts";
import { type ClockSkew, skewed } from "../domain/clock-skew.ts";
import { createRedactor } from "../domain/redact.ts";
import { createOutbound } from "../outbound.ts";
import { systemClock } from "../wire.ts";

/** What was looked at, and what was found. */
export type Finding = { readonly subject: string; readonly ok: boolean; readonly text: string };

/** One after the other, as they come. */
export async function* findingsOf(config: Config): AsyncGenerator<Finding> {
  yield* await checkDatabase(config);
  yield* proxyFindings(config);
  for (const watch of config.watches) yield* await checkWatch(watch, config);
  const { mail, fallback, secrets } = config;
  const from = mail?.from ?? null;
  if (mail !== null) yield { subject: "mail server", ...(await checkMail("SMTP_URL", mail.smtpUrl, from, secrets)) };
  if (fallback.smtpUrl !== null) {
    const check = await checkMail("FALLBACK_SMTP_URL", fallback.smtpUrl, from, secrets);
    yield { subject: "second mail server", ...check };
  }
}

async function checkDatabase({
  databaseUrl,
  databaseDirectUrl: directUrl,
  secrets,
}: Config): Promise<readonly Finding[]> {
  const redact = createRedactor(secrets);
  try {
    const folder = await folderToMake(databaseUrl);
    if (folder !== null) {
      return [{ subject: "database", ok: true, text: `there is none in ${folder} yet; it ${SET_UP_LATER}` }];
    }
    const database = await openDatabase(databaseUrl, "reader", { directUrl });
    try {
      database.requireWritable();
      await database.direct?.();
      const pending = await pendingMigrations(database);
      const isSetUp = pending.length < (await readMigrations()).length;
      return [
        { subject: "database", ok: true, text: await answerOf(database) },
        { subject: "migrations", ...(await migrationsFinding(database, pending, isSetUp)) },
        ...(isSetUp ? await historyFindings(database) : []),
        { subject: "clock", ...clockFinding("database", await readClockSkew(database)) },
      ];
    } finally {
      await database.close();
    }
  } catch (error) {
    return [{ subject: "database", ok: false, text: redact(messageOf(error)) }];
  }
}

const SET_UP_LATER = "will be set up by `run` or `sync`";

async function answerOf({ embedded, connection }: Database): Promise<string> {
  if (embedded) return "the embedded database answers";
  const { at, encryption } = await lookAtConnection(connection);
  return `Postgres answers at ${at}: ${encryption}`;
}

/** What is missing is no fault where the commands that write can apply it by themselves. */
async function migrationsFinding(
  database: Database,
  pending: readonly string[],
  isSetUp: boolean,
): Promise<Omit<Finding, "subject">> {
  if (pending.length === 0) return { ok: true, text: "up to date" };
  const missing = `missing ${pending.join(", ")}`;
  const obstacle = await obstacleToMigration(database);
  if (obstacle !== null) return { ok: false, text: `${isSetUp ? missing : "not set up yet"}. ${obstacle}` };
  if (!isSetUp) return { ok: true, text: `the database is not set up yet; it ${SET_UP_LATER}` };
  return { ok: true, text: `${missing}; \`run\` and \`sync\` apply what is missing` };
}

/** How each host is reached, where the environment names a proxy at all. */
function proxyFindings({ proxy, cloudflareBaseUrl, fallback }: Config): readonly Finding[] {
  if (proxy.https === null && proxy.http === null) return [];
  const addresses = [cloudflareBaseUrl, ...(fallback.webhook === null ? [] : [fallback.webhook.url])];
  return addresses.map((address) => {
    const via = createOutbound(address, proxy).proxy;
    const way = via === null ? "is reached directly (NO_PROXY, or this machine)" : `is reached through ${via}`;
    return { subject: "proxy", ok: true, text: `${new URL(address).host} ${way}` };
  });
}

/** No fault: a database of one user is enough for many. */
async function historyFindings(database: Database): Promise<readonly Finding[]> {
  if (database.embedded) return [];
  const power = await powerOverHistory(database);
  const user = database.server.user;
  const text =
    power === null
      ? `the user ${user} can add to it, and not alter it`
      : `the user ${user} could alter it, since it ${power}; a user of its own for DATABASE_URL could not: docs/database.md`;
  return [{ subject: "history", ok: true, text }];
}

async function checkWatch(watch: WatchConfig, config: Config): Promise<readonly Finding[]> {
  const source = createCloudflareSource({
    baseUrl: config.cloudflareBaseUrl,
    outbound: createOutbound(config.cloudflareBaseUrl, config.proxy),
    credential: watch.credential,
    clock: systemClock,
    redact: createRedactor(config.secrets),
    deadlineMs: config.syncDeadlineMs,
  });
  const signal = AbortSignal.timeout(config.syncDeadlineMs);
  const check = await source.checkCredential(signal);
  const snapshot = await source.fetchSnapshot(signal);
  const count = `${snapshot.invites.length} of ${snapshot.totalCount ?? "an unstated number of"} invitations on ${snapshot.pages} page(s)`;
  return [
    { subject: `credential of ${watch.name}`, ...credentialFinding(check) },
    {
      subject: `list of ${watch.name}`,
      ok: snapshot.kind === "complete",
      text:
        snapshot.kind === "complete" ? `read to the end: ${count}` : `${snapshot.kind}: ${snapshot.shortfall.reason}`,
    },
    { subject: "clock", ...clockFinding("api", source.clockSkewMs()) },
  ];
}

type Check = Awaited<ReturnType<ReturnType<typeof createCloudflareSource>["checkCredential"]>>;

function credentialFinding(check: Check): Omit<Finding, "subject"> {
  switch (check.kind) {
    case "verified": {
      const ok = check.status === "active";
      const until = check.expiresAt === null ? "without an end" : `until ${check.expiresAt.toISOString()}`;
      return {
        ok,
        text: ok ? `the token is active, ${until}` : `the token is ${check.status}; make a new one in the dashboard`,
      };
    }
    case "not_verifiable":
      return { ok: true, text: check.reason };
    case "failed":
      return { ok: false, text: check.shortfall.reason };
  }
}

function clockFinding(against: ClockSkew["against"], ms: number | null): Omit<Finding, "subject"> {
  if (ms === null) return { ok: false, text: "the API did not answer with a date, so the clock cannot be compared" };
  const [wrong] = skewed([{ against, ms }]);
  if (wrong !== undefined) return { ok: false, text: skewText(wrong) };
  const whose = against === "api" ? "the API's" : "the database's";
  return { ok: true, text: `${Math.round(Math.abs(ms) / 1000)} s ${ms < 0 ? "behind" : "ahead of"} ${whose}` };
}

async function checkMail(
  setting: "SMTP_URL" | "FALLBACK_SMTP_URL",
  smtpUrl: string,
  from: string | null,
  secrets: readonly string[],
): Promise<Omit<Finding, "subject">> {
  const options = { setting, ...(from !== null && { from }) };
  const transport = createMailTransport(smtpUrl, createRedactor(secrets), options);
  try {
    await transport.verify();
    return { ok: true, text: `${new URL(smtpUrl).host} takes our connection${loginOf(smtpUrl)}` };
  } catch (error) {
    return { ok: false, text: messageOf(error) };
  } finally {
    await transport.close();
  }
}

function loginOf(smtpUrl: string): string {
  return new URL(smtpUrl).username === "" ? "" : " and the login";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
