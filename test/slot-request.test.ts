import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { repeatedJobId, slotJobId } from "../src/app/schedule.ts";
import { requestSlot } from "../src/slot-request.ts";
import { NOW } from "./support/build.ts";
import { openTestDatabase } from "./support/database.ts";
import { HOUR } from "./support/durations.ts";
import { openLab } from "./support/lab.ts";

test("a slot is asked for once on all replicas, and again where a clock that was set back comes to it again", async (t) => {
  const database = await openTestDatabase();
  t.after(database.close);
  const lab = await openLab({ database });
  t.after(lab.close);
  const { queue } = database;
  const none = async () => {};
  const sync = async () => {
    const { outcome, reason } = (await lab.sync()).sync;
    return { outcome, reason };
  };
  await queue.work({ sync, deliver: none, digest: none });
  const { watch } = lab.plan;
  const ports = { queue, store: lab.store, clock: { now: lab.now } };
  const ask = () => requestSlot({ watch, slot: NOW, jitterMs: 30_000 }, ports);
  const done = async (id: string) => {
    while ((await queue.resultsOf([id])).get(id)?.done !== true) await delay(20);
  };

  const first = await ask();
  queue.wake();
  await done(slotJobId(watch, NOW));
  const replica = await ask();
  lab.pass(HOUR);
  await sync();
  lab.pass(-HOUR);
  const repeated = await ask();
  queue.wake();
  await done(repeatedJobId(slotJobId(watch, NOW)));
  const otherReplica = await ask();

  assert.deepEqual([first, replica, repeated, otherReplica], [true, false, true, false]);
});
