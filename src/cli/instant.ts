/** Instants as people write them: RFC 3339, a day, `yesterday`, or how long ago. */
import { parseDuration } from "../config/duration.ts";
import { UsageError } from "./failure.ts";
import type { Zone } from "./zone.ts";

const DAY = /^([1-9]\d{3})-(\d\d)-(\d\d)$/;
const RFC_3339 =
  /^([1-9]\d{3}-\d\d-\d\d)[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * The instant; a day is its beginning in the zone.
 *
 * @throws UsageError that names the option
 */
export function readInstant(option: string, text: string, { now, zone }: { now: Date; zone: Zone }): Date {
  const instant = parseInstant(text, now, zone);
  if (instant !== null && isStorable(instant)) return instant;
  const accepted = `2026-11-22T10:00:00Z, 2026-11-22 (a day in ${zone.name}), yesterday, or how long ago, such as 2h or 3d`;
  throw new UsageError(`${option} cannot be ${JSON.stringify(text)}: it takes ${accepted}.`);
}

function parseInstant(text: string, now: Date, zone: Zone): Date | null {
  if (text === "yesterday") {
    const [year, month, day] = zone.dayOf(now);
    const before = new Date(Date.UTC(year, month - 1, day - 1));
    return zone.startOfDay(before.getUTCFullYear(), before.getUTCMonth() + 1, before.getUTCDate());
  }
  const day = DAY.exec(text);
  if (day !== null) {
    return isDay(text) ? zone.startOfDay(Number(day[1]), Number(day[2]), Number(day[3])) : null;
  }
  const dated = RFC_3339.exec(text);
  if (dated !== null) return isDay(dated[1] ?? "") ? new Date(text.toUpperCase().replace(" ", "T")) : null;
  const ago = parseDuration(text);
  return ago === null ? null : new Date(now.getTime() - ago);
}

/** Years of four digits are what RFC 3339 has. */
function isStorable(instant: Date): boolean {
  return instant.getUTCFullYear() >= 1000 && instant.getUTCFullYear() <= 9999;
}

/** Whether the calendar has the day: JavaScript takes 30 February for 2 March. */
function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
