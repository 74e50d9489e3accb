/**
 * The measured process: prepares, gets warm, runs once against the clock, tells, ends.
 *
 * Loading, connecting and the first calls are outside the measured time; the peak of memory is the whole process's.
 */
import { once } from "node:events";

export type Prepared<Done> = {
  /** The same work on a short list, so that connections are open and the code was run before. */
  warmUp(): Promise<unknown>;
  /** The measured work. */
  run(): Promise<Done>;
  close(): Promise<void>;
};

/** Runs the one job that the parent sends. */
export async function measure<Job, Done>(prepare: (job: Job) => Promise<Prepared<Done>>): Promise<void> {
  const [job] = (await once(process, "message")) as [Job];
  const { warmUp, run, close } = await prepare(job);
  await warmUp();

  const startedAt = performance.now();
  const done = await run();
  const ms = performance.now() - startedAt;

  const peakMb = process.resourceUsage().maxRSS / 1024;
  await close();
  process.send?.({ ms, peakMb, ...done });
  process.disconnect();
}
