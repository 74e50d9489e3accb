/** One round: a sync of every watch, side by side, and every delivery that is due. */
import { setTimeout as delay } from "node:timers/promises";
import type { SyncResult, SyncState } from "./adapters/postgres/queue-syncs.ts";
import type { Undelivered } from "./app/delivery/outbox.ts";
import type { Runtime } from "./wire.ts";

export type Round = {
  /** By watch, in the order of the configuration. */
  readonly syncs: ReadonlyMap<string, SyncResult>;
  /** Mails that were due and could not be delivered. */
  readonly undelivered: readonly Undelivered[];
  /** Mails that were due and that nobody tried. */
  readonly untried: number;
};

const LOOK_EVERY_MS = 50;
const WAKE_EVERY_LOOKS = 10;
/** A delivery that another process left unfinished is taken over well within this. */
const DELIVERY_PATIENCE_MS = 120_000;

/** Runs the round through the queue, which this process must be working, and waits for its end. */
export async function runRound(runtime: Runtime, watches: readonly string[], stop: AbortSignal): Promise<Round> {
  const startedAt = runtime.clock.now();
  const syncs = await syncThroughQueue(runtime, watches, stop);
  await deliverDue(runtime, stop);
  const undelivered = await runtime.outbox.undeliveredSince(startedAt);
  return { syncs, undelivered, untried: await runtime.outbox.countDue(runtime.clock.now()) };
}

/** By watch, in the order given. */
async function syncThroughQueue(
  runtime: Runtime,
  watches: readonly string[],
  stop: AbortSignal,
): Promise<ReadonlyMap<string, SyncResult>> {
  const asked = await Promise.all(
    watches.map(async (watch) => [watch, await requestSync(runtime, watch, stop)] as const),
  );
  const jobs = new Map(asked);
  const results = new Map<string, SyncResult>();
  for (let looks = 1; results.size < jobs.size; looks += 1) {
    const open = [...jobs].filter(([watch]) => !results.has(watch));
    const states = await runtime.queue.resultsOf(open.map(([, jobId]) => jobId));
    for (const [watch, jobId] of open) {
      const { done, result } = states.get(jobId) ?? UNKNOWN;
      if (done) results.set(watch, result ?? NOT_RECORDED);
    }
    if (results.size < jobs.size) await pause(stop);
    // A watch that another process was just syncing is free again, and nobody says so.
    if (looks % WAKE_EVERY_LOOKS === 0) runtime.queue.wake();
  }
  return new Map(watches.map((watch) => [watch, results.get(watch) ?? NOT_RECORDED]));
}

const UNKNOWN: SyncState = { done: true, result: null };
const NOT_RECORDED: SyncResult = {
  outcome: "failed",
  reason: "the sync could not be recorded; the log says why",
};

/** @returns the id of the job that runs the sync */
async function requestSync({ queue, newId }: Runtime, watch: string, stop: AbortSignal): Promise<string> {
  for (;;) {
    const jobId = await queue.requestSync(watch, newId());
    if (jobId !== null) return jobId;
    // The sync that was waiting has begun in this very moment: there is room for another.
    await pause(stop);
  }
}

/** Waits until nothing that is due is left, or nobody seems to be working on it: the answer to a mail may take minutes. */
async function deliverDue({ queue, outbox, clock, transport }: Runtime, stop: AbortSignal): Promise<void> {
  await outbox.requeueForgotten(clock.now());
  const patienceEndsAtMs = performance.now() + DELIVERY_PATIENCE_MS;
  const isWorthWaiting = () => performance.now() < patienceEndsAtMs || transport.isSending();
  for (let looks = 0; (await outbox.countDue(clock.now())) > 0 && isWorthWaiting(); looks += 1) {
    if (looks % WAKE_EVERY_LOOKS === 0) queue.wake("deliveries");
    await pause(stop);
  }
}

function pause(stop: AbortSignal): Promise<void> {
  return delay(LOOK_EVERY_MS, undefined, { signal: stop });
}
