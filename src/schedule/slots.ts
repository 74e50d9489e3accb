/**
 * The instants at which a schedule runs in its time zone: its slots.
 *
 * Where clocks are put forward, what they skip runs as much later as they are put forward, so that nothing is lost.
 * Where they are put back, a schedule that runs every hour or more often goes on through the repeated hour; a time of
 * day comes once, at its first occurrence. This is how RFC 5545 reads such times.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5545#section-3.3.5
 */
import { type Cron, cronOf, DAY_MS, wallTimeAfter } from "./cron.ts";
import { firstChange, type OffsetChange, offsetAt } from "./zone-offset.ts";

export type Slots = {
  /** The first slot after the instant. */
  after(instant: Date): Date;
  /** The last slot after the first instant and not after the second; null where there is none. */
  lastBetween(from: Date, until: Date): Date | null;
};

const SECOND_MS = 1_000;

/**
 * @param expression valid, of five or six fields
 * @param timezone IANA name
 */
export function slotsOf(expression: string, timezone: string): Slots {
  const cron = cronOf(expression);
  const after = (instantMs: number) => slotAfter(cron, timezone, instantMs);
  return {
    after: (instant) => new Date(after(instant.getTime())),
    lastBetween(from, until) {
      let [low, high] = [from.getTime(), until.getTime()];
      if (high <= low || after(low) > high) return null;
      // However many slots there are between: each step halves the time in which the last one is looked for.
      while (high - low > SECOND_MS) {
        const middle = Math.floor((low + high) / 2);
        if (after(middle) <= until.getTime()) low = middle;
        else high = middle;
      }
      return new Date(after(low));
    },
  };
}

/** A stretch of time in which the zone's offset stays as it is, and the change that it began with, if that is near. */
type Stretch = { readonly offsetMs: number; readonly change: OffsetChange | null };

function slotAfter(cron: Cron, timezone: string, instantMs: number): number {
  let stretch: Stretch = {
    offsetMs: offsetAt(timezone, instantMs),
    change: firstChange(timezone, instantMs - DAY_MS, instantMs),
  };
  for (let afterMs = instantMs; ; afterMs = Math.max(afterMs, (stretch.change?.atMs ?? afterMs) - 1)) {
    const slot = firstIn(stretch, cron, afterMs);
    const change = firstChange(timezone, Math.max(afterMs, stretch.change?.atMs ?? afterMs), slot);
    if (change === null) return slot;
    stretch = { offsetMs: change.afterMs, change };
  }
}

/** The first slot after the instant, were the stretch to go on for ever. */
function firstIn({ offsetMs, change }: Stretch, cron: Cron, afterMs: number): number {
  if (change === null) return runAfter(cron, afterMs, offsetMs);
  const shiftMs = change.afterMs - change.beforeMs;
  if (shiftMs > 0) {
    const skipped = runAfter(cron, afterMs, change.beforeMs);
    const own = runAfter(cron, afterMs, offsetMs);
    return skipped < change.atMs + shiftMs ? Math.min(skipped, own) : own;
  }
  const repeatedUntil = change.atMs - shiftMs;
  return runAfter(cron, cron.isFrequent ? afterMs : Math.max(afterMs, repeatedUntil - 1), offsetMs);
}

function runAfter(cron: Cron, instantMs: number, offsetMs: number): number {
  const wallMs = wallTimeAfter(cron, instantMs + offsetMs);
  if (wallMs === null) throw new Error("the schedule never runs; it should have been refused");
  return wallMs - offsetMs;
}
