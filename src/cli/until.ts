/** Instants to come as people write them: RFC 3339, a day, `tomorrow`, or how long from now. */
import { parseDuration } from "../config/duration.ts";
import { UsageError } from "./failure.ts";
import { readInstant } from "./instant.ts";
import type { Zone } from "./zone.ts";

const DATED = /^\d{4}-/;
const LONGEST_YEARS = 1;

/**
 * The instant; a day is its beginning in the zone.
 *
 * @throws UsageError that names the option, also where the instant does not lie ahead or lies more than a year ahead
 */
export function readUntil(option: string, text: string, { now, zone }: { now: Date; zone: Zone }): Date {
  const until = parseUntil(option, text, { now, zone });
  if (until === null || Number.isNaN(until.getTime())) {
    const accepted = `2026-11-22T10:00:00Z, 2026-11-22 (the beginning of that day in ${zone.name}), tomorrow, or how long from now, such as 2h or 3d`;
    throw new UsageError(`${option} cannot be ${JSON.stringify(text)}: it takes ${accepted}.`);
  }
  if (until <= now) throw new UsageError(`${option} must lie ahead; ${until.toISOString()} does not.`);
  const latest = new Date(now);
  latest.setUTCFullYear(now.getUTCFullYear() + LONGEST_YEARS);
  if (until > latest) throw new UsageError(`${option} is at most one year ahead: ${latest.toISOString()}.`);
  return until;
}

function parseUntil(option: string, text: string, { now, zone }: { now: Date; zone: Zone }): Date | null {
  if (text === "tomorrow") {
    const [year, month, day] = zone.dayOf(now);
    const next = new Date(Date.UTC(year, month - 1, day + 1));
    return zone.startOfDay(next.getUTCFullYear(), next.getUTCMonth() + 1, next.getUTCDate());
  }
  if (!DATED.test(text)) {
    const ahead = parseDuration(text);
    return ahead === null ? null : new Date(now.getTime() + ahead);
  }
  try {
    return readInstant(option, text, { now, zone });
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}
