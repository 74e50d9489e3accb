/** Which syncs are due, named so that all replicas name the same one alike. */
import { hash } from "node:crypto";
import { elapsedMs, isFuture } from "../domain/elapsed.ts";
import type { Slots } from "../schedule/slots.ts";

/** Id of the job for a slot of a watch's schedule: the same on every replica. */
export function slotJobId(watch: string, slot: Date): string {
  return uuidOf(`slot\n${watch}\n${slot.toISOString()}`);
}

/** Id of the job for a slot of the digest's schedule: the same on every replica. */
export function digestJobId(slot: Date): string {
  return uuidOf(`digest\n${slot.toISOString()}`);
}

/** Id of the digest that a job makes for a recipient: the same when the job is done again. */
export function digestId(jobId: string, recipient: string): string {
  return uuidOf(`digest\n${jobId}\n${recipient}`);
}

/** How late what is scheduled may be before it is asked for beside the schedule. */
const LATENESS_MS = 2 * 60_000;

/**
 * The slot of the digest's schedule that passed without one, or null. Before the first digest there is nothing to miss.
 *
 * @param lastAt when the last digest was made, by a clock that may have run ahead since
 */
export function overdueDigest(lastAt: Date | null, slots: Slots, now: Date): Date | null {
  return lastAt === null ? null : slots.lastBetween(lastAt, new Date(now.getTime() - LATENESS_MS));
}

/** When the syncs that were recorded last began. */
type LastSyncs = { readonly completeAt: Date | null; readonly anyAt: Date | null };

export type SyncSchedule = { readonly intervalMs: number; readonly slots: Slots; readonly jitterMs: number };

/** A sync that is due beside the schedule: for a slot that passed without one, or whatever the slot (null). */
export type Overdue = { readonly slot: Date | null };

/** At the start: where the last complete sync is older than an interval. */
export function overdueAtStart({ completeAt }: LastSyncs, { intervalMs, slots }: SyncSchedule, now: Date): boolean {
  const elapsed = elapsedMs(completeAt, now);
  if (completeAt === null || !Number.isFinite(elapsed)) return true;
  // A day on which clocks are put back is longer than the interval of a daily schedule.
  return elapsed >= intervalMs && slots.lastBetween(completeAt, now) !== null;
}

/**
 * Later: where a slot passed and no sync at all has begun since (nobody was at work, or the machine slept), or where
 * the last one was recorded under a clock that ran ahead.
 */
export function overdueSync({ anyAt }: LastSyncs, { slots, jitterMs }: SyncSchedule, now: Date): Overdue | null {
  if (anyAt === null || isFuture(anyAt, now)) return { slot: null };
  const slot = slots.lastBetween(anyAt, new Date(now.getTime() - jitterMs - LATENESS_MS));
  return slot === null ? null : { slot };
}

/** Id of the job for an overdue sync: the same on every replica that notices it within the same minute. */
export function overdueJobId(watch: string, now: Date): string {
  return uuidOf(`overdue\n${watch}\n${Math.floor(now.getTime() / 60_000)}`);
}

/** Id of the job for the same slot where a clock that was set back comes to it once more. */
export function repeatedJobId(jobId: string): string {
  return uuidOf(`repeated\n${jobId}`);
}

/** A UUID (version 8) made from the text. @see https://www.rfc-editor.org/rfc/rfc9562#section-5.8 */
function uuidOf(text: string): string {
  const hex = hash("sha256", text, "hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b0011) | 0b1000).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
