/** Builds the adapters that the daemon and `sync` work with, and tears them down, last in first out. */
import { randomUUID } from "node:crypto";
import { createCloudflareSource } from "./adapters/cloudflare/source.ts";
import { explained, explaining } from "./adapters/postgres/database-error.ts";
import { createDigestStore } from "./adapters/postgres/digest-store.ts";
import type { Role } from "./adapters/postgres/embedded.ts";
import { migrate } from "./adapters/postgres/migrate.ts";
import { type Database, openDatabase } from "./adapters/postgres/open.ts";
import { createOutboxStore } from "./adapters/postgres/outbox-store.ts";
import { createQueue, type Queue } from "./adapters/postgres/queue.ts";
import { createSyncStore } from "./adapters/postgres/sync-store.ts";
import { createMailTransport } from "./adapters/smtp/transport.ts";
import { createWebhook } from "./adapters/webhook/webhook.ts";
import type { MailSettings } from "./app/delivery-ports.ts";
import type { DigestStore } from "./app/digest.ts";
import type { FallbackChannel } from "./app/fallback.ts";
import type { Clock, InviteSource, MailTransport } from "./app/ports.ts";
import type { OutboxStore, SyncStore } from "./app/store.ts";
import type { SyncPlan } from "./app/sync.ts";
import type { Config, MailConfig, WatchConfig } from "./config/config.ts";
import { createRedactor } from "./domain/redact.ts";
import type { Logger } from "./log.ts";
import { messageIdFor } from "./mail/headers.ts";
import { createOutbound, type Outbound } from "./outbound.ts";
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

export type RuntimeOptions = {
  /** For all but the queue, whose jobs come due by the database's. */
  readonly clock?: Clock;
  /** Ends the wait for the database, or for another process that sets it up. */
  readonly stop?: AbortSignal;
};

/**
 * Everything that syncs and delivers, on a database that is migrated.
 *
 * @param config with `missing` empty
 * @throws DatabaseError, permanent where the database cannot be written to
 */
export async function openRuntime(
  config: Config,
  role: Role,
  log: Logger,
  { clock = systemClock, stop }: RuntimeOptions = {},
): Promise<Runtime> {
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const teardown of opened.splice(0).reverse()) await teardown();
  };
  try {
    const { databaseUrl, databaseDirectUrl: directUrl } = config;
    const database = await openDatabase(databaseUrl, role, { directUrl, ...(stop && { stop }) });
    opened.push(() => database.close());
    const applied = await migrate(database, stop);
    if (applied.length > 0) log.info({ event: "database.migrated", migrations: applied }, "the database was migrated");

    const { connection, prisma } = database;
    const alarm = createQueueAlarm(log, clock);
    const queue = explaining(
      createQueue(database, (error) => alarm(explained(error, connection)), systemClock),
      connection,
    );
    const { smtpUrl, from } = mailOf(config);
    const transport = createMailTransport(smtpUrl, createRedactor(config.secrets), { from });
    const fallback = openFallbacks(config, clock);
    await queue.start(stop);
    // Together: what is being sent comes to its end, and is written down, before the queue gives back what is left.
    opened.push(async () => {
      const sent = Promise.all([transport.stop(SEND_GRACE_MS), fallback.stop(SEND_GRACE_MS)]);
      await Promise.all([sent, queue.stop(STOP_GRACE_MS)]);
    });
    return {
      database,
      queue,
      transport,
      fallbacks: fallback.channels,
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

type Fallbacks = {
  /** In the order in which they are tried: mail first. */
  readonly channels: readonly FallbackChannel[];
  /** Ends what is still under way after so long. */
  stop(graceMs: number): Promise<void>;
};

function openFallbacks(config: Config, clock: Clock): Fallbacks {
  const { smtpUrl, webhook } = config.fallback;
  const { from } = mailOf(config);
  const redact = createRedactor(config.secrets);
  const stopping = new AbortController();
  const transport =
    smtpUrl === null ? null : createMailTransport(smtpUrl, redact, { setting: "FALLBACK_SMTP_URL", from });
  const channels: FallbackChannel[] = [];
  if (transport !== null) {
    channels.push({ name: "smtp", send: ({ mime, recipient }) => transport.send(mime, { from, to: recipient }) });
  }
  if (webhook !== null) {
    const outbound = createOutbound(webhook.url, config.proxy);
    const { name, send } = createWebhook(webhook, { redact, clock, outbound });
    channels.push({ name, send: (message, signal) => send(message, AbortSignal.any([signal, stopping.signal])) });
  }
  return {
    channels,
    async stop(graceMs) {
      setTimeout(() => stopping.abort(), graceMs).unref();
      await transport?.stop(graceMs);
    },
  };
}

/** How long the work in hand may take once the program is told to stop: to be sent, and to be written down. */
const SEND_GRACE_MS = 4_000;
const STOP_GRACE_MS = 7_000;

/** How mails of this configuration are made. @param config with `missing` empty */
export function mailSettings(config: Config): MailSettings {
  const watches = new Map(config.watches.map((watch) => [watch.name, watch]));
  const { from } = mailOf(config);
  return {
    from,
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
  // Each reads all of the configuration: made for each watch, they would cost the square of the watches.
  const shared = {
    clock,
    redact: createRedactor(config.secrets),
    messageId: mailSettings(config).messageId,
    outbound: createOutbound(config.cloudflareBaseUrl, config.proxy),
  };
  return new Map(config.watches.map((watch) => [watch.name, wireWatch(watch, config, shared)]));
}

type Shared = Pick<SyncPlan, "messageId"> & {
  readonly clock: Clock;
  readonly redact: (text: string) => string;
  readonly outbound: Outbound;
};

function wireWatch(watch: WatchConfig, config: Config, { clock, redact, messageId, outbound }: Shared): WiredWatch {
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
      outbound,
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
