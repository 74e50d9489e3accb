/** Writes how jobs ended: many by one statement, and each by itself where that fails. */
import { setTimeout as delay } from "node:timers/promises";
import type { PgBoss } from "pg-boss";
import { createBatcher } from "./batcher.ts";

/** Of one job, one run: what is written of a run that lost its job to another is refused. */
export type Attempt = { readonly id: string; readonly retryCount: number };

export type Ended = { readonly job: Attempt; readonly failed: boolean; readonly output: unknown };

export type SettlerPorts = {
  readonly boss: Pick<PgBoss, "touch" | "complete" | "fail">;
  /** The queue's. */
  readonly name: string;
  /** How long what ends next waits for others. */
  readonly gatherMs: () => number;
  readonly report: (error: unknown) => void;
  /** Whether the program ends, so that a database that is away is not waited for. */
  readonly isGivenUp: () => boolean;
};

/** How often a database that fails is tried again. */
const TRY_AGAIN_MS = 500;
/** So often a result is refused by a database that takes others, before it is given up. */
const MOST_REFUSALS = 3;

/**
 * Waits for a database that is away: a job whose end is not known would be run again.
 *
 * @param onWritten told what was written
 * @returns a function that rejects for what could not be written
 */
export function createSettler(
  { boss, name, gatherMs, report, isGivenUp }: SettlerPorts,
  onWritten: (ended: readonly Ended[]) => void,
): (ended: Ended) => Promise<true> {
  let writable: Promise<void> | null = null;
  const untilWritable = async (job: Attempt) => {
    const isWritable = () =>
      boss.touch(name, [attemptOf(job)]).then(
        () => true,
        () => false,
      );
    while (!isGivenUp() && !(await isWritable())) await delay(TRY_AGAIN_MS);
    writable = null;
  };
  const together = async (ended: readonly Ended[]) => {
    try {
      await write(boss, name, ended);
      onWritten(ended);
      return ended.map((): true => true);
    } catch (error) {
      report(error);
      return ended.map(() => undefined);
    }
  };
  const alone = async (ended: Ended): Promise<true> => {
    for (let refusals = 0; ; ) {
      writable ??= untilWritable(ended.job);
      await writable;
      try {
        await write(boss, name, [ended]);
        onWritten([ended]);
        return true;
      } catch (error) {
        refusals += 1;
        if (isGivenUp() || refusals === MOST_REFUSALS) throw error;
      }
    }
  };
  return createBatcher(together, alone, gatherMs);
}

/** One statement for those with the same result. */
async function write(boss: SettlerPorts["boss"], name: string, ended: readonly Ended[]): Promise<void> {
  const completed = ended.filter(({ failed }) => !failed);
  for (const [output, alike] of Map.groupBy(completed, (one) => JSON.stringify(one.output))) {
    await boss.complete(
      name,
      alike.map(({ job }) => attemptOf(job)),
      JSON.parse(output),
    );
  }
  for (const { job, failed, output } of ended) if (failed) await boss.fail(name, [attemptOf(job)], output as object);
}

function attemptOf({ id, retryCount }: Attempt): Attempt {
  return { id, retryCount };
}
