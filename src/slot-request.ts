/** Asks for the sync of a slot, once on all replicas, also where a clock that was set back comes to the slot again. */
import { repeatedJobId } from "./app/schedule.ts";
import type { Runtime } from "./wire.ts";

/**
 * @param firstId the same for the same slot on every replica
 * @returns whether it was asked for; false where the slot has been taken
 */
export async function requestSlot(
  watch: string,
  firstId: string,
  { queue, store }: Pick<Runtime, "queue" | "store">,
): Promise<boolean> {
  for (let id = firstId; ; id = repeatedJobId(id)) {
    if ((await queue.requestSync(watch, id)) !== null) return true;
    const { done, result } = await queue.resultOf(id);
    // One that is done and was followed by others belongs to an earlier time that the clock showed the same.
    const { anyId } = await store.lastSyncs(watch);
    if (!done || (result !== null && result.syncId === anyId)) return false;
  }
}
