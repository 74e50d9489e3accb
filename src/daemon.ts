/** The daemon: opens the runtime, schedules syncs, works until it is told to stop. */
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { createTask, type ScheduledTask } from "node-cron";
import { DatabaseError } from "./adapters/postgres/database-error.ts";
import { createReader } from "./adapters/postgres/read-store.ts";
import {
  digestJobId,
  isDigestOverdue,
  isOverdue,
  overdueDigestJobId,
  overdueJobId,
  slotJobId,
} from "./app/schedule.ts";
import type { LastSyncs } from "./app/store.ts";
import type { Config, WatchConfig } from "./config/config.ts";
import type { Logger } from "./log.ts";
import { healthPages } from "./web/health.ts";
import { createReadiness } from "./web/readiness.ts";
import { serveHttp } from "./web/server.ts";
import { openRuntime, type Runtime, systemClock } from "./wire.ts";
import { createWorkers } from "./workers.ts";

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const OVERDUE_CHECK_MS = 60_000;

/**
 * Runs until `stop` is aborted; resolves when all is closed.
 *
 * A database that is away is waited for, at the start as later.
 *
 * @throws DatabaseError where waiting cannot help
 */
export async function runDaemon(config: Config, log: Logger, stop: AbortSignal): Promise<void> {
  const readiness = createReadiness({ watches: config.watches, clock: systemClock });
  const health = await serveHttp(config.http, healthPages(readiness), log);
  try {
    const runtime = await openPatiently(config, log, stop);
    if (runtime === null) return;
    readiness.attach(createReader(runtime.database));
    await work(config, runtime, log, stop);
  } finally {
    await health.close();
  }
  log.info({ event: "daemon.stopped" }, "the daemon has stopped");
}

/** Works until `stop` is aborted, which may be at any moment of its start, and closes the runtime. */
async function work(config: Config, runtime: Runtime, log: Logger, stop: AbortSignal): Promise<void> {
  const tasks: ScheduledTask[] = [];
  const overdueCheck = setInterval(() => {
    void catchUp(config.watches, false, runtime, log);
    void catchUpDigest(config, runtime, log);
    void catchUpMails(runtime, log);
  }, OVERDUE_CHECK_MS);
  try {
    await runtime.queue.work(createWorkers(runtime, log, stop));
    for (const watch of config.watches) {
      // Signals are heard between turns.
      await turn();
      if (stop.aborted) return;
      const task = await scheduleSyncs(watch, config, runtime, log);
      tasks.push(task);
      log.info(
        { event: "watch.scheduled", watch: watch.name, schedule: watch.schedule, next: task.getNextRun() },
        "watching",
      );
    }
    await catchUp(config.watches, true, runtime, log);
    if (config.digest !== null) tasks.push(await scheduleDigests(config.digest.schedule, config, runtime, log));
    await catchUpDigest(config, runtime, log);
    await catchUpMails(runtime, log);
    log.info({ event: "daemon.started", watches: config.watches.map((watch) => watch.name) }, "the daemon is running");
    await aborted(stop);
    log.info({ event: "daemon.stopping" }, "the daemon is stopping");
  } finally {
    clearInterval(overdueCheck);
    for (const task of tasks) await task.destroy();
    await runtime.close();
  }
}

/** The runtime, as soon as the database lets us; null if told to stop before. */
async function openPatiently(config: Config, log: Logger, stop: AbortSignal): Promise<Runtime | null> {
  for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS)) {
    if (stop.aborted) return null;
    try {
      return await openRuntime(config, "daemon", log);
    } catch (error) {
      if (error instanceof DatabaseError && error.permanent) throw error;
      log.error(
        { event: "database.unavailable", err: error, retryInMs: waitMs },
        "the database is not available; trying again",
      );
      await delay(waitMs, undefined, { signal: stop }).catch(() => {});
    }
  }
}

