/** Instants and days in the configured time zone. */
import { formatDuration } from "../config/duration.ts";
import { spellInstantsBy } from "../domain/instants.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export type Zone = {
  readonly name: string;
  /** "2026-11-22 22:01" */
  readonly show: (instant: Date) => string;
  /** When the day began there; a day whose midnight the clocks skip begins after it. */
  readonly startOfDay: (year: number, month: number, day: number) => Date;
  /** Year, month (1 to 12) and day there. */
  readonly dayOf: (instant: Date) => readonly [year: number, month: number, day: number];
};

/** @param name IANA name */
export function createZone(name: string): Zone {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
  const fieldsOf = (instant: Date): Readonly<Record<string, string>> =>
    Object.fromEntries(format.formatToParts(instant).map((part) => [part.type, part.value]));
  const offsetMs = (instant: Date): number => {
    const { year, month, day, hour, minute, second } = fieldsOf(instant);
    const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
    return wall - Math.floor(instant.getTime() / 1000) * 1000;
  };
  return {
    name,
    show: (instant) => {
      const { year, month, day, hour, minute } = fieldsOf(instant);
      return `${year}-${month}-${day} ${hour}:${minute}`;
    },
    startOfDay: (year, month, day) => {
      const midnight = Date.UTC(year, month - 1, day);
      const [before, after] = [-DAY_MS, DAY_MS].map((ms) => midnight - offsetMs(new Date(midnight + ms)));
      const candidates = [before ?? midnight, after ?? midnight].map((ms) => new Date(ms));
      const real = candidates.filter((instant) => instant.getTime() + offsetMs(instant) === midnight);
      const times = (real.length > 0 ? real : candidates).map((instant) => instant.getTime());
      return new Date(real.length > 0 ? Math.min(...times) : Math.max(...times));
    },
    dayOf: (instant) => {
      const { year, month, day } = fieldsOf(instant);
      return [Number(year), Number(month), Number(day)];
    },
  };
}

/** The text with its RFC 3339 instants told in the zone. */
export function spellInstants(text: string, zone: Zone): string {
  return spellInstantsBy(text, zone.show);
}

/** What is said of an instant that lies in the future and cannot. */
export const UNDER_WRONG_CLOCK = "taken under a wrong clock";

/** "2d3h", "45m", "20s": the two largest units, rounded down. */
export function shortDuration(ms: number): string {
  const unitMs = ms >= DAY_MS ? HOUR_MS : ms >= HOUR_MS ? MINUTE_MS : 1000;
  return formatDuration(Math.floor(Math.max(0, ms) / unitMs) * unitMs);
}

/** "in 2d3h", "45m ago" */
export function relative(instant: Date, now: Date): string {
  const ms = instant.getTime() - now.getTime();
  return ms > 0 ? `in ${shortDuration(ms)}` : `${shortDuration(-ms)} ago`;
}
