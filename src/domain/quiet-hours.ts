/** Hours of the night in which mail waits. */

/** By the wall clock of the zone, every day; `from` may be later than `to`, which is then of the next day. */
export type QuietHours = {
  /** Minutes after midnight, 0 to 1439. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** IANA name. */
  readonly timezone: string;
};

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
/** Clocks are changed at a full quarter of an hour (UTC), everywhere. */
const STEADY_MINUTES = 15;

/**
 * When the quiet hours in which the instant lies are over, on the minute; null where it lies in none.
 *
 * An end that the clocks skip is the first minute after it.
 */
export function quietUntil(quiet: QuietHours, instant: Date): Date | null {
  const minuteOf = wallClock(quiet.timezone);
  const minute = Math.floor(instant.getTime() / MINUTE_MS);
  let at = minute;
  for (let local = minuteOf(at); isBetween(local, quiet); local = minuteOf(at)) {
    const left = (quiet.toMinute - local + DAY_MINUTES) % DAY_MINUTES;
    at += Math.min(left, STEADY_MINUTES - (at % STEADY_MINUTES));
  }
  return at === minute ? null : new Date(at * MINUTE_MS);
}

function isBetween(minute: number, { fromMinute, toMinute }: QuietHours): boolean {
  if (fromMinute <= toMinute) return fromMinute <= minute && minute < toMinute;
  return minute >= fromMinute || minute < toMinute;
}

/** Minutes after midnight, local, of an instant in minutes since the epoch. */
function wallClock(timezone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: timezone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return (at) => {
    const [hour = 0, minute = 0] = format
      .format(at * MINUTE_MS)
      .split(":")
      .map(Number);
    return hour * 60 + minute;
  };
}