/** Every replica asks at each slot; the slot's name makes it one job. */
async function scheduleSyncs(
  watch: WatchConfig,
  config: Config,
  runtime: Runtime,
  log: Logger,
): Promise<ScheduledTask> {
  const task = createTask(watch.schedule, ({ date }) => request(slotJobId(watch.name, date), watch, runtime, log), {
    timezone: watch.timezone,
    maxRandomDelay: config.jitterMs,
    logger: cronLogger(log),
  });
  await task.start();
  return task;
}

async function scheduleDigests(
  schedule: string,
  config: Config,
  runtime: Runtime,
  log: Logger,
): Promise<ScheduledTask> {
  const task = createTask(schedule, ({ date }) => requestDigest(digestJobId(date), runtime, log), {
    timezone: config.timezone,
    logger: cronLogger(log),
  });
  await task.start();
  log.info({ event: "digest.scheduled", schedule, next: task.getNextRun() }, "the digest is scheduled");
  return task;
}

/** Asks for a digest whose slot passed while nothing ran. */
async function catchUpDigest({ digest }: Config, runtime: Runtime, log: Logger): Promise<void> {
  if (digest === null) return;
  await whileDatabaseAnswers(log, async () => {
    const now = runtime.clock.now();
    const lastAt = await runtime.digests.lastDigestAt(null);
    if (!isDigestOverdue(lastAt, digest.intervalMs, now)) return;
    log.info({ event: "digest.overdue", lastAt }, "a digest is overdue");
    await requestDigest(overdueDigestJobId(now), runtime, log);
  });
}

/** Has mails delivered that are due and that the queue knows nothing of. */
async function catchUpMails({ outbox, queue, clock }: Runtime, log: Logger): Promise<void> {
  await whileDatabaseAnswers(log, async () => {
    const mails = await outbox.requeueForgotten(clock.now());
    if (mails === 0) return;
    log.warn({ event: "notification.requeued", mails }, "mails were due and not in the queue; they are delivered now");
    queue.wake();
  });
}

async function requestDigest(id: string, { queue }: Runtime, log: Logger): Promise<void> {
  try {
    await queue.requestDigest(id);
  } catch (error) {
    log.error(
      { event: "digest.not_requested", err: error },
      "a digest could not be asked for; the next check asks again",
    );
  }
}

/** Asks for the syncs that are due although no slot of the schedule asks for them. */
async function catchUp(
  watches: readonly WatchConfig[],
  starting: boolean,
  { store, queue, clock }: Runtime,
  log: Logger,
): Promise<void> {
  await whileDatabaseAnswers(log, async () => {
    const now = clock.now();
    const lastSyncs = await store.lastSyncs(watches.map(({ name }) => name));
    const requests = watches.map(async (watch) => {
      const last = lastSyncs.get(watch.name) ?? NEVER_SYNCED;
      if (!isOverdue(last, { intervalMs: watch.intervalMs, starting }, now)) return;
      log.info({ event: "sync.overdue", watch: watch.name, lastSyncAt: last.anyAt }, "a sync is overdue");
      await queue.requestSync(watch.name, overdueJobId(watch.name, now));
    });
    await Promise.all(requests);
  });
}

const NEVER_SYNCED: LastSyncs = { completeAt: null, anyAt: null };

/** Does what each check does anew: where the database does not answer, that is said, and the next check is waited for. */
async function whileDatabaseAnswers(log: Logger, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    log.error({ event: "database.unavailable", err: error }, "the database does not answer; trying again");
  }
}

async function request(id: string, watch: WatchConfig, { queue }: Runtime, log: Logger): Promise<void> {
  try {
    await queue.requestSlot(watch.name, id);
  } catch (error) {
    log.error(
      { event: "sync.not_requested", watch: watch.name, err: error },
      "a sync could not be asked for; the next slot will ask again",
    );
  }
}

function cronLogger(log: Logger) {
  const line = (text: string | Error) => ({ event: "schedule.said", text: String(text) });
  return {
    info: (text: string) => log.debug(line(text), "the scheduler said"),
    debug: (text: string | Error) => log.debug(line(text), "the scheduler said"),
    warn: (text: string) => log.warn(line(text), "the scheduler said"),
    error: (text: string | Error) => log.error(line(text), "the scheduler said"),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
