/** Asks for the sync of a slot, once on all replicas, also where a clock that was set back comes to the slot again. */
import { overdueJobId, repeatedJobId, slotJobId } from "./app/schedule.ts";
import type { Runtime } from "./wire.ts";

export type SlotRequest = {
  readonly watch: string;
  /** Null for a sync that is due now whatever the slot. */
  readonly slot: Date | null;
  /** By so much the sync of a slot may begin later. */
  readonly jitterMs: number;
};

/** By so much the clocks of two replicas may differ, and a sync may be late. */
const TOLERANCE_MS = 5 * 60_000;

/** @returns whether it was asked for; false where the slot has been taken */
export async function requestSlot(
  { watch, slot, jitterMs }: SlotRequest,
  { queue, store, clock }: Pick<Runtime, "queue" | "store" | "clock">,
): Promise<boolean> {
  const at = slot ?? clock.now();
  const request = slot === null ? queue.requestSync : queue.requestSlot;
  for (let id = slot === null ? overdueJobId(watch, at) : slotJobId(watch, slot); ; id = repeatedJobId(id)) {
    if ((await request(watch, id)) !== null) return true;
    const state = (await queue.resultsOf([id])).get(id);
    const { anyAt } = (await store.lastSyncs([watch])).get(watch) ?? { anyAt: null };
    // Where the last sync is of another time, the one of this slot was asked for before the clock was set back.
    const isOfSlot = anyAt !== null && isWithin(anyAt.getTime() - at.getTime(), jitterMs);
    if (state?.done !== true || isOfSlot) return false;
  }
}

function isWithin(afterSlotMs: number, jitterMs: number): boolean {
  return afterSlotMs >= -TOLERANCE_MS && afterSlotMs <= jitterMs + TOLERANCE_MS;
}
