/**
 * Finds out which batches of jobs are held up by a few slow ones, so that others can be worked on meanwhile.
 *
 * A worker of pg-boss's takes no jobs before each of its batch has come to an end.
 */

/** So long a few jobs may keep a worker from new ones. */
const HOLD_UP_AFTER_MS = 5_000;
/** Of a batch with more unfinished jobs the worker is busy, and not held up. */
const A_FEW = 8;

export type Relief = {
  /** Sees the jobs of one batch, until all have ended. */
  watch(jobs: readonly Promise<unknown>[]): Promise<void>;
};

/** Starts a worker; resolves to what ends it. */
type StartWorker = () => Promise<() => Promise<void>>;

/** @param most workers that are started beside the usual ones, each for as long as a batch is held up */
export function createRelief(start: StartWorker, most: number, onError: (error: Error) => void): Relief {
  let helpers = 0;
  const help = async (ended: Promise<unknown>) => {
    if (helpers >= most) return;
    helpers += 1;
    try {
      const end = await start();
      await ended;
      await end();
    } catch (error) {
      onError(error as Error);
    } finally {
      helpers -= 1;
    }
  };
  return {
    async watch(jobs) {
      let unfinished = jobs.length;
      const all = Promise.allSettled(jobs.map((job) => job.finally(() => (unfinished -= 1))));
      const timer = setInterval(() => {
        if (unfinished > A_FEW) return;
        clearInterval(timer);
        void help(all);
      }, HOLD_UP_AFTER_MS).unref();
      await all;
      clearInterval(timer);
    },
  };
}
