/** The daemon: opens the runtime, schedules syncs, works until it is told to stop. */
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { DatabaseError } from "./adapters/postgres/database-error.ts";
import { readClockSkew } from "./adapters/postgres/read-clock.ts";
import { createReader } from "./adapters/postgres/read-store.ts";
import { digestJobId, overdueAtStart, overdueDigest, overdueSync } from "./app/schedule.ts";
import type { LastSyncs } from "./app/store.ts";
import { createClockAlarm } from "./clock-alarm.ts";
import type { Config } from "./config/config.ts";
import type { Logger } from "./log.ts";
import { slotsOf } from "./schedule/slots.ts";
import { createScheduler } from "./scheduler.ts";
import { requestSlot, type SlotRequest } from "./slot-request.ts";
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
    const runtime = await patiently(log, stop, () => openRuntime(config, "daemon", log, { stop }));
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
  const { clock } = runtime;
  const scheduler = createScheduler({ clock, monotonicMs: () => performance.now(), chance: Math.random, log });
  const tellClocks = createClockAlarm(log);
  const compareClocks = () =>
    whileDatabaseAnswers(log, async () => {
      tellClocks([{ against: "database", ms: await readClockSkew(runtime.database) }]);
    });
  const overdueCheck = setInterval(() => {
    void compareClocks();
    void catchUp(false, config, runtime, log);
    void catchUpDigest(config, runtime, log);
    void catchUpMails(runtime, log);
  }, OVERDUE_CHECK_MS);
  try {
    await compareClocks();
    await patiently(log, stop, () => runtime.queue.work(createWorkers(runtime, log, stop)));
    for (const watch of config.watches) {
      // Signals are heard between turns.
      await turn();
      if (stop.aborted) return;
      const next = scheduler.add({
        expression: watch.schedule,
        timezone: watch.timezone,
        jitterMs: config.jitterMs,
        // Every replica asks at each slot; the slot's name makes it one job.
        run: (slot) => void request({ watch: watch.name, slot, jitterMs: config.jitterMs }, runtime, log),
      });
      log.info({ event: "watch.scheduled", watch: watch.name, schedule: watch.schedule, next }, "watching");
    }
    await catchUp(true, config, runtime, log);
    if (config.digest !== null) {
      const { schedule } = config.digest;
      const run = (slot: Date) => void requestDigest(digestJobId(slot), runtime, log);
      const next = scheduler.add({ expression: schedule, timezone: config.timezone, jitterMs: 0, run });
      log.info({ event: "digest.scheduled", schedule, next }, "the digest is scheduled");
    }
    await catchUpDigest(config, runtime, log);
    await catchUpMails(runtime, log);
    await tryMailServer(runtime, log);
    log.info({ event: "daemon.started", watches: config.watches.map((watch) => watch.name) }, "the daemon is running");
    await aborted(stop);
    log.info({ event: "daemon.stopping" }, "the daemon is stopping");
  } finally {
    clearInterval(overdueCheck);
    scheduler.close();
    await runtime.close();
  }
}

/** What the step comes to, as soon as the database lets us; null if told to stop before. */
async function patiently<T>(log: Logger, stop: AbortSignal, step: () => Promise<T>): Promise<T | null> {
  for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS)) {
    if (stop.aborted) return null;
    try {
      return await step();
    } catch (error) {
      if (stop.aborted) return null;
      if (error instanceof DatabaseError && error.permanent) throw error;
      log.error(
        { event: "database.unavailable", err: error, retryInMs: waitMs },
        "the database is not available; trying again",
      );
      await delay(waitMs, undefined, { signal: stop }).catch(() => {});
    }
  }
}

/** Asks for a digest whose slot passed while nothing ran. */
async function catchUpDigest({ digest, timezone }: Config, runtime: Runtime, log: Logger): Promise<void> {
  if (digest === null) return;
  await whileDatabaseAnswers(log, async () => {
    const now = runtime.clock.now();
    const lastAt = await runtime.digests.lastDigestAt(null, now);
    const slot = overdueDigest(lastAt, slotsOf(digest.schedule, timezone), now);
    if (slot === null || !(await requestDigest(digestJobId(slot), runtime, log))) return;
    log.info({ event: "digest.overdue", lastAt, slot }, "a digest is overdue");
  });
}

/** Has mails delivered that are due and that the queue knows nothing of. */
async function catchUpMails({ outbox, queue, clock }: Runtime, log: Logger): Promise<void> {
  await whileDatabaseAnswers(log, async () => {
    const mails = await outbox.requeueForgotten(clock.now());
    if (mails === 0) return;
    log.warn(
      { event: "notification.requeued", mails },
      "mails were due and not in the queue, or waited under a wrong clock; they are delivered now",
    );
    queue.wake("deliveries");
  });
}

/** What kept mail from leaving may have been mended by the settings with which the program starts. */
async function tryMailServer({ outbox, queue, clock }: Runtime, log: Logger): Promise<void> {
  await whileDatabaseAnswers(log, async () => {
    const downSince = await outbox.probeNow(clock.now());
    if (downSince === null) return;
    log.info({ event: "mail_server.tried", downSince }, "mail waits for the mail server; it is tried now");
    queue.wake();
  });
}

/** @returns whether it was not asked for before */
async function requestDigest(id: string, { queue }: Runtime, log: Logger): Promise<boolean> {
  try {
    return await queue.requestDigest(id);
  } catch (error) {
    log.error(
      { event: "digest.not_requested", err: error },
      "a digest could not be asked for; the next check asks again",
    );
    return false;
  }
}

/** Asks for the syncs that are due although no slot of the schedule asks for them. */
async function catchUp(starting: boolean, config: Config, runtime: Runtime, log: Logger): Promise<void> {
  const { watches, jitterMs } = config;
  await whileDatabaseAnswers(log, async () => {
    const now = runtime.clock.now();
    const lastSyncs = await runtime.store.lastSyncs(watches.map(({ name }) => name));
    const requests = watches.map(async ({ name: watch, ...rest }) => {
      const last = lastSyncs.get(watch) ?? NEVER_SYNCED;
      const schedule = { intervalMs: rest.intervalMs, slots: slotsOf(rest.schedule, rest.timezone), jitterMs };
      const overdue = starting
        ? overdueAtStart(last, schedule, now) && { slot: null }
        : overdueSync(last, schedule, now);
      if (!overdue || !(await request({ watch, slot: overdue.slot, jitterMs }, runtime, log))) return;
      log.info({ event: "sync.overdue", watch, lastSyncAt: last.anyAt }, "a sync is overdue");
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

/** @returns whether it was not asked for before */
async function request(asked: SlotRequest, runtime: Runtime, log: Logger): Promise<boolean> {
  try {
    return await requestSlot(asked, runtime);
  } catch (error) {
    log.error(
      { event: "sync.not_requested", watch: asked.watch, err: error },
      "a sync could not be asked for; the next slot will ask again",
    );
    return false;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
