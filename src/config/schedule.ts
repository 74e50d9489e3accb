/**
 * Cron expressions: what is wrong with one, and how far apart its runs are.
 *
 * What an expression means is for schedule/ to say.
 */
import { validateDetailed } from "node-cron";
import { type Cron, cronOf, DAY_MS, isRestricted, wallTimeAfter } from "../schedule/cron.ts";

/** A valid schedule, and the stretches between consecutive runs by the wall clock, in ms. */
export type Schedule = {
  /** Five or six fields, one space between them. */
  readonly expression: string;
  readonly shortestMs: number;
  readonly longestMs: number;
};

const NEVER_RUNS = "It never runs: no day has all of its day of month, month and day of week.";

/** Numbers and names, lists and ranges of them: what POSIX has for days. */
const PLAIN_DAYS = /^(\d+|[a-z]{3,})(-(\d+|[a-z]{3,}))?(,(\d+|[a-z]{3,})(-(\d+|[a-z]{3,}))?)*$/i;
const FIRST_DAY = Date.UTC(2001, 0, 1);
const FIVE_YEARS_MS = 1_827 * DAY_MS;
const FEWEST_DAYS = 5;

const FIELDS: Readonly<Record<string, { readonly name: string; readonly accepts: string }>> = {
  second: { name: "second", accepts: "0-59" },
  minute: { name: "minute", accepts: "0-59" },
  hour: { name: "hour", accepts: "0-23" },
  dayOfMonth: { name: "day of month", accepts: "1-31 or L" },
  month: { name: "month", accepts: "1-12 or names" },
  dayOfWeek: { name: "day of week", accepts: "0-7 or names" },
};

/** The schedule, or undefined after `refuse` was told of every fault, each in a sentence. */
export function readSchedule(text: string, refuse: (message: string) => void): Schedule | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) {
    refuse(`It has ${fields.length} ${fields.length === 1 ? "field" : "fields"}.`);
    return undefined;
  }
  const expression = fields.join(" ");
  const { errors } = validateDetailed(expression);
  for (const error of errors) refuse(faultOf(error.field, error.value ?? "", fields));
  if (errors.length > 0) return undefined;
  const dayProblem = dayFault(fields);
  if (dayProblem !== null) {
    refuse(dayProblem);
    return undefined;
  }

  const stretches = stretchesOf(expression);
  if (stretches === null) {
    refuse(NEVER_RUNS);
    return undefined;
  }
  return { expression, ...stretches };
}

function faultOf(field: string, value: string, fields: readonly string[]): string {
  const known = FIELDS[field];
  if (known === undefined) return "It is not a cron expression.";
  if (field === "dayOfMonth" && validateDetailed(`0 0 ${fields.at(-3)} * *`).valid) return NEVER_RUNS;
  return `The ${known.name} field "${value}" is not valid: it takes ${known.accepts}, with "*", ",", "-" and "/".`;
}

/** Day of month and day of week are alternatives where both are given; of what no standard has, nobody could say so. */
function dayFault(fields: readonly string[]): string | null {
  const [dayOfMonth = "*", , dayOfWeek = "*"] = fields.slice(-3);
  if (!isRestricted(dayOfMonth) || !isRestricted(dayOfWeek)) return null;
  const odd = [dayOfMonth, dayOfWeek].find((field) => !PLAIN_DAYS.test(field));
  if (odd === undefined) return null;
  return `It restricts both day of month and day of week, and programs differ on what that means with "${odd}". Put "*" in one of the two, or write days, lists and ranges: then either is enough.`;
}

/**
 * The stretches of a valid expression, or null where no day ever matches.
 *
 * Every matching day has the same times of day, so the stretches are those within one day and those from the last
 * run of one matching day to the first of the next. In the wall clock's hours: a night in which the clocks change is
 * taken to be as long as any other, or one such night a year would widen every daily schedule.
 */
function stretchesOf(expression: string): { shortestMs: number; longestMs: number } | null {
  const cron = cronOf(expression);
  const days = matchingDays(cron);
  if (days === null) return null;
  const times = cron.timesMs;
  const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
  const stretches = [...differences(times), ...differences(days).map((ms) => ms - span)];
  return {
    shortestMs: stretches.reduce((a, b) => Math.min(a, b)),
    longestMs: stretches.reduce((a, b) => Math.max(a, b)),
  };
}

/**
 * Consecutive matching days in ms since the epoch, or null where there are none.
 *
 * Of five years, so that a leap day is among them, or of longer until there are a few.
 */
function matchingDays(cron: Cron): readonly number[] | null {
  const days: number[] = [];
  const midnight = { ...cron, timesMs: [0] };
  for (let day: number | null = FIRST_DAY - 1; day < FIRST_DAY + FIVE_YEARS_MS || days.length < FEWEST_DAYS; ) {
    day = wallTimeAfter(midnight, day);
    if (day === null) return null;
    days.push(day);
  }
  return days;
}

function differences(ascending: readonly number[]): readonly number[] {
  return ascending.slice(1).map((value, index) => value - (ascending[index] ?? value));
}
