import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type QuietHours, quietUntil } from "../../src/domain/quiet-hours.ts";
import { DAY, MINUTE } from "../support/durations.ts";

/** `22:00-07:00 Europe/Berlin`. */
function quiet(words: string): QuietHours {
  const [span = "", timezone = "UTC"] = words.split(" ");
  const [fromMinute = 0, toMinute = 0] = span.split("-").map(minuteOf);
  return { fromMinute, toMinute, timezone };
}

function minuteOf(clock: string): number {
  const [hour = 0, minute = 0] = clock.split(":").map(Number);
  return hour * 60 + minute;
}

const NIGHT = "22:00-07:00 UTC";
const BERLIN = "22:00-07:00 Europe/Berlin";
const NEW_YORK = "22:00-07:00 America/New_York";
const LORD_HOWE = "22:00-07:00 Australia/Lord_Howe";

const CASES: readonly [words: string, hours: string, at: string, until: string | null][] = [
  ["over midnight, in the evening", NIGHT, "2026-03-02T23:00:00Z", "2026-03-03T07:00:00Z"],
  ["over midnight, in the morning", NIGHT, "2026-03-03T06:00:00Z", "2026-03-03T07:00:00Z"],
  ["in the first instant", NIGHT, "2026-03-02T22:00:00Z", "2026-03-03T07:00:00Z"],
  ["in the last millisecond", NIGHT, "2026-03-03T06:59:59.999Z", "2026-03-03T07:00:00Z"],
  ["at the end", NIGHT, "2026-03-03T07:00:00Z", null],
  ["a millisecond before they begin", NIGHT, "2026-03-02T21:59:59.999Z", null],
  ["at noon", NIGHT, "2026-03-02T12:00:00Z", null],
  ["within a day", "12:30-14:15 UTC", "2026-03-02T13:00:30.250Z", "2026-03-02T14:15:00Z"],
  ["within a day, after them", "12:30-14:15 UTC", "2026-03-02T14:15:00Z", null],
  ["that end at midnight", "20:00-00:00 UTC", "2026-03-02T23:59:00Z", "2026-03-03T00:00:00Z"],
  ["that begin at midnight", "00:00-06:00 UTC", "2026-03-02T00:00:00Z", "2026-03-02T06:00:00Z"],
  ["of all the day but a minute", "08:01-08:00 UTC", "2026-03-02T08:01:00Z", "2026-03-03T08:00:00Z"],
  ["that are none", "08:00-08:00 UTC", "2026-03-02T08:00:00Z", null],
  ["in Kathmandu", "22:00-07:00 Asia/Kathmandu", "2026-03-02T23:00:00Z", "2026-03-03T01:15:00Z"],
  ["in Berlin in winter", BERLIN, "2026-01-10T22:00:00Z", "2026-01-11T06:00:00Z"],
  ["in Berlin in summer", BERLIN, "2026-07-10T22:00:00Z", "2026-07-11T05:00:00Z"],
  ["in Berlin, the night in which an hour is skipped", BERLIN, "2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"],
  ["in Berlin, the night in which an hour comes twice", BERLIN, "2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"],
  ["in New York, the night in which an hour is skipped", NEW_YORK, "2026-03-08T03:30:00Z", "2026-03-08T11:00:00Z"],
  ["in New York, the night in which an hour comes twice", NEW_YORK, "2026-11-01T02:30:00Z", "2026-11-01T12:00:00Z"],
  ["on Lord Howe, where half an hour is skipped", LORD_HOWE, "2026-10-03T12:00:00Z", "2026-10-03T20:00:00Z"],
  ["on Lord Howe, where half an hour comes twice", LORD_HOWE, "2026-04-04T12:00:00Z", "2026-04-04T20:30:00Z"],
  ["whose end the clocks skip", "22:00-02:30 Europe/Berlin", "2026-03-29T00:10:00Z", "2026-03-29T01:00:00Z"],
  [
    "whose end the clocks skip in New York",
    "22:00-02:30 America/New_York",
    "2026-03-08T06:59:59Z",
    "2026-03-08T07:00:00Z",
  ],
  [
    "whose end the clocks skip on Lord Howe",
    "22:00-02:15 Australia/Lord_Howe",
    "2026-10-03T15:00:00Z",
    "2026-10-03T15:30:00Z",
  ],
  [
    "whose end comes twice, the first time",
    "22:00-02:30 Europe/Berlin",
    "2026-10-24T21:00:00Z",
    "2026-10-25T00:30:00Z",
  ],
  ["whose end comes twice, between the two", "22:00-02:30 Europe/Berlin", "2026-10-25T00:45:00Z", null],
  [
    "whose end comes twice, the second time",
    "22:00-02:30 Europe/Berlin",
    "2026-10-25T01:10:00Z",
    "2026-10-25T01:30:00Z",
  ],
  [
    "whose beginning comes twice, the first time",
    "02:15-06:00 Europe/Berlin",
    "2026-10-25T00:30:00Z",
    "2026-10-25T01:00:00Z",
  ],
  [
    "whose beginning comes twice, the second time",
    "02:15-06:00 Europe/Berlin",
    "2026-10-25T01:15:00Z",
    "2026-10-25T05:00:00Z",
  ],
  ["that the clocks skip whole", "02:10-02:50 Europe/Berlin", "2026-03-29T01:00:00Z", null],
];

for (const [words, hours, at, until] of CASES) {
  test(`quiet hours ${words} are ${until === null ? "not now" : `over at ${until}`}`, () => {
    assert.deepEqual(quietUntil(quiet(hours), new Date(at)), until === null ? null : new Date(until));
  });
}

describe("quiet hours", () => {
  const ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Antarctica/Troll",
  ];
  /** Nights in which some of the zones turn their clocks, and one in which none does. */
  const NIGHTS = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01", "2026-07-01"];
  const minute = fc.integer({ min: 0, max: 1_439 });
  const hours = fc.record({ fromMinute: minute, toMinute: minute, timezone: fc.constantFrom(...ZONES) });
  const instant = fc
    .tuple(fc.constantFrom(...NIGHTS), fc.integer({ min: -DAY, max: DAY }))
    .map(([night, ms]) => new Date(new Date(night).getTime() + ms));

  test("end at a later instant, which is not quiet, and all between is", () => {
    fc.assert(
      fc.property(
        hours,
        instant,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
        (one, at, parts) => {
          const until = quietUntil(one, at);
          if (until === null) return;

          assert.ok(until > at);
          assert.equal(until.getTime() % MINUTE, 0);
          assert.equal(quietUntil(one, until), null);
          const lastMs = until.getTime() - 1;
          for (const part of [...parts, 1]) {
            const between = new Date(Math.floor(at.getTime() + part * (lastMs - at.getTime())));
            assert.deepEqual(quietUntil(one, between), until, between.toISOString());
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("are what the clock on the wall says", () => {
    fc.assert(
      fc.property(hours, instant, (one, at) => {
        const clock = at.toLocaleTimeString("en-GB", { timeZone: one.timezone, hour: "2-digit", minute: "2-digit" });
        const local = minuteOf(clock);
        const { fromMinute: from, toMinute: to } = one;
        const expected = from <= to ? from <= local && local < to : local >= from || local < to;

        assert.equal(quietUntil(one, at) !== null, expected);
      }),
    );
  });
});
