/**
 * Who does the work: pg-boss, in the same Postgres.
 *
 * Any number of processes may ask and work. The work of a process that is known to be dead is given to another at once,
 * and that of one of which nothing is known when its heartbeat has been missing for a while. Retrying a mail is ours to
 * decide, so a job is only run again after a crash.
 */
import { setTimeout as delay } from "node:timers/promises";
import { fromPrisma, PgBoss, type Queue as QueueSettings } from "pg-boss";
import type { Clock } from "../../app/ports.ts";
import type { DeliveryJob } from "../../domain/delivery/dispatch.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { createBatcher } from "./batcher.ts";
import type { Database } from "./open.ts";
import { CHANNEL } from "./queue-presence.ts";
import { queueOptions, setUpQueue, startOrClose } from "./queue-setup.ts";
import { readResults, requestSyncs, SYNC, type SyncJob, type SyncResult, type SyncState } from "./queue-syncs.ts";
import { type QueueToWork, startWork, type Work } from "./queue-work.ts";
import type { JobRun } from "./queue-worker.ts";

const DELIVER = "deliver";
const DIGEST = "digest";

/** A process that has been silent for this long has lost its job. */
const HEARTBEAT_SECONDS = 20;
/** pg-boss's own upkeep, of which none is urgent: we look for what is due and what is lost ourselves. */
const UPKEEP = {
  superviseIntervalSeconds: 600,
  /** Of upkeep that is asked for beside that. */
  monitorIntervalSeconds: 10,
  maintenanceIntervalSeconds: 600,
  queueCacheIntervalSeconds: 3_600,
  flowIntervalSeconds: 3_600,
  bamIntervalSeconds: 300,
} as const;
/** Stretches between two looks are measured by it: a clock that is set back would have the queue sleep until it has caught up. */
const STEADY_CLOCK = {
  now: () => performance.timeOrigin + performance.now(),
  setTimeout,
  setInterval,
  clearTimeout,
  clearInterval,
};
/** Slots of the schedule within such a time are asked for together. */
const GATHER_SLOTS_MS = 1_000;
const GATHER_RESULTS_MS = 250;
/** How many syncs a process begins side by side; one that waits for its API for longer than this is not counted. */
const SYNCS_AT_ONCE = 30;
const SLOW_SYNC_MS = 3_000;
/** While half of them are written down, the other half is delivered: the more, the fewer statements for each mail. */
const DELIVERIES_AT_ONCE = 400;
/** Longer than the relay needs for all mails that are taken at a time, were it to take the longest with each. */
const DELIVERIES_EXPIRE_SECONDS = 12 * 3_600;
/** After a minute or two, then ever later, at most an hour: for some three hours. What is wrong for longer will not mend by itself. */
const DIGEST_RETRIES = { retryLimit: 7, retryDelay: 60, retryBackoff: true, retryDelayMax: 3_600 };
/** How long it may take to write down what did not end in time. */
const LAST_WORDS_MS = 1_500;
/** How long the jobs of syncs are kept: no replica is so late that it asks for a slot of the schedule again. */
const SYNCS_KEPT_SECONDS = 2 * 3_600;
const DELIVERIES_KEPT_SECONDS = 86_400;

export type Workers = {
  /** Runs one sync; what it returns is the job's result. Must not reject for a sync that fell short. */
  sync(job: SyncJob, signal: AbortSignal): Promise<SyncResult>;
  /** Tries deliveries. @returns the end of each, as soon as it is known */
  deliver(jobs: readonly DeliveryJob[]): readonly Promise<void>[];
  /** Makes the digests of one slot. @param isLastTry whether it is not tried again where it fails */
  digest(jobId: string, isLastTry: boolean): Promise<void>;
};

export type Queue = {
  /** Makes the queue's own tables, and connects. @param stop ends the wait for another process that makes them */
  start(stop?: AbortSignal): Promise<void>;
  /**
   * Asks for a sync of the watch.
   *
   * @param id the same for the same slot of the schedule, so that of all replicas that ask one is heard
   * @returns the id of the job that will run it, or null where that slot is taken
   */
  requestSync(watch: string, id: string): Promise<string | null>;
  /** The same for a slot of the schedule, which need not be asked for in the very second: many slots are one statement. */
  requestSlot(watch: string, id: string): Promise<string | null>;
  /**
   * Asks for the digests of a slot.
   *
   * @param id the same for the same slot on all replicas
   * @returns whether it was not asked for before
   */
  requestDigest(id: string): Promise<boolean>;
  /** Puts delivery jobs into the caller's transaction. */
  enqueueDeliveries(tx: Prisma.TransactionClient, notificationIds: readonly string[], startAfter?: Date): Promise<void>;
  /** Starts to work. */
  work(workers: Workers): Promise<void>;
  /** Looks for work now; for deliveries alone after a transaction that owes mails was committed. */
  wake(only?: "deliveries"): void;
  /** By job; a job that is not known any more is done. */
  resultsOf(jobIds: readonly string[]): Promise<ReadonlyMap<string, SyncState>>;
  /** Waits for the work in hand, at most so long; what is not finished is given back. */
  stop(graceMs: number): Promise<void>;
};

