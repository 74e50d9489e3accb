/** What is to be done when the clock is looked at: pure, as the slots are. */
import type { Slots } from "./slots.ts";

export type LookPlan = {
  /** The slot that runs now: the last of those that passed; null where none did. */
  readonly run: Date | null;
  readonly next: Date;
};

/**
 * However many slots passed since the last look, one runs.
 *
 * @param expected the next slot, as of the last look
 * @param setBack whether the clock was set back since: what is next is then found anew
 */
export function planLook(slots: Slots, expected: Date, { now, setBack }: { now: Date; setBack: boolean }): LookPlan {
  if (setBack) return { run: null, next: slots.after(now) };
  if (now < expected) return { run: null, next: expected };
  const run = slots.lastBetween(new Date(expected.getTime() - 1), now) ?? expected;
  return { run, next: slots.after(now) };
}
