/** One round: a sync of every watch, side by side, and every delivery that is due. */
import { setTimeout as delay } from "node:timers/promises";
import type { SyncResult } from "./adapters/postgres/queue.ts";
import type { Undelivered } from "./app/store.ts";
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
/** A delivery that another process left unfinished is taken over well within this. */
const DELIVERY_PATIENCE_MS = 120_000;

/** Runs the round through the queue, which this process must be working, and waits for its end. */
export async function runRound(runtime: Runtime, watches: readonly string[], stop: AbortSignal): Promise<Round> {
  const startedAt = runtime.clock.now();
  const entries = await Promise.all(
    watches.map(async (watch) => [watch, await syncThroughQueue(runtime, watch, stop)] as const),
  );
  await deliverDue(runtime, stop);
  const undelivered = await runtime.outbox.undeliveredSince(startedAt);
  return { syncs: new Map(entries), undelivered, untried: await runtime.outbox.countDue(runtime.clock.now()) };
}

async function syncThroughQueue({ queue, newId }: Runtime, watch: string, stop: AbortSignal): Promise<SyncResult> {
  let jobId = await queue.requestSync(watch, newId());
  // Null where the sync that was waiting has begun in this very moment: then there is room for another.
  for (; jobId === null; jobId = await queue.requestSync(watch, newId())) await pause(stop);
  queue.wake();
  for (;;) {
    const { done, result } = await queue.resultOf(jobId);
    if (result !== null) return result;
    if (done) return { syncId: null, outcome: "failed", reason: "the sync could not be recorded; the log says why" };
    await pause(stop);
  }
}

/** Waits until nothing that is due is left, or nobody seems to be working on it: the answer to a mail may take minutes. */
async function deliverDue({ queue, outbox, clock, transport }: Runtime, stop: AbortSignal): Promise<void> {
  await outbox.requeueForgotten(clock.now());
  const patienceEndsAtMs = performance.now() + DELIVERY_PATIENCE_MS;
  const isWorthWaiting = () => performance.now() < patienceEndsAtMs || transport.isSending();
  while ((await outbox.countDue(clock.now())) > 0 && isWorthWaiting()) {
    queue.wake();
    await pause(stop);
  }
}

function pause(stop: AbortSignal): Promise<void> {
  return delay(LOOK_EVERY_MS, undefined, { signal: stop });
}
