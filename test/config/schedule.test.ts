import assert from "node:assert/strict";
import { test } from "node:test";
import { getTasks } from "node-cron";
import { readSchedule } from "../../src/config/schedule.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const INTERVALS: readonly (readonly [expression: string, shortestMs: number, longestMs: number])[] = [
  ["*/15 * * * *", 15 * MINUTE, 15 * MINUTE],
  ["*/10 * * * * *", 10_000, 10_000],
  ["*/25 * * * *", 10 * MINUTE, 25 * MINUTE],
  ["0 9 * * *", DAY, DAY],
  ["0 9,17 * * *", 8 * HOUR, 16 * HOUR],
  ["*/5 9-17 * * 1-5", 5 * MINUTE, 2 * DAY + 15 * HOUR + 5 * MINUTE],
  ["0 9 * * 1", 7 * DAY, 7 * DAY],
  ["0 9 * 1 *", DAY, 336 * DAY],
  ["0 9 L * *", 28 * DAY, 31 * DAY],
  ["0 9 29 2 *", 4 * 365 * DAY + DAY, 4 * 365 * DAY + DAY],
  // Either is enough, as in every cron: on the 1st, on the 15th and on Mondays.
  ["0 9 1,15 * 1", DAY, 7 * DAY],
  ["0 9 1-31 * mon", DAY, DAY],
];

for (const [expression, shortestMs, longestMs] of INTERVALS) {
  test(`the stretches between the runs of ${expression} are known`, () => {
    const refusals: string[] = [];

    const schedule = readSchedule(expression, (message) => refusals.push(message));

    assert.deepEqual({ schedule, refusals }, { schedule: { expression, shortestMs, longestMs }, refusals: [] });
  });
}

const FAULTS: readonly (readonly [expression: string, refusal: RegExp])[] = [
  ["* * * *", /^It has 4 fields\.$/],
  ["@daily", /^It has 1 field\.$/],
  ["60 * * * *", /minute field "60"/],
  ["60 * * * * *", /second field "60"/],
  ["0 24 * * *", /hour field "24"/],
  ["0 0 32 * *", /day of month field "32"/],
  ["0 0 * 13 *", /month field "13"/],
  ["0 0 * * FOO", /day of week field "FOO"/],
  ["0 0 31 2 *", /^It never runs/],
  ["0 0 31 2 1", /^It never runs/],
  ["0 9 L * 5", /both day of month and day of week, .* with "L"\. Put "\*" in one of the two/],
  ["0 9 */2 * 1", /with "\*\/2"/],
  ["0 9 15W * mon", /with "15W"/],
  ["0 9 1 * 1#1", /with "1#1"/],
];

for (const [expression, refusal] of FAULTS) {
  test(`the schedule ${expression} is refused with the fault named`, () => {
    const refusals: string[] = [];

    const schedule = readSchedule(expression, (message) => refusals.push(message));

    assert.equal(schedule, undefined);
    assert.match(refusals.join("\n"), refusal);
  });
}

test("space between and around the fields does not matter", () => {
  const schedule = readSchedule("  0\t9  * * *\n", assert.fail);

  assert.equal(schedule?.expression, "0 9 * * *");
});

test("measuring a schedule leaves no task behind", () => {
  readSchedule("0 9 * * 1-5", assert.fail);

  assert.equal(getTasks().size, 0);
});
