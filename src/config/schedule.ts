/**
 * Cron expressions: what is wrong with one, and how far apart its runs are.
 *
 * node-cron has the last word on what an expression means.
 */
import { createTask, validateDetailed } from "node-cron";

/** A valid schedule, and the stretches between consecutive runs by the wall clock, in ms. */
export type Schedule = {
  /** Five or six fields, one space between them. */
  readonly expression: string;
  readonly shortestMs: number;
  readonly longestMs: number;
};

const NEVER_RUNS = "It never runs: no day has all of its day of month, month and day of week.";

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

/**
 * The stretches of a valid expression, or null where no day ever matches.
 *
 * Every matching day has the same times of day, so the stretches are those within one day and those from the last
 * run of one matching day to the first of the next. In the wall clock's hours: a night in which the clocks change is
 * taken to be as long as any other, or one such night a year would widen every daily schedule.
 */
function stretchesOf(expression: string): { shortestMs: number; longestMs: number } | null {
  const parsed = validateDetailed(expression).fields;
  if (parsed === undefined) return null;
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = parsed;

  const days = matchingDays(dayOfMonth, month, dayOfWeek);
  if (days === null) return null;
  const times = [...new Set(hour.flatMap((h) => minute.flatMap((m) => second.map((s) => (h * 60 + m) * 60 + s))))]
    .map((seconds) => seconds * 1000)
    .sort((a, b) => a - b);

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
 * Those of a year at the least, so that its rarest gap is among them; where they are few, those of five years, so that
 * a leap day is.
 */
function matchingDays(
  dayOfMonth: readonly (number | string)[],
  month: readonly number[],
  dayOfWeek: readonly (number | string)[],
): readonly number[] | null {
  const aYear = Math.min(dayOfMonth.length * month.length, dayOfWeek.length * 53);
  const task = createTask(`0 0 0 ${dayOfMonth.join(",")} ${month.join(",")} ${dayOfWeek.join(",")}`, () => {}, {
    timezone: "UTC",
  });
  try {
    return task.getNextRuns(Math.min(5 * aYear, Math.max(aYear, 400)) + 2).map((run) => run.getTime());
  } catch {
    return null;
  } finally {
    void task.destroy();
  }
}

function differences(ascending: readonly number[]): readonly number[] {
  return ascending.slice(1).map((value, index) => value - (ascending[index] ?? value));
}
