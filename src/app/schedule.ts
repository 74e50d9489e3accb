/** Which syncs are due, named so that all replicas name the same one alike. */
import { hash } from "node:crypto";

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

/** Id of the job for a digest whose slot passed while nothing ran: one per day. */
export function overdueDigestJobId(now: Date): string {
  return uuidOf(`overdue digest\n${now.toISOString().slice(0, 10)}`);
}

/** Whether a slot of the digest's schedule passed without one. Before the first digest there is nothing to miss. */
export function isDigestOverdue(lastAt: Date | null, intervalMs: number, now: Date): boolean {
  return lastAt !== null && now.getTime() - lastAt.getTime() > intervalMs + LATENESS_MS;
}

/** How late the schedule may be before a sync is asked for beside it. */
const LATENESS_MS = 2 * 60_000;

/**
 * Whether a sync is due although the schedule has not asked for it: at the start, where the last complete one
 * is older than an interval, and later, where none at all has begun for longer than the schedule allows
 * (a slot that daylight saving time swallowed, a machine that slept).
 */
export function isOverdue(
  last: { readonly completeAt: Date | null; readonly anyAt: Date | null },
  { intervalMs, starting }: { readonly intervalMs: number; readonly starting: boolean },
  now: Date,
): boolean {
  const [since, allowedMs] = starting ? [last.completeAt, intervalMs] : [last.anyAt, intervalMs + LATENESS_MS];
  return since === null || now.getTime() - since.getTime() >= allowedMs;
}

/** Id of the job for an overdue sync: the same on every replica that notices it within the same minute. */
export function overdueJobId(watch: string, now: Date): string {
  return uuidOf(`overdue\n${watch}\n${Math.floor(now.getTime() / 60_000)}`);
}

/** A UUID (version 8) made from the text. @see https://www.rfc-editor.org/rfc/rfc9562#section-5.8 */
function uuidOf(text: string): string {
  const hex = hash("sha256", text, "hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b0011) | 0b1000).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
