import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { slotsOf } from "../../src/schedule/slots.ts";
import { firstChange } from "../../src/schedule/zone-offset.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";

const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "America/St_Johns",
  "Pacific/Chatham",
  "UTC",
];

const YEAR_BEGINS = Date.parse("2026-01-01T00:00:00Z");
const YEAR_ENDS = Date.parse("2027-01-01T00:00:00Z");

/** The changes of the zone's clocks in 2026. */
function changesIn(zone: string): number[] {
  const changes: number[] = [];
  for (let change = firstChange(zone, YEAR_BEGINS, YEAR_ENDS); change !== null; ) {
    changes.push(change.atMs);
    change = firstChange(zone, change.atMs, YEAR_ENDS);
  }
  return changes;
}

function slotsBetween(expression: string, zone: string, fromMs: number, untilMs: number): number[] {
  const slots = slotsOf(expression, zone);
  const found: number[] = [];
  for (let slot = slots.after(new Date(fromMs)); slot.getTime() <= untilMs; slot = slots.after(slot)) {
    found.push(slot.getTime());
  }
  return found;
}

function localDay(zone: string, instantMs: number): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(instantMs);
}

function isoSlots(expression: string, zone: string, from: string, count: number): string[] {
  const slots = slotsOf(expression, zone);
  const found: string[] = [];
  let slot = new Date(from);
  while (found.length < count) {
    slot = slots.after(slot);
    found.push(slot.toISOString().replace(":00.000Z", "Z"));
  }
  return found;
}

for (const zone of ZONES) {
  describe(`in ${zone}`, () => {
    test("a schedule of every minute runs every minute while the clocks are changed", () => {
      for (const change of changesIn(zone)) {
        const slots = slotsBetween("* * * * *", zone, change - 3 * HOUR, change + 3 * HOUR);

        assert.deepEqual(
          slots,
          Array.from({ length: 360 }, (_, nth) => change - 3 * HOUR + (nth + 1) * MINUTE),
        );
      }
    });

    test("a time of day runs once a day, whichever it is", () => {
      const timeOfDay = fc.record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.integer({ min: 0, max: 59 }) });
      // A part of the day that the clocks of some zone change in, more often than chance would have it.
      const early = fc.record({ hour: fc.integer({ min: 0, max: 4 }), minute: fc.integer({ min: 0, max: 59 }) });
      const around = changesIn(zone).map((change) => [change - 3 * DAY, change + 3 * DAY] as const);

      fc.assert(
        fc.property(fc.oneof(timeOfDay, early), ({ hour, minute }) => {
          for (const [from, until] of around) {
            const days = slotsBetween(`${minute} ${hour} * * *`, zone, from, until).map((slot) => localDay(zone, slot));
            assert.equal(new Set(days).size, days.length, `twice on one of ${days}`);
            assert.ok(days.length >= 5, `lost among ${days}`);
          }
        }),
        { numRuns: 40 },
      );
    });

    test("a schedule of every hour is never so late that it would be a gap", () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 59 }), (minute) => {
          for (const change of changesIn(zone)) {
            const slots = slotsBetween(`${minute} * * * *`, zone, change - 5 * HOUR, change + 5 * HOUR);
            slots.slice(1).forEach((slot, index) => {
              const stretch = slot - (slots[index] ?? 0);
              assert.ok(stretch > 0 && stretch <= 1.5 * HOUR, `${stretch / MINUTE} minutes`);
            });
          }
        }),
        { numRuns: 30 },
      );
    });

    test("the last slot of any time is the one that counting finds", () => {
      const expressions = fc.constantFrom(
        "*/7 * * * *",
        "30 2 * * *",
        "0 9 * * 1",
        "*/20 1-3 * * *",
        "15 */5 1,15 * *",
      );
      const instant = fc.integer({ min: 0, max: 20 * DAY });
      const anchors = fc.constantFrom(YEAR_BEGINS, ...changesIn(zone).map((change) => change - 10 * DAY));

      fc.assert(
        fc.property(expressions, anchors, instant, instant, (expression, anchor, a, b) => {
          const [from, until] = [anchor + Math.min(a, b), anchor + Math.max(a, b)];

          const last = slotsOf(expression, zone).lastBetween(new Date(from), new Date(until));

          assert.equal(last?.getTime(), slotsBetween(expression, zone, from, until).at(-1));
        }),
        { numRuns: 30 },
      );
    });
  });
}

const EXAMPLES: readonly (readonly [what: string, expression: string, zone: string, from: string, slots: string[]])[] =
  [
    [
      "a digest at nine comes at nine, also on the day on which summer time ends",
      "0 9 * * *",
      "Europe/Berlin",
      "2026-10-24T00:00:00Z",
      ["2026-10-24T07:00Z", "2026-10-25T08:00Z", "2026-10-26T08:00Z"],
    ],
    [
      "a time that the clocks skip comes as much later as they are put forward",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-03-28T00:00:00Z",
      ["2026-03-28T01:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z"],
    ],
    [
      "half an hour that is skipped costs half an hour",
      "15 2 * * *",
      "Australia/Lord_Howe",
      "2026-10-02T16:00:00Z",
      ["2026-10-03T15:45Z", "2026-10-04T15:15Z"],
    ],
    [
      "a time that comes twice counts once",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-10-24T12:00:00Z",
      ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
    ],
    [
      "what runs several times in an hour goes on through the hour that comes twice",
      "0,30 2 * * *",
      "Europe/Berlin",
      "2026-10-24T12:00:00Z",
      ["2026-10-25T00:00Z", "2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z", "2026-10-26T01:00Z"],
    ],
    [
      "day of month and day of week are alternatives",
      "0 9 1,15 * 1",
      "UTC",
      "2026-11-27T12:00:00Z",
      ["2026-11-30T09:00Z", "2026-12-01T09:00Z", "2026-12-07T09:00Z", "2026-12-14T09:00Z", "2026-12-15T09:00Z"],
    ],
    [
      "a list of all days of the month is every day, whatever the day of week",
      "0 9 1-31 * 1",
      "UTC",
      "2026-11-27T12:00:00Z",
      ["2026-11-28T09:00Z", "2026-11-29T09:00Z"],
    ],
    ["the 29th of February is waited for", "0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", ["2104-02-29T00:00Z"]],
  ];

for (const [what, expression, zone, from, expected] of EXAMPLES) {
  test(what, () => {
    assert.deepEqual(isoSlots(expression, zone, from, expected.length), expected);
  });
}

test("sixty days of minutes are looked through in no time", () => {
  const slots = slotsOf("* * * * *", "Europe/Berlin");
  const begun = performance.now();

  const last = slots.lastBetween(new Date("2026-11-27T00:00:30Z"), new Date("2027-01-26T00:00:30Z"));

  assert.equal(last?.toISOString(), "2027-01-26T00:00:00.000Z");
  assert.ok(performance.now() - begun < 1_000);
});
