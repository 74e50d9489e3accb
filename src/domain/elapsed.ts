/**
 * How long ago something was, by instants that were stored under a clock that may have been wrong since or before.
 *
 * What lies in the future is no evidence that something happened lately, and nothing waits longer than it was to.
 */

/** Clocks that differ by no more are taken to agree. */
export const LARGEST_SKEW_MS = 5 * 60_000;

/** Whether the instant lies so far ahead that another clock must have told it. */
export function isFuture(instant: Date, now: Date): boolean {
  return instant.getTime() - now.getTime() > LARGEST_SKEW_MS;
}

/** How long ago it was in ms, 0 or more; infinite where it never was, or was told by a clock that ran ahead. */
export function elapsedMs(since: Date | null, now: Date): number {
  if (since === null || isFuture(since, now)) return Number.POSITIVE_INFINITY;
  return Math.max(0, now.getTime() - since.getTime());
}
