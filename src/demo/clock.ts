/** A clock that stands still until it is turned on: on it, a story of days is told in seconds. */
import type { Clock } from "../app/ports.ts";

export type StoryClock = Clock & {
  pass(ms: number): void;
  /** In how many ms it next shows this time of day in UTC: "16:45". */
  msUntil(timeOfDay: string): number;
};

const DAY_MS = 86_400_000;

export function createStoryClock(startsAt: Date): StoryClock {
  let nowMs = startsAt.getTime();
  return {
    now: () => new Date(nowMs),
    pass(ms) {
      nowMs += ms;
    },
    msUntil(timeOfDay) {
      const today = new Date(nowMs).toISOString().slice(0, 10);
      const ms = Date.parse(`${today}T${timeOfDay}Z`) - nowMs;
      return ms > 0 ? ms : ms + DAY_MS;
    },
  };
}

/** The last Monday morning, 9 o'clock in UTC, before the instant. */
export function lastMondayMorning(before: Date): Date {
  const monday = new Date(before);
  monday.setUTCHours(9, 0, 0, 0);
  monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
  return monday < before ? monday : new Date(monday.getTime() - 7 * DAY_MS);
}
