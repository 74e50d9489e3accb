import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createReader } from "../../../src/adapters/postgres/read-store.ts";
import { coverageOf } from "../../../src/domain/coverage.ts";
import { at, type Seeded, seededDatabase, sync } from "./read-seed.ts";

let seeded: Seeded;

/** ops: failed at 10:00, complete from 10:15, down from 10:45 to 11:15, silent from 11:45 to 12:30, then complete. */
before(async () => {
  seeded = await seededDatabase("ops", "new");
  await seeded.syncs(
    sync(at("10:00"), { outcome: "failed", reason: "HTTP 401" }),
    sync(at("10:15")),
    sync(at("10:30")),
    sync(at("10:40"), { outcome: "superseded", reason: "a snapshot taken later is already recorded" }),
    sync(at("10:45"), { outcome: "incomplete", reason: "page 2: HTTP 502" }),
    sync(at("11:00"), { outcome: "failed", reason: "HTTP 503" }),
    sync(at("11:15")),
    sync(at("11:30")),
    sync(at("11:45")),
    sync(at("12:30")),
  );
});

after(() => seeded.close());

async function gaps(since: Date | null, until: Date, now = until) {
  const { spans, outages } = await createReader(seeded.database).ledger(["ops"], { since, until, now });
  const coverage = coverageOf(spans, outages, { since, until, now });
  return coverage.gaps.map((gap) => [gap.since, gap.until, gap.reason, gap.syncs]);
}

const first = [at("10:00"), at("10:15"), "HTTP 401", 1];
const short = [at("10:30"), at("11:15"), "page 2: HTTP 502", 2];
const silent = [at("11:45"), at("12:30"), "no sync ran", 0];

test("the ledger gives the gaps of all its time", async () => {
  assert.deepEqual(await gaps(null, at("12:31")), [first, short, silent]);
});

test("a gap that began before the time asked for and ended after it is whole", async () => {
  assert.deepEqual(await gaps(at("10:50"), at("11:01"), at("12:31")), [short]);
});

test("a time between two gaps has none", async () => {
  assert.deepEqual(await gaps(at("11:20"), at("11:40")), []);
});

test("a gap that only began after the time asked for is not in it", async () => {
  assert.deepEqual(await gaps(at("11:20"), at("11:45")), []);
});

test("the gap since the newest complete sync is open once the next sync is late", async () => {
  assert.deepEqual(await gaps(at("12:30"), at("12:50")), []);
  assert.deepEqual(await gaps(at("12:30"), at("12:54")), [[at("12:30"), null, "no sync ran", 0]]);
});

test("a watch that was never synced has no beginning", async () => {
  const ledger = await createReader(seeded.database).ledger(["new"], {
    since: null,
    until: at("12:00"),
    now: at("12:00"),
  });

  assert.deepEqual(ledger, { spans: [{ watch: "new", firstSyncAt: null }], outages: [] });
});
