/**
 * Runs the jobs of one queue side by side.
 *
 * Each job ends by itself: neither its result nor the next job waits for others that were fetched with it.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Job, PgBoss } from "pg-boss";
import { type Attempt, createSettler, type Ended } from "./queue-settle.ts";

export type WorkerOptions = {
  /** The queue's name. */
  readonly name: string;
  /** How many jobs are run at once. */
  readonly atOnce: number;
  /** Jobs are fetched only when there is room for so many. */
  readonly leastRoom?: number;
  /** Whether of alike jobs one waits for another to end. */
  readonly oneAtATime?: boolean;
  /** A job that takes longer no longer counts as one of those `atOnce`: it waits for the network, and holds up no other. */
  readonly slowAfterMs?: number | undefined;
  /** How long results wait for others to be written with them, where others are yet to come. */
  readonly gatherMs?: number;
};

export type WorkerPorts = {
  readonly boss: Pick<PgBoss, "fetch" | "touch" | "complete" | "fail">;
  readonly onError: (error: Error) => void;
  /** Told as jobs begin that were just fetched. */
  readonly onTaken: () => void;
  /** Told after a failed job was given back to the queue, which lets it be fetched again soon. */
  readonly onFailed: () => void;
};

export type QueuedJob = Job<Readonly<Record<string, unknown>>>;

/** A job in hand. @property signal when it is taken away */
export type TakenJob = { readonly job: QueuedJob; readonly signal: AbortSignal };

/**
 * Runs jobs that were fetched together.
 *
 * @returns the result of each, as soon as it has ended; where it rejects, that job is run again
 */
export type JobRun = (jobs: readonly TakenJob[]) => readonly Promise<object | null>[];

export type Worker = {
  /** Fetches jobs now. */
  wake(): void;
  /** The jobs in hand. */
  taken(): readonly Attempt[];
  /** Fetches no more and waits for the jobs in hand, at most so long; what has not ended by then is given back. */
  stop(graceMs: number): Promise<void>;
};

/** What pg-boss answers, though its types leave it out: which jobs still were this run's, and how many. */
export type Settled = { readonly affected: number; readonly settled?: readonly string[] };

const HEARTBEAT_MS = 10_000;
/** How often a database that fails is tried again. */
const TRY_AGAIN_MS = 500;
/** How long a job that was told to stop may take to do so. */
const LAST_WORDS_MS = 500;
const LOOK_EVERY_MS = 20;
/** The most that one statement fetches. */
const FETCHED_TOGETHER = 200;

export function createWorker(
  options: WorkerOptions,
  { boss, onError, onTaken, onFailed }: WorkerPorts,
  run: JobRun,
): Worker {
  const { name, atOnce, leastRoom = 1, oneAtATime = false, slowAfterMs, gatherMs = 0 } = options;
  const claims = new Map<QueuedJob, AbortController>();
  let wanted = false;
  /** Whether there may be a job that waits for another of its kind to end. */
  let hidden = false;
  let fetching: Promise<void> | null = null;
  let stopping = false;
  let givenUp = false;

  const report = (error: unknown) => onError(error instanceof Error ? error : new Error(String(error)));

  const gather = () => (claims.size > 1 ? gatherMs : 0);
  const settle = createSettler({ boss, name, gatherMs: gather, report, isGivenUp: () => givenUp }, (ended) => {
    if (ended.some(({ failed }) => failed)) onFailed();
    if (hidden) setImmediate(wake);
  });

  const end = async (job: QueuedJob, result: Promise<object | null>, leave: () => void) => {
    let ended: Ended;
    try {
      ended = { job, failed: false, output: await result };
    } catch (error) {
      ended = { job, failed: true, output: error };
    }
    leave();
    // The loss was reported, and the job will be missed.
    await settle(ended).catch(() => {});
    claims.delete(job);
  };

  const places = createPlaces({ atOnce, slowAfterMs }, () => fetchWanted());

  const fetchWanted = () => {
    if (fetching === null && wanted && !stopping && places.free() >= leastRoom) {
      fetching = fetchOnce().finally(() => {
        fetching = null;
        fetchWanted();
      });
    }
  };

  const fetchOnce = async () => {
    wanted = false;
    try {
      const limit = Math.min(FETCHED_TOGETHER, places.free());
      const jobs = await boss.fetch<QueuedJob["data"]>(name, { batchSize: limit });
      hidden = oneAtATime && jobs.length < limit && claims.size > 0;
      if (jobs.length === limit) wanted = true;
      if (jobs.length === 0) return;
      const taken = jobs.map((job) => {
        const claim = new AbortController();
        claims.set(job, claim);
        return { job, signal: claim.signal };
      });
      onTaken();
      for (const [nth, result] of run(taken).entries()) {
        const job = taken[nth]?.job;
        if (job !== undefined) void end(job, result, places.take());
      }
    } catch (error) {
      report(error);
      await delay(TRY_AGAIN_MS);
      wanted = true;
    }
  };

  const beat = async () => {
    const held = [...claims].filter(([, claim]) => !claim.signal.aborted);
    if (held.length === 0) return;
    try {
      const jobs = held.map(([job]) => job);
      const { settled } = (await boss.touch(name, jobs)) as Settled;
      const alive = new Set(settled ?? jobs.map(({ id }) => id));
      for (const [job, claim] of held) {
        if (claims.has(job) && !alive.has(job.id)) claim.abort(new Error(`job ${job.id} was given to another worker`));
      }
    } catch (error) {
      report(error);
    }
  };
  const heartbeat = setInterval(beat, HEARTBEAT_MS);

  /** Given back before it is told to stop, a job cannot end as if it were whole. */
  const giveBack = async (left: readonly (readonly [QueuedJob, AbortController])[]) => {
    if (left.length === 0) return;
    const jobs = left.map(([job]) => job);
    await Promise.race([boss.fail(name, jobs).catch(report), delay(LAST_WORDS_MS, undefined, { ref: false })]);
    for (const [, claim] of left) claim.abort(new Error("the program is stopping"));
  };

  const wake = () => {
    wanted = true;
    fetchWanted();
  };

  return {
    wake,
    taken: () => [...claims.keys()].map(({ id, retryCount }) => ({ id, retryCount })),
    async stop(graceMs) {
      stopping = true;
      await until(() => fetching === null && claims.size === 0, graceMs);
      givenUp = true;
      await giveBack([...claims]);
      await until(() => claims.size === 0, LAST_WORDS_MS);
      clearInterval(heartbeat);
    },
  };
}

type Places = {
  free(): number;
  /** @returns what gives the place back */
  take(): () => void;
};

/** Room for so many jobs at once. A job leaves its place when it has ended, or turns out to be slow. */
function createPlaces(options: Pick<WorkerOptions, "atOnce" | "slowAfterMs">, onFree: () => void): Places {
  let taken = 0;
  return {
    free: () => options.atOnce - taken,
    take() {
      taken += 1;
      let left = false;
      const leave = () => {
        clearTimeout(timer);
        if (left) return;
        left = true;
        taken -= 1;
        onFree();
      };
      const timer = options.slowAfterMs === undefined ? undefined : setTimeout(leave, options.slowAfterMs);
      return leave;
    },
  };
}

async function until(isSo: () => boolean, atMostMs: number): Promise<void> {
  const deadline = performance.now() + atMostMs;
  while (!isSo() && performance.now() < deadline) await delay(LOOK_EVERY_MS);
}
