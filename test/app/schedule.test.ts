import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOverdue, overdueJobId, slotJobId } from "../../src/app/schedule.ts";
import { after, NOW } from "../support/build.ts";
import { DAY, MINUTE, SECOND } from "../support/durations.ts";

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

describe("a sync is overdue", () => {
  const starting = { intervalMs: 15 * MINUTE, starting: true };
  const running = { intervalMs: 15 * MINUTE, starting: false };

  test("at the start where the last complete one is an interval old", () => {
    assert.equal(isOverdue({ completeAt: after(-14 * MINUTE), anyAt: NOW }, starting, NOW), false);
    assert.equal(isOverdue({ completeAt: after(-15 * MINUTE), anyAt: NOW }, starting, NOW), true);
  });

  test("at the start where none was ever complete, though some failed just now", () => {
    assert.equal(isOverdue({ completeAt: null, anyAt: NOW }, starting, NOW), true);
  });

  test("later where none at all began for an interval and two minutes", () => {
    const last = { completeAt: null, anyAt: after(-15 * MINUTE) };

    assert.equal(isOverdue(last, running, after(2 * MINUTE - 1)), false);
    assert.equal(isOverdue(last, running, after(2 * MINUTE)), true);
  });

  test("later not because polls fail: the schedule asks again by itself", () => {
    assert.equal(isOverdue({ completeAt: after(-DAY), anyAt: after(-MINUTE) }, running, NOW), false);
  });

  test("where there was none at all", () => {
    assert.equal(isOverdue({ completeAt: null, anyAt: null }, starting, NOW), true);
    assert.equal(isOverdue({ completeAt: null, anyAt: null }, running, NOW), true);
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