/** @param clock by which it is said when deliveries are due; left out where that is the database's, as the queue's own is */
export function createQueue(database: Database, onError: (error: Error) => void, clock: Clock | null = null): Queue {
  const boss = createBoss(database, onError);
  const requester = (gatherMs: number) => {
    const many = (asked: readonly SyncJob[]) => requestSyncs(database, boss, asked);
    const batcher = createBatcher<SyncJob, string | null>(
      many,
      async (_, failure) => {
        throw failure;
      },
      gatherMs,
    );
    return async (watch: string, id: string) => {
      const jobId = await batcher({ id, watch });
      work?.wake(SYNC);
      return jobId;
    };
  };
  let work: Work | null = null;

  return {
    async start(stop) {
      await setUpQueue(database, stop);
      await startOrClose(boss);
      await makeQueues(boss);
    },
    requestSync: requester(0),
    requestSlot: requester(GATHER_SLOTS_MS),
    async requestDigest(id) {
      const sent = await boss.send(DIGEST, {}, { id });
      work?.wake(DIGEST);
      return sent !== null;
    },
    async enqueueDeliveries(tx, notificationIds, startAfter) {
      const jobs = notificationIds.map((notificationId) => ({
        data: { notificationId },
        ...(startAfter && { startAfter: clock === null ? startAfter : secondsUntil(startAfter, clock) }),
      }));
      await boss.insert(DELIVER, jobs, { db: fromPrisma(tx) });
      if (work !== null) work.expect(DELIVER, startAfter === undefined ? 0 : secondsUntil(startAfter, clock) * 1_000);
      else if (startAfter === undefined && !database.embedded) {
        await tx.$executeRaw`SELECT pg_notify(${CHANNEL}, ${DELIVER})`;
      }
    },
    async work(workers) {
      work ??= await startWork(queuesFor(workers), { database, boss, onError });
    },
    wake(only) {
      for (const name of only === "deliveries" ? [DELIVER] : [SYNC, DIGEST, DELIVER]) work?.wake(name);
    },
    resultsOf: (jobIds) => readResults(database, jobIds),
    async stop(graceMs) {
      const stopped = async () => {
        await work?.stop(graceMs);
        await boss.stop({ graceful: false, close: true });
      };
      // A database that is gone without a word answers none of the last statements.
      await Promise.race([stopped(), delay(graceMs + LAST_WORDS_MS, undefined, { ref: false })]);
    },
  };
}

function createBoss(database: Database, onError: (error: Error) => void): PgBoss {
  const boss = new PgBoss({
    ...queueOptions(database, database.connection),
    ...UPKEEP,
    // Without the way that tables are made by there is nothing that it could make or mend.
    migrate: database.direct === null,
    reindex: database.direct === null,
    max: 4,
    clock: STEADY_CLOCK,
  });
  boss.on("error", onError);
  return boss;
}

/** What is due now by our clock is due now by the database's, however far apart the two are. */
function secondsUntil(at: Date, clock: Clock | null): number {
  const now = clock === null ? Date.now() : clock.now().getTime();
  return Math.max(0, at.getTime() - now) / 1_000;
}

/** Also where an earlier version made a queue with other options. */
async function makeQueues(boss: PgBoss): Promise<void> {
  const make = async (name: string, settings: Omit<QueueSettings, "name">) => {
    await boss.createQueue(name, settings);
    const { policy: _, ...options } = settings;
    await boss.updateQueue(name, options);
  };
  const options = { heartbeatSeconds: HEARTBEAT_SECONDS, expireInSeconds: 900, notify: false };
  await make(SYNC, {
    ...options,
    policy: "stately",
    retryLimit: 3,
    retryDelay: 1,
    deleteAfterSeconds: SYNCS_KEPT_SECONDS,
  });
  await make(DIGEST, { ...options, ...DIGEST_RETRIES });
  await make(DELIVER, {
    ...options,
    expireInSeconds: DELIVERIES_EXPIRE_SECONDS,
    retryLimit: 10_000,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 30,
    retentionSeconds: 14 * 86_400,
    deleteAfterSeconds: DELIVERIES_KEPT_SECONDS,
  });
}

/** The queues as these workers work on them. */
function queuesFor(workers: Workers): readonly QueueToWork[] {
  const sync: JobRun = (jobs) =>
    jobs.map(({ job: { id, data }, signal }) => workers.sync({ id, watch: String(data.watch) }, signal));
  const digest: JobRun = (jobs) =>
    jobs.map(({ job: { id, retryCount } }) =>
      workers.digest(id, retryCount >= DIGEST_RETRIES.retryLimit).then(() => null),
    );
  const deliver: JobRun = (jobs) => {
    const deliveries = jobs.map(({ job: { data, retryCount } }) => {
      return { notificationId: String(data.notificationId), takeOver: retryCount > 0 };
    });
    return workers.deliver(deliveries).map((ended) => ended.then(() => null));
  };
  return [
    {
      options: {
        name: SYNC,
        atOnce: SYNCS_AT_ONCE,
        oneAtATime: true,
        slowAfterMs: SLOW_SYNC_MS,
        gatherMs: GATHER_RESULTS_MS,
      },
      run: sync,
    },
    { options: { name: DIGEST, atOnce: 1 }, run: digest },
    { options: { name: DELIVER, atOnce: DELIVERIES_AT_ONCE, leastRoom: DELIVERIES_AT_ONCE / 2 }, run: deliver },
  ];
}
