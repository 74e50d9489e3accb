/**
 * What a cron expression says of the wall clock: on which days it runs, and at which times of such a day.
 *
 * node-cron reads the fields, and says which days those match that are no numbers. Where both day of month and day of week are given, either
 * is enough, as POSIX has it. Wall-clock times are in ms, as though the zone were UTC.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/crontab.html
 */
import { createTask, validateDetailed } from "node-cron";
import { createMemory } from "../domain/memory.ts";

export type Cron = {
  /** Of a day that matches, in ms after midnight, ascending. */
  readonly timesMs: readonly number[];
  /** @param dayMs midnight */
  readonly matchesDay: (dayMs: number) => boolean;
  /** Whether it runs every hour or several times in an hour: then it goes by the time that passes, and not by what the clock shows. */
  readonly isFrequent: boolean;
};

export const DAY_MS = 86_400_000;
/** The 29th of February can be eight years away, and may have to be a certain day of the week. */
const LONGEST_WAIT_DAYS = 366 * 41;
const MOST_EXPRESSIONS = 256;

const remembered = createMemory<Cron>(MOST_EXPRESSIONS);

/** @param expression valid, of five or six fields */
export function cronOf(expression: string): Cron {
  return remembered(expression, () => read(expression));
}

/** The first time after this one at which it runs; null where it never does. */
export function wallTimeAfter({ timesMs, matchesDay }: Cron, wallMs: number): number | null {
  let dayMs = Math.floor(wallMs / DAY_MS) * DAY_MS;
  const later = timesMs[firstAbove(timesMs, wallMs - dayMs)];
  if (later !== undefined && matchesDay(dayMs)) return dayMs + later;
  for (let days = 1; days <= LONGEST_WAIT_DAYS; days += 1) {
    dayMs += DAY_MS;
    if (matchesDay(dayMs)) return dayMs + (timesMs[0] ?? 0);
  }
  return null;
}

function read(expression: string): Cron {
  const { fields } = validateDetailed(expression);
  if (fields === undefined) throw new Error(`${expression} is not a valid cron expression`);
  const { second, minute, hour } = fields;
  const times = hour.flatMap((h) => minute.flatMap((m) => second.map((s) => ((h * 60 + m) * 60 + s) * 1000)));
  const timesMs = [...new Set(times)].sort((a, b) => a - b);
  const [dayOfMonth = "*", , dayOfWeek = "*"] = expression.split(" ").slice(-3);
  const isMonth = (day: Date) => fields.month.includes(day.getUTCMonth() + 1);
  const isDate = matcherOf(fields.dayOfMonth, (day) => day.getUTCDate(), `0 0 ${dayOfMonth} * *`);
  const isWeekday = matcherOf(fields.dayOfWeek, (day) => day.getUTCDay(), `0 0 * * ${dayOfWeek}`);
  const either = isRestricted(dayOfMonth) && isRestricted(dayOfWeek);
  const isDay = (day: Date) => (either ? isDate(day) || isWeekday(day) : isDate(day) && isWeekday(day));
  return {
    timesMs,
    matchesDay(dayMs) {
      const day = new Date(dayMs);
      return isMonth(day) && isDay(day);
    },
    isFrequent: new Set(hour).size === 24 || timesMs.length > new Set(hour).size,
  };
}

/** Whether a field for days leaves any out, or might: a list of all days is still a choice. */
export function isRestricted(field: string): boolean {
  return field !== "*" && field !== "?";
}

/** Whether a day has one of the values. @param expression with the same field, for what is more than a number, such as L */
function matcherOf(
  values: readonly (number | string)[],
  of: (day: Date) => number,
  expression: string,
): (day: Date) => boolean {
  if (values.every((value) => typeof value === "number")) return (day) => values.includes(of(day));
  const task = createTask(expression, () => {}, { timezone: "UTC" });
  // What it matches can be asked all the same; nothing else may be left of it.
  void task.destroy();
  return (day) => task.match(day);
}

/** Where the first of the ascending values stands that is above the limit. */
function firstAbove(ascending: readonly number[], limit: number): number {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ascending[middle] ?? 0) > limit) to = middle;
    else from = middle + 1;
  }
  return from;
}
