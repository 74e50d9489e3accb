import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createScheduler, type Scheduled } from "../src/scheduler.ts";
import { DAY, HOUR, MINUTE, SECOND } from "./support/durations.ts";

const NOON = Date.parse("2026-11-27T12:00:10Z");

/** A scheduler with clocks that the test turns. */
function open(t: TestContext, given: Partial<Scheduled> = {}) {
  let [wallMs, monotonicMs] = [NOON, 5_000];
  const lines: Record<string, unknown>[] = [];
  const ran: string[] = [];
  const scheduler = createScheduler({
    clock: { now: () => new Date(wallMs) },
    monotonicMs: () => monotonicMs,
    chance: () => 0,
    log: { warn: (fields) => lines.push(fields) },
  });
  t.after(() => scheduler.close());
  const next = scheduler.add({
    expression: "*/15 * * * *",
    timezone: "Europe/Berlin",
    jitterMs: 0,
    run: (slot) => ran.push(slot.toISOString().slice(0, 19)),
    ...given,
  });
  return {
    scheduler,
    next,
    ran,
    lines,
    pass(ms: number) {
      wallMs += ms;
      monotonicMs += ms;
      scheduler.look();
    },
    set(byMs: number) {
      wallMs += byMs;
      scheduler.look();
    },
  };
}

test("each slot runs once, when it has come", (t) => {
  const { next, ran, lines, pass } = open(t);

  pass(14 * MINUTE + 49 * SECOND);
  const before = [...ran];
  pass(SECOND);
  pass(SECOND);
  for (let seconds = 0; seconds < 15 * 60; seconds += 30) pass(30 * SECOND);

  assert.equal(next.toISOString(), "2026-11-27T12:15:00.000Z");
  assert.deepEqual(before, []);
  assert.deepEqual(ran, ["2026-11-27T12:15:00", "2026-11-27T12:30:00"]);
  assert.deepEqual(lines, []);
});

test("a clock that is set sixty days ahead costs one run and one line", (t) => {
  const { ran, lines, set } = open(t, { expression: "* * * * *" });

  set(60 * DAY);

  assert.deepEqual(ran, ["2027-01-26T12:00:00"]);
  assert.deepEqual(lines, [{ event: "clock.jumped", byMs: 60 * DAY, schedulesDue: 1 }]);
});

test("a clock that is set back eight hours stops nothing: the next slot is that of the new time", (t) => {
  const { ran, lines, pass, set } = open(t);

  set(-8 * HOUR);
  pass(15 * MINUTE);

  assert.deepEqual(ran, ["2026-11-27T04:15:00"]);
  assert.deepEqual(lines, [{ event: "clock.jumped", byMs: -8 * HOUR, schedulesDue: 0 }]);
});

test("a clock that is corrected by seconds is not told of", (t) => {
  const { ran, lines, pass, set } = open(t);

  set(-2 * SECOND);
  set(3 * SECOND);
  pass(15 * MINUTE);

  assert.deepEqual(ran, ["2026-11-27T12:15:00"]);
  assert.deepEqual(lines, []);
});

test("what a process that stood still missed is done once, with one line", (t) => {
  const { ran, lines, pass } = open(t, { expression: "* * * * * *" });

  pass(2 * HOUR);

  assert.deepEqual(ran, ["2026-11-27T14:00:10"]);
  assert.deepEqual(lines, [{ event: "schedule.late", schedulesDue: 1 }]);
});

test("the timer itself runs what is due, also where each run waits for a random time", async (t) => {
  const slots: Date[] = [];
  const { promise: second, resolve } = Promise.withResolvers<void>();
  const scheduler = createScheduler({
    clock: { now: () => new Date() },
    monotonicMs: () => performance.now(),
    chance: Math.random,
    log: { warn: assert.fail },
  });
  t.after(() => scheduler.close());
  const run = (slot: Date) => {
    if (slots.push(slot) === 2) resolve();
  };

  scheduler.add({ expression: "* * * * * *", timezone: "UTC", jitterMs: 100, run });
  await second;

  assert.equal((slots[1]?.getTime() ?? 0) - (slots[0]?.getTime() ?? 0), SECOND);
});
