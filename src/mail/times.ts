/**
 * Instants and stretches of time in words for people: English, unambiguous, in the recipient's zone and in UTC.
 */
import { createMemory } from "../domain/memory.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export type Times = {
  /** "Tue 24 Nov 2026, 17:00 CET (16:00 UTC)" */
  readonly absolute: (instant: Date) => string;
  /** "in 2 days 3 hours", "5 minutes ago" */
  readonly relative: (instant: Date) => string;
  /** Both: "Tue 24 Nov 2026, 17:00 CET (16:00 UTC), in 2 days 3 hours" */
  readonly full: (instant: Date) => string;
  /** Short, for what is told exactly elsewhere: "17:00 CET" of today, "Tue 24 Nov, 17:00 CET" of another day. */
  readonly clock: (instant: Date) => string;
  /** "10:02 to 10:41 CET": both ends as by `clock`, what they share said once. */
  readonly span: (from: Date, to: Date) => string;
};

/**
 * How times are told in one mail.
 *
 * @param timezone IANA name
 * @param now what "in 5 hours" is counted from
 * @throws RangeError for a zone that does not exist
 */
export function createTimes(timezone: string, now: Date): Times {
  const local = fieldsIn(timezone, () => createFields(timezone));
  const utc = fieldsIn("UTC", () => createFields("UTC"));

  const absolute = (instant: Date): string => {
    const here = local(instant);
    const there = utc(instant);
    const shown = `${here.day} ${here.year}, ${here.time} ${here.zone}`;
    if (here.zone === "UTC") return shown;
    return `${shown} (${here.day === there.day ? "" : `${there.day}, `}${there.time} UTC)`;
  };
  const relative = (instant: Date): string => {
    const ms = instant.getTime() - now.getTime();
    return ms > 0 ? `in ${duration(ms)}` : `${duration(-ms)} ago`;
  };
  const today = local(now);
  const day = (one: Fields): string => (one.year === today.year ? one.day : `${one.day} ${one.year}`);
  const prefix = (one: Fields, since: Fields): string => (day(one) === day(since) ? "" : `${day(one)}, `);
  const span = (from: Date, to: Date): string => {
    const [first, last] = [local(from), local(to)];
    const zone = first.zone === last.zone ? "" : ` ${first.zone}`;
    return `${prefix(first, today)}${first.time}${zone} to ${prefix(last, first)}${last.time} ${last.zone}`;
  };

  return {
    absolute,
    relative,
    full: (instant) => `${absolute(instant)}, ${relative(instant)}`,
    clock: (instant) => `${prefix(local(instant), today)}${local(instant).time} ${local(instant).zone}`,
    span,
  };
}

/** "2 days 3 hours": the two largest units, rounded down so that nobody comes too late; never negative. */
export function duration(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const hours = Math.floor((ms % DAY_MS) / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  const units: readonly string[] =
    days > 0 ? [count(days, "day"), count(hours, "hour")] : [count(hours, "hour"), count(minutes, "minute")];
  return units.filter((unit) => !unit.startsWith("0 ")).join(" ") || "less than a minute";
}

/** "1 day", "3,400 days" */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
}

/** Zones whose formats are kept: to make one takes longer than to write a mail with it. */
const MOST_ZONES = 64;

type Fields = { readonly day: string; readonly year: string; readonly time: string; readonly zone: string };

const fieldsIn = createMemory<(instant: Date) => Fields>(MOST_ZONES);

function createFields(timezone: string): (instant: Date) => Fields {
  const options = {
    timeZone: timezone,
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
  } as const;
  // Each English knows the abbreviations of its own part of the world: CET here, EST there.
  const british = new Intl.DateTimeFormat("en-GB", options);
  const american = new Intl.DateTimeFormat("en-US", options);

  return (instant) => {
    const parts = american.formatToParts(instant);
    const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((p) => p.type === type)?.value ?? "";
    const names = [british.formatToParts(instant).find((p) => p.type === "timeZoneName")?.value, part("timeZoneName")];
    return {
      day: `${part("weekday")} ${part("day")} ${part("month")}`,
      year: part("year"),
      time: `${part("hour")}:${part("minute")}`,
      zone: names.find((name) => name && !/^GMT./.test(name)) ?? part("timeZoneName").replace("GMT", "UTC"),
    };
  };
}
