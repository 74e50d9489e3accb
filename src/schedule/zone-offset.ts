/** By how much a zone's wall clock is ahead of UTC, and when that changes. */
import { createMemory } from "../domain/memory.ts";

const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;
const MOST_ZONES = 64;

/** The first instant at which the clocks show something else than time alone would have them show. */
export type OffsetChange = { readonly atMs: number; readonly beforeMs: number; readonly afterMs: number };

const formats = createMemory<Intl.DateTimeFormat>(MOST_ZONES);

/** In ms; positive east of Greenwich. @param timezone IANA name */
export function offsetAt(timezone: string, instantMs: number): number {
  const second = Math.floor(instantMs / SECOND_MS) * SECOND_MS;
  const format = formats(timezone, () => formatOf(timezone));
  const part = Object.fromEntries(format.formatToParts(second).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day, hour, minute, second: seconds } = part;
  return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
}

/** The first change after one instant and not after the other; null where there is none. */
export function firstChange(timezone: string, fromMs: number, untilMs: number): OffsetChange | null {
  const beforeMs = offsetAt(timezone, fromMs);
  for (let atMs = fromMs; atMs < untilMs; ) {
    const nextMs = Math.min(atMs + DAY_MS, untilMs);
    if (offsetAt(timezone, nextMs) !== beforeMs) return narrowed(timezone, beforeMs, [atMs, nextMs]);
    atMs = nextMs;
  }
  return null;
}

/** Clocks change on a full second. */
function narrowed(timezone: string, beforeMs: number, [fromMs, untilMs]: readonly [number, number]): OffsetChange {
  let [from, until] = [Math.floor(fromMs / SECOND_MS), Math.ceil(untilMs / SECOND_MS)];
  while (until - from > 1) {
    const middle = Math.floor((from + until) / 2);
    if (offsetAt(timezone, middle * SECOND_MS) === beforeMs) from = middle;
    else until = middle;
  }
  const atMs = until * SECOND_MS;
  return { atMs, beforeMs, afterMs: offsetAt(timezone, atMs) };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const two = "2-digit";
  const time = { hour: two, minute: two, second: two, hourCycle: "h23" } as const;
  return new Intl.DateTimeFormat("en-US", { timeZone, year: "numeric", month: two, day: two, ...time });
}
