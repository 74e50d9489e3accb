/**
 * Who does the work: pg-boss, in the same Postgres.
 *
 * Any number of processes may ask and work. A job whose process died is given to another once its heartbeat
 * has been missing for a while. Retrying a mail is ours to decide, so a job is only run again after a crash.
 */
import { setTimeout as delay } from "node:timers/promises";
import { fromPrisma, type Job, type JobResult, PgBoss, type Queue as QueueSettings } from "pg-boss";
import type { Clock } from "../../app/ports.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { queueOptions, setUpQueue, startOrClose } from "./queue-setup.ts";
import { createRelief } from "./relief.ts";

const SYNC = "sync";
const DELIVER = "deliver";
const DIGEST = "digest";

/** A process that has been silent for this long has lost its job. */
const HEARTBEAT_SECONDS = 20;
const SUPERVISE_SECONDS = 15;
const POLL_SECONDS = 2;
/** Stretches between two polls are measured by it: a clock that is set back would have the workers sleep until it has caught up. */
const STEADY_CLOCK = {
  now: () => performance.timeOrigin + performance.now(),
  setTimeout,
  setInterval,
  clearTimeout,
  clearInterval,
};
/** How often a database that fails is tried again. */
const LOOK_EVERY_MS = 500;
/** Each takes so many mails together. While one writes down what it did, the other delivers. */
const DELIVERY_WORKERS = 2;
/** The more, the fewer statements are needed for each mail. */
const DELIVERIES_TOGETHER = 200;
/** After a minute or two, then ever later, at most an hour: for some three hours. What is wrong for longer will not mend by itself. */
const DIGEST_RETRIES = { retryLimit: 7, retryDelay: 60, retryBackoff: true, retryDelayMax: 3_600 };
/** Workers more while others are held up by mails that the mail server is slow to answer. */
const MOST_HELPERS = 8;
/** Longer than the relay needs for all mails that are taken at a time, were it to take the longest with each. */
const DELIVERIES_EXPIRE_SECONDS = 12 * 3_600;

export type SyncJob = { readonly id: string; readonly watch: string };

export type Workers = {
  /** Runs one sync; what it returns is the job's result. Must not reject for a sync that fell short. */
  sync(job: SyncJob, signal: AbortSignal): Promise<SyncResult>;
  /** Tries one delivery. @param takeOver whether an earlier run of the job came to no end */
  deliver(notificationId: string, takeOver: boolean): Promise<void>;
  /** Makes the digests of one slot. @param isLastTry whether nobody tries again where it fails */
  digest(jobId: string, isLastTry: boolean): Promise<void>;
};

/** What the one who asked for a sync gets to know of it. */
export type SyncResult = { readonly syncId: string | null; readonly outcome: string; readonly reason: string | null };

export type Queue = {
  /** Makes the queue's own tables, and connects. @param stop ends the wait for another process */
  start(stop?: AbortSignal): Promise<void>;
  /**
   * Asks for a sync of the watch.
   *
   * @param id the same for the same slot of the schedule, so that of all replicas that ask one is heard
   * @returns the id of the job that will run it, or null where that slot is taken
   */
  requestSync(watch: string, id: string): Promise<string | null>;
  /** Asks for the digests of a slot, unless somebody has. @param id the same for the same slot on all replicas */
  requestDigest(id: string): Promise<boolean>;
  /** Puts delivery jobs into the caller's transaction. */
  enqueueDeliveries(tx: Prisma.TransactionClient, notificationIds: readonly string[], startAfter?: Date): Promise<void>;
  /** Starts to work, so many syncs at once. */
  work(workers: Workers, syncsAtOnce: number): Promise<void>;
  /** Looks for work now rather than at the next poll. */
  wake(): void;
  /** The result of a sync job: null while it is under way, or where it failed. */
  resultOf(jobId: string): Promise<{ readonly done: boolean; readonly result: SyncResult | null }>;
  /** Waits for the work in hand, at most so long; what is not finished is given back. */
  stop(graceMs: number): Promise<void>;
};

