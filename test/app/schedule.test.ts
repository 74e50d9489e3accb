import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { overdueAtStart, overdueDigest, overdueJobId, overdueSync, slotJobId } from "../../src/app/schedule.ts";
import { slotsOf } from "../../src/schedule/slots.ts";
import { after, NOW } from "../support/build.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/durations.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("the job for a slot of the schedule", () => {
  test("is named alike by every replica", () => {
    assert.equal(slotJobId("ops", NOW), slotJobId("ops", new Date(NOW)));
  });

  test("is another for another watch, and for another slot", () => {
    const ids = [slotJobId("ops", NOW), slotJobId("dev", NOW), slotJobId("ops", after(MINUTE))];

    assert.equal(new Set(ids).size, 3);
  });

  test("is named by a UUID, whatever the watch is called", () => {
    for (const watch of ["ops", "", "ünïcode 🙂", "a\nb"]) assert.match(slotJobId(watch, NOW), UUID);
  });
});

const QUARTERLY = {
  intervalMs: 15 * MINUTE,
  slots: slotsOf("*/15 * * * *", "UTC"),
  jitterMs: 30 * SECOND,
};

describe("a sync is overdue", () => {
  test("at the start where the last complete one is an interval old", () => {
    assert.equal(overdueAtStart({ completeAt: after(-14 * MINUTE), anyAt: NOW }, QUARTERLY, NOW), false);
    assert.equal(overdueAtStart({ completeAt: after(-15 * MINUTE), anyAt: NOW }, QUARTERLY, NOW), true);
  });

  test("at the start where none was ever complete, though some failed just now", () => {
    assert.equal(overdueAtStart({ completeAt: null, anyAt: NOW }, QUARTERLY, NOW), true);
  });

  test("at the start where the last complete one lies in what is now the future", () => {
    assert.equal(overdueAtStart({ completeAt: after(8 * HOUR), anyAt: NOW }, QUARTERLY, NOW), true);
  });

  test("not at the start on the morning after the clocks were put back, before a daily schedule has its slot", () => {
    const daily = { intervalMs: DAY, slots: slotsOf("0 9 * * *", "Europe/Berlin"), jitterMs: 0 };
    const completeAt = new Date("2026-10-24T07:00:03Z");

    assert.equal(overdueAtStart({ completeAt, anyAt: completeAt }, daily, new Date("2026-10-25T07:30:00Z")), false);
    assert.equal(overdueAtStart({ completeAt, anyAt: completeAt }, daily, new Date("2026-10-25T08:00:00Z")), true);
  });

  test("later where a slot passed two minutes and the jitter ago, and none has begun since", () => {
    const last = { completeAt: null, anyAt: after(-15 * MINUTE + 10 * SECOND) };

    assert.equal(overdueSync(last, QUARTERLY, after(150 * SECOND - 1)), null);
    assert.deepEqual(overdueSync(last, QUARTERLY, after(150 * SECOND)), { slot: NOW });
  });

  test("later not because polls fail: the schedule asks again by itself", () => {
    assert.equal(overdueSync({ completeAt: after(-DAY), anyAt: after(-MINUTE) }, QUARTERLY, NOW), null);
  });

  test("later where the last one was recorded in what is now the future", () => {
    assert.deepEqual(overdueSync({ completeAt: null, anyAt: after(8 * HOUR) }, QUARTERLY, NOW), { slot: null });
  });

  test("later not because another machine's clock is somewhat ahead", () => {
    assert.equal(overdueSync({ completeAt: null, anyAt: after(2 * MINUTE) }, QUARTERLY, NOW), null);
  });

  test("where there was none at all", () => {
    assert.equal(overdueAtStart({ completeAt: null, anyAt: null }, QUARTERLY, NOW), true);
    assert.deepEqual(overdueSync({ completeAt: null, anyAt: null }, QUARTERLY, NOW), { slot: null });
  });
});

describe("a digest is overdue", () => {
  const mondays = slotsOf("0 9 * * 1", "Europe/Berlin");

  test("where its slot passed two minutes ago without one", () => {
    const lastAt = new Date("2026-11-16T08:00:02Z");

    assert.equal(overdueDigest(lastAt, mondays, new Date("2026-11-23T08:01:59Z")), null);
    assert.deepEqual(
      overdueDigest(lastAt, mondays, new Date("2026-11-23T08:02:00Z")),
      new Date("2026-11-23T08:00:00Z"),
    );
  });

  test("not in the week in which summer time ends, which is an hour longer", () => {
    const lastAt = new Date("2026-10-19T07:00:02Z");

    assert.equal(overdueDigest(lastAt, mondays, new Date("2026-10-26T07:02:30Z")), null);
    assert.equal(overdueDigest(new Date("2026-10-26T08:00:01Z"), mondays, new Date("2026-10-26T08:05:00Z")), null);
  });

  test("once, however many slots passed", () => {
    const slot = overdueDigest(new Date("2026-11-16T08:00:02Z"), mondays, new Date("2027-01-27T12:00:00Z"));

    assert.deepEqual(slot, new Date("2027-01-25T08:00:00Z"));
  });

  test("not before the first: there is nothing to miss", () => {
    assert.equal(overdueDigest(null, mondays, NOW), null);
  });
});

describe("the job for an overdue sync", () => {
  test("is one for replicas that notice it within a minute, and another later or for another watch", () => {
    const first = overdueJobId("ops", NOW);

    assert.match(first, UUID);
    assert.equal(overdueJobId("ops", after(59 * SECOND)), first);
    assert.notEqual(overdueJobId("ops", after(MINUTE)), first);
    assert.notEqual(overdueJobId("dev", NOW), first);
  });

  test("is never the job of a slot", () => {
    assert.notEqual(overdueJobId("ops", NOW), slotJobId("ops", NOW));
  });
});
