/** Builds the adapters that the daemon and `sync` work with, and tears them down, last in first out. */
import { randomUUID } from "node:crypto";
import { createCloudflareSource } from "./adapters/cloudflare/source.ts";
import { explained, explaining } from "./adapters/postgres/database-error.ts";
import { createDigestStore } from "./adapters/postgres/digest-store.ts";
import type { Role } from "./adapters/postgres/embedded.ts";
import { migrate } from "./adapters/postgres/migrate.ts";
import { type Database, openDatabase, reach } from "./adapters/postgres/open.ts";
import { createOutboxStore } from "./adapters/postgres/outbox-store.ts";
import { createQueue, type Queue } from "./adapters/postgres/queue.ts";
import { createSyncStore } from "./adapters/postgres/sync-store.ts";
import { createMailTransport } from "./adapters/smtp/transport.ts";
import { createWebhook } from "./adapters/webhook/webhook.ts";
import type { MailSettings } from "./app/deliver.ts";
import type { DigestStore } from "./app/digest.ts";
import type { FallbackChannel } from "./app/fallback.ts";
import type { Clock, InviteSource, MailTransport } from "./app/ports.ts";
import type { OutboxStore, SyncStore } from "./app/store.ts";
import type { SyncPlan } from "./app/sync.ts";
import type { Config, MailConfig, WatchConfig } from "./config/config.ts";
import { createRedactor } from "./domain/redact.ts";
import type { Logger } from "./log.ts";
import { messageIdFor } from "./mail/headers.ts";
import { createQueueAlarm } from "./queue-alarm.ts";

export const systemClock: Clock = { now: () => new Date() };

/** A watch, ready to be synced. */
export type WiredWatch = { readonly plan: SyncPlan; readonly source: InviteSource };

export type Runtime = {
  readonly database: Database;
  readonly store: SyncStore;
  readonly outbox: OutboxStore;
  readonly digests: DigestStore;
  /** The watches of which each recipient gets a digest. */
  readonly digestWatches: ReadonlyMap<string, readonly string[]>;
  readonly queue: Queue;
  readonly transport: MailTransport;
  /** Further ways out, in the order in which they are tried. */
  readonly fallbacks: readonly FallbackChannel[];
  readonly mail: MailSettings;
  /** By name. */
  readonly watches: ReadonlyMap<string, WiredWatch>;
  readonly clock: Clock;
  readonly newId: () => string;
  close(): Promise<void>;
};

/**
 * Everything that syncs and delivers, on a database that is migrated.
 *
 * @param config with `missing` empty
 * @param clock for all but the queue, whose jobs come due by the database's
 * @throws DatabaseError
 */
export async function openRuntime(
  config: Config,
  role: Role,
  log: Logger,
  clock: Clock = systemClock,
): Promise<Runtime> {
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const teardown of opened.splice(0).reverse()) await teardown();
  };
  try {
    const database = await openDatabase(config.databaseUrl, role);
    opened.push(() => database.close());
    await reach(database);
    const applied = await migrate(database.connection);
    if (applied.length > 0) log.info({ event: "database.migrated", migrations: applied }, "the database was migrated");

    const { connection, prisma } = database;
    const alarm = createQueueAlarm(log, clock);
    const queue = explaining(
      createQueue(database, (error) => alarm(explained(error, connection))),
      connection,
    );
    await queue.start();
    opened.push(() => queue.stop(STOP_GRACE_MS));

    const transport = createMailTransport(mailOf(config).smtpUrl, createRedactor(config.secrets));
    opened.push(() => transport.close());
    const fallbacks = openFallbacks(config, opened, clock);
    return {
      database,
      queue,
      transport,
      fallbacks,
      store: explaining(createSyncStore(prisma, queue.enqueueDeliveries), connection),
      outbox: explaining(createOutboxStore(database, queue.enqueueDeliveries), connection),
      digests: explaining(createDigestStore(database, queue.enqueueDeliveries), connection),
      digestWatches: digestWatches(config),
      mail: mailSettings(config),
      watches: wireWatches(config, clock),
      clock,
      newId: randomUUID,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The second ways out, in the order in which they are tried: mail first. */
function openFallbacks(config: Config, opened: (() => Promise<void>)[], clock: Clock): readonly FallbackChannel[] {
  const { smtpUrl, webhook } = config.fallback;
  const { from } = mailOf(config);
  const redact = createRedactor(config.secrets);
  const channels: FallbackChannel[] = [];
  if (smtpUrl !== null) {
    const transport = createMailTransport(smtpUrl, redact, { setting: "FALLBACK_SMTP_URL" });
    opened.push(() => transport.close());
    channels.push({ name: "smtp", send: ({ mime, recipient }) => transport.send(mime, { from, to: recipient }) });
  }
  if (webhook !== null) channels.push(createWebhook(webhook, { redact, clock }));
  return channels;
}

/** How long the work in hand may take once the program is told to stop. */
const STOP_GRACE_MS = 7_000;

/** How mails of this configuration are made. @param config with `missing` empty */
export function mailSettings(config: Config): MailSettings {
  const watches = new Map(config.watches.map((watch) => [watch.name, watch]));
  const { from } = mailOf(config);
  return {
    from,
    publicUrl: config.publicUrl,
    timezoneOf: (watch) => watches.get(watch ?? "")?.timezone ?? config.timezone,
    quietHoursOf: (watch) => watches.get(watch)?.quietHours ?? null,
    floodCap: config.floodCap,
    messageId: (notificationId, recipient) => messageIdFor(notificationId, recipient, from),
  };
}

/** A watch is told of to its own recipients: people of routes get no digest. */
function digestWatches({ watches }: Config): ReadonlyMap<string, readonly string[]> {
  const recipients = new Set(watches.flatMap(({ to }) => to));
  const names = (recipient: string) => watches.filter(({ to }) => to.includes(recipient)).map(({ name }) => name);
  return new Map([...recipients].map((recipient) => [recipient, names(recipient)]));
}

/** Every watch by name, in the order of the configuration. @param config with `missing` empty */
export function wireWatches(config: Config, clock: Clock = systemClock): ReadonlyMap<string, WiredWatch> {
  // Both read all of the configuration: made for each watch, they would cost the square of the watches.
  const shared = { clock, redact: createRedactor(config.secrets), messageId: mailSettings(config).messageId };
  return new Map(config.watches.map((watch) => [watch.name, wireWatch(watch, config, shared)]));
}

type Shared = Pick<SyncPlan, "messageId"> & { readonly clock: Clock; readonly redact: (text: string) => string };

function wireWatch(watch: WatchConfig, config: Config, { clock, redact, messageId }: Shared): WiredWatch {
  return {
    plan: {
      watch: watch.name,
      audience: { recipients: watch.to, routes: config.routes, quietHours: watch.quietHours },
      rules: { thresholds: watch.thresholds, intervalMs: watch.intervalMs },
      deadlineMs: config.syncDeadlineMs,
      messageId,
    },
    source: createCloudflareSource({
      baseUrl: config.cloudflareBaseUrl,
      credential: watch.credential,
      clock,
      redact,
      deadlineMs: config.syncDeadlineMs,
    }),
  };
}

function mailOf({ mail }: Config): MailConfig {
  if (mail === null) throw new Error("the configuration lacks mail; it should have been refused");
  return mail;
}
