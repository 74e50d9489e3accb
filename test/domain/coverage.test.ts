import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { coverageOf, type Outage } from "../../src/domain/coverage.ts";

const INTERVAL_MS = 900_000;

/** Minutes after ten o'clock. */
function minute(minutes: number): Date {
  return new Date(Date.UTC(2026, 10, 22, 10) + minutes * 60_000);
}

function outage(since: number | null, until: number | null, shortfalls = 0, reason: string | null = null): Outage {
  return {
    watch: "ops",
    since: since === null ? null : minute(since),
    until: until === null ? null : minute(until),
    intervalMs: since === null ? null : INTERVAL_MS,
    shortfalls,
    reason,
  };
}

type Case = {
  readonly title: string;
  readonly outages: readonly Outage[];
  /** Minutes; the first sync was at 0 and now is 100. */
  readonly since?: number;
  readonly until?: number;
  readonly share: number;
  /** Since, until, syncs, reason. */
  readonly gaps: readonly (readonly [number, number | null, number, string])[];
};

const cases: readonly Case[] = [
  { title: "without outages all is covered", outages: [], share: 1, gaps: [] },
  {
    title: "a gap lasts from the complete sync before a failed one to the next complete one",
    outages: [outage(10, 30, 1, "HTTP 502")],
    share: 0.8,
    gaps: [[10, 30, 1, "HTTP 502"]],
  },
  {
    title: "a sync that is late by less than half an interval and a minute opens no gap",
    outages: [outage(10, 33.5)],
    share: 1,
    gaps: [],
  },
  {
    title: "a sync that is later than that opens one, with its own reason",
    outages: [outage(10, 35)],
    share: 0.75,
    gaps: [[10, 35, 0, "no sync ran"]],
  },
  {
    title: "the newest complete sync opens none while the next is not late",
    outages: [outage(80, null)],
    share: 1,
    gaps: [],
  },
  {
    title: "once the next is late the gap is open",
    outages: [outage(75, null)],
    share: 0.75,
    gaps: [[75, null, 0, "no sync ran"]],
  },
  {
    title: "a gap keeps its bounds where they lie outside the time asked for, and counts only inside",
    outages: [outage(10, 60, 3, "HTTP 502")],
    since: 50,
    until: 90,
    share: 0.75,
    gaps: [[10, 60, 3, "HTTP 502"]],
  },
  {
    title: "a gap outside the time asked for is not told",
    outages: [outage(10, 30, 1, "HTTP 502")],
    since: 40,
    share: 1,
    gaps: [],
  },
  {
    title: "before the first complete sync nothing is covered",
    outages: [outage(null, 20, 2, "HTTP 401")],
    share: 0.8,
    gaps: [[0, 20, 2, "HTTP 401"]],
  },
  {
    title: "from before the first sync on, the time that was asked for counts as missed",
    outages: [],
    since: -100,
    share: 0.5,
    gaps: [[-100, 0, 0, "no sync ran"]],
  },
];

for (const { title, outages, since, until, share, gaps } of cases) {
  test(title, () => {
    const asked = { since: since === undefined ? null : minute(since), until: minute(until ?? 100), now: minute(100) };

    const coverage = coverageOf([{ watch: "ops", firstSyncAt: minute(0) }], outages, asked);

    assert.equal(coverage.share, share);
    assert.deepEqual(
      coverage.gaps.map((gap) => [gap.since, gap.until, gap.syncs, gap.reason]),
      gaps.map(([from, to, syncs, reason]) => [minute(from), to === null ? null : minute(to), syncs, reason]),
    );
  });
}

test("the share over all watches weighs each by its own time", () => {
  const spans = [
    { watch: "ops", firstSyncAt: minute(0) },
    { watch: "new", firstSyncAt: minute(50) },
  ];

  const coverage = coverageOf(spans, [outage(70, null, 2, "x")], { since: null, until: minute(100), now: minute(100) });

  assert.equal(coverage.share, 120 / 150);
  assert.deepEqual(
    coverage.watches.map(({ watch, share }) => [watch, share]),
    [
      ["ops", 0.7],
      ["new", 1],
    ],
  );
});

test("a watch that was never synced covers nothing", () => {
  const spans = [{ watch: "ops", firstSyncAt: null }];

  const unasked = coverageOf(spans, [], { since: null, until: minute(100), now: minute(100) });
  const asked = coverageOf(spans, [], { since: minute(0), until: minute(100), now: minute(100) });

  assert.deepEqual([unasked.since, unasked.share, unasked.gaps], [null, 0, []]);
  assert.deepEqual([asked.share, asked.gaps.length], [0, 1]);
});

test("whatever the ledger and the question, the share is from 0 to 1 and one watch's gaps are in order and apart", () => {
  const ledger = fc
    .uniqueArray(fc.integer({ min: 0, max: 500 }), { minLength: 2, maxLength: 30 })
    .chain((minutes) => fc.tuple(fc.constant(minutes.sort((a, b) => a - b)), fc.infiniteStream(fc.nat({ max: 2 }))));
  const bound = fc.integer({ min: -200, max: 700 });

  fc.assert(
    fc.property(ledger, fc.option(bound), bound, ([minutes, counts], since, until) => {
      const outages = minutes.map((from, index) => outage(from, minutes[index + 1] ?? null, counts.next().value, "x"));
      const firstSyncAt = minute(minutes[0] ?? 0);
      const asked = { since: since === null ? null : minute(since), until: minute(until), now: minute(700) };

      const { share, gaps } = coverageOf([{ watch: "ops", firstSyncAt }], outages, asked);

      assert.ok(share >= 0 && share <= 1, `${share}`);
      for (const [index, gap] of gaps.entries()) {
        const next = gaps[index + 1];
        if (next !== undefined) assert.ok(gap.until !== null && gap.until <= next.since);
      }
    }),
  );
});