/** @param clock by which it is said when deliveries are due; left out where that is the database's, as the queue's own is */
export function createQueue(database: Database, onError: (error: Error) => void, clock: Clock | null = null): Queue {
  // Who listens needs a session of its own; the queue's client for it does not look for a server.
  const listens = !database.embedded && !database.server.shared && database.connection.Client === undefined;
  const boss = new PgBoss({
    ...queueOptions(database, database.connection),
    // Without the way that tables are made by there is nothing that it could make or mend.
    migrate: database.direct === null,
    reindex: database.direct === null,
    max: 4,
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
    useListenNotify: listens,
    clock: STEADY_CLOCK,
  });
  boss.on("error", onError);

  const wake = (name?: string) => {
    for (const worker of boss.getWipData())
      if (name === undefined || worker.name === name) boss.notifyWorker(worker.id);
  };
  /** Does the work, and then looks for more at once: a worker of pg-boss's takes jobs at each poll. */
  const andGoOn = async <T>(name: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } finally {
      wake(name);
    }
  };
  let stopping = false;
  let writable: Promise<void> | null = null;
  const untilWritable = async (name: string, jobId: string) => {
    const isWritable = () => boss.touch(name, jobId).then(Boolean, () => false);
    while (!stopping && !(await isWritable())) await delay(LOOK_EVERY_MS);
    writable = null;
  };
  /**
   * What the work came to; where it failed, not before the database can write: only if the failure is written down is the
   * job run again at once, and not when its heartbeats are missed.
   */
  const onceWritable = async <T>(name: string, jobId: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      writable ??= untilWritable(name, jobId);
      await writable;
      throw error;
    }
  };
  /** Also where an earlier version made the queue with other options. */
  const makeQueue = async (name: string, settings: Omit<QueueSettings, "name">) => {
    await boss.createQueue(name, settings);
    const { policy: _, ...options } = settings;
    await boss.updateQueue(name, options);
  };

  return {
    async start(stop) {
      await setUpQueue(database, stop);
      await startOrClose(boss);
      const options = { heartbeatSeconds: HEARTBEAT_SECONDS, expireInSeconds: 900, notify: !database.embedded };
      await makeQueue(SYNC, { ...options, policy: "stately", retryLimit: 3, retryDelay: 1 });
      await makeQueue(DIGEST, { ...options, ...DIGEST_RETRIES });
      await makeQueue(DELIVER, {
        ...options,
        expireInSeconds: DELIVERIES_EXPIRE_SECONDS,
        retryLimit: 10_000,
        retryDelay: 2,
        retryBackoff: true,
        retryDelayMax: 30,
        retentionSeconds: 14 * 86_400,
      });
    },
    async requestSync(watch, id) {
      const sent = await boss.send(SYNC, { watch }, { id, singletonKey: watch });
      if (sent !== null) return sent;
      const [waiting] = await boss.findJobs(SYNC, { key: watch, queued: true, limit: 1 });
      return waiting?.id ?? null;
    },
    async requestDigest(id) {
      return (await boss.send(DIGEST, {}, { id })) !== null;
    },
    async enqueueDeliveries(tx, notificationIds, startAfter) {
      const jobs = notificationIds.map((notificationId) => ({
        data: { notificationId },
        ...(startAfter && { startAfter: clock === null ? startAfter : waitUntil(startAfter, clock) }),
      }));
      await boss.insert(DELIVER, jobs, { db: fromPrisma(tx) });
    },
    async work(workers, syncsAtOnce) {
      // Nobody is told when the time of a job has come, so notifications do not make polling needless.
      const polling = { pollingIntervalSeconds: POLL_SECONDS, notifyPollingIntervalSeconds: POLL_SECONDS };
      const sync = { ...polling, localConcurrency: syncsAtOnce };
      await boss.work(SYNC, sync, async ([job]: Job<{ watch: string }>[]) => {
        if (job === undefined) return;
        return andGoOn(
          SYNC,
          onceWritable(SYNC, job.id, workers.sync({ id: job.id, watch: job.data.watch }, job.signal)),
        );
      });
      await boss.work(DIGEST, polling, async ([job]: Job[]) => {
        if (job === undefined) return;
        const isLastTry = job.retryCount >= DIGEST_RETRIES.retryLimit;
        await andGoOn(DIGEST, onceWritable(DIGEST, job.id, workers.digest(job.id, isLastTry)));
      });
      const deliver = {
        ...polling,
        localConcurrency: DELIVERY_WORKERS,
        batchSize: DELIVERIES_TOGETHER,
        perJobResults: true,
      } as const;
      const deliverAll = (jobs: Job<{ notificationId: string }>[]) => {
        const results = jobs.map((job) => settled(job.id, onceWritable(DELIVER, job.id, deliverJob(job, workers))));
        void relief.watch(results);
        return andGoOn(DELIVER, Promise.all(results));
      };
      const startHelper = async () => {
        if (stopping) return async () => {};
        const id = await boss.work(DELIVER, { ...deliver, localConcurrency: 1 }, deliverAll);
        return () => boss.offWork(DELIVER, { id, wait: false });
      };
      const relief = createRelief(startHelper, MOST_HELPERS, onError);
      await boss.work(DELIVER, deliver, deliverAll);
    },
    wake: () => wake(),
    async resultOf(jobId) {
      const [job] = await boss.findJobs(SYNC, { id: jobId });
      const done = job === undefined || ["completed", "cancelled", "failed"].includes(job.state);
      return { done, result: job?.state === "completed" ? (job.output as SyncResult) : null };
    },
    async stop(graceMs) {
      stopping = true;
      await boss.stop({ graceful: true, timeout: graceMs, close: true });
    },
  };
}

/** In seconds: what is due now by our clock is due now by the database's, however far apart the two are. */
function waitUntil(at: Date, clock: Clock): number {
  return Math.max(0, at.getTime() - clock.now().getTime()) / 1000;
}

function deliverJob({ data, retryCount }: Job<{ notificationId: string }>, workers: Workers): Promise<void> {
  return workers.deliver(data.notificationId, retryCount > 0);
}

/** What became of one job of several: none of the others has to be run again for it. */
async function settled(id: string, work: Promise<void>): Promise<JobResult> {
  try {
    await work;
    return { id, status: "completed" };
  } catch (error) {
    return { id, status: "failed", output: error };
  }
}
