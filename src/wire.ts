/** Builds the adapters that the daemon and `sync` work with, and tears them down, last in first out. */
import { randomUUID } from "node:crypto";
import { createCloudflareSource } from "./adapters/cloudflare/source.ts";
import type { Role } from "./adapters/postgres/embedded.ts";
import { migrate } from "./adapters/postgres/migrate.ts";
import { type Database, openDatabase, reach } from "./adapters/postgres/open.ts";
import { createOutboxStore } from "./adapters/postgres/outbox-store.ts";
import { createQueue, type Queue } from "./adapters/postgres/queue.ts";
import { createSyncStore } from "./adapters/postgres/sync-store.ts";
import { createMailTransport } from "./adapters/smtp/transport.ts";
import type { MailSettings } from "./app/deliver.ts";
import type { Clock, InviteSource, MailTransport } from "./app/ports.ts";
import type { OutboxStore, SyncStore } from "./app/store.ts";
import type { SyncPlan } from "./app/sync.ts";
import type { Config, MailConfig, WatchConfig } from "./config/config.ts";
import { createRedactor } from "./domain/redact.ts";
import type { Logger } from "./log.ts";
import { messageIdFor } from "./mail/headers.ts";

export const systemClock: Clock = { now: () => new Date() };

/** A watch, ready to be synced. */
export type WiredWatch = { readonly plan: SyncPlan; readonly source: InviteSource };

export type Runtime = {
  readonly database: Database;
  readonly store: SyncStore;
  readonly outbox: OutboxStore;
  readonly queue: Queue;
  readonly transport: MailTransport;
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
 * @throws DatabaseError
 */
export async function openRuntime(config: Config, role: Role, log: Logger): Promise<Runtime> {
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

    const queue = createQueue(database, (error) => log.warn({ event: "queue.failed", err: error }, "the queue failed"));
    await queue.start();
    opened.push(() => queue.stop(STOP_GRACE_MS));

    const transport = createMailTransport(mailOf(config).smtpUrl, createRedactor(config.secrets));
    opened.push(() => transport.close());
    return {
      database,
      queue,
      transport,
      store: createSyncStore(database.prisma, queue.enqueueDeliveries),
      outbox: createOutboxStore(database.prisma, (tx, id, startAfter) => queue.enqueueDeliveries(tx, [id], startAfter)),
      mail: mailSettings(config),
      watches: wireWatches(config),
      clock: systemClock,
      newId: randomUUID,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** How long the work in hand may take once the program is told to stop. */
const STOP_GRACE_MS = 7_000;

/** How mails of this configuration are made. @param config with `missing` empty */
export function mailSettings(config: Config): MailSettings {
  const timezones = new Map(config.watches.map((watch) => [watch.name, watch.timezone]));
  const { from } = mailOf(config);
  return { from, publicUrl: config.publicUrl, timezoneOf: (watch) => timezones.get(watch) ?? config.timezone };
}

/** Every watch by name, in the order of the configuration. @param config with `missing` empty */
export function wireWatches(config: Config): ReadonlyMap<string, WiredWatch> {
  return new Map(config.watches.map((watch) => [watch.name, wireWatch(watch, config)]));
}

function wireWatch(watch: WatchConfig, config: Config): WiredWatch {
  const { from } = mailOf(config);
  return {
    plan: {
      watch: watch.name,
      recipients: watch.to,
      rules: { thresholds: watch.thresholds, intervalMs: watch.intervalMs },
      deadlineMs: config.syncDeadlineMs,
      messageId: (notificationId, recipient) => messageIdFor(notificationId, recipient, from),
    },
    source: createCloudflareSource({
      baseUrl: config.cloudflareBaseUrl,
      credential: watch.credential,
      clock: systemClock,
      redact: createRedactor(config.secrets),
      deadlineMs: config.syncDeadlineMs,
    }),
  };
}

function mailOf({ mail }: Config): MailConfig {
  if (mail === null) throw new Error("the configuration lacks mail; it should have been refused");
  return mail;
}
