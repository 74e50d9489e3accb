/** What `check` looks at beyond the configuration, and what it finds. */
import { createCloudflareSource } from "../adapters/cloudflare/source.ts";
import { pendingMigrations } from "../adapters/postgres/migrate.ts";
import { openDatabase, reach } from "../adapters/postgres/open.ts";
import { readClockSkew } from "../adapters/postgres/read-clock.ts";
import { createMailTransport } from "../adapters/smtp/transport.ts";
import { skewText } from "../app/clocks.ts";
import type { Config, WatchConfig } from "../config/config.ts";
import { type ClockSkew, skewed } from "../domain/clock-skew.ts";
import { createRedactor } from "../domain/redact.ts";
import { systemClock } from "../wire.ts";

/** What was looked at, and what was found. */
export type Finding = { readonly subject: string; readonly ok: boolean; readonly text: string };

/** One after the other, as they come. */
export async function* findingsOf(config: Config): AsyncGenerator<Finding> {
  yield* await checkDatabase(config);
  for (const watch of config.watches) yield* await checkWatch(watch, config);
  const { mail, fallback, secrets } = config;
  if (mail !== null) yield { subject: "mail server", ...(await checkMail(mail.smtpUrl, secrets)) };
  if (fallback.smtpUrl !== null) {
    yield { subject: "second mail server", ...(await checkMail(fallback.smtpUrl, secrets)) };
  }
}

async function checkDatabase({ databaseUrl, secrets }: Config): Promise<readonly Finding[]> {
  const redact = createRedactor(secrets);
  try {
    const database = await openDatabase(databaseUrl, "command");
    try {
      await reach(database);
      const pending = await pendingMigrations(database.connection);
      const upToDate = pending.length === 0;
      return [
        {
          subject: "database",
          ok: true,
          text: database.embedded ? "the embedded database answers" : "Postgres answers",
        },
        {
          subject: "migrations",
          ok: upToDate,
          text: upToDate
            ? "up to date"
            : `missing ${pending.join(", ")}; run \`invitewatch migrate\` (\`run\` and \`sync\` do it too)`,
        },
        { subject: "clock", ...clockFinding("database", await readClockSkew(database)) },
      ];
    } finally {
      await database.close();
    }
  } catch (error) {
    return [{ subject: "database", ok: false, text: redact(messageOf(error)) }];
  }
}

async function checkWatch(watch: WatchConfig, config: Config): Promise<readonly Finding[]> {
  const source = createCloudflareSource({
    baseUrl: config.cloudflareBaseUrl,
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

async function checkMail(smtpUrl: string, secrets: readonly string[]): Promise<Omit<Finding, "subject">> {
  const transport = createMailTransport(smtpUrl, createRedactor(secrets));
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
