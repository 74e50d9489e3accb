import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { PgBoss } from "pg-boss";
import { createWorker } from "../../../src/adapters/postgres/queue-worker.ts";
import { MIGRATED } from "../../support/database.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const QUEUE = "one-at-a-time";

test("where nothing else is in hand a result is written at once, so that what waits for it goes on", {
  timeout: 20_000,
}, async (t) => {
  const { url, drop } = await createTestDatabase(MIGRATED);
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false });
  await boss.start();
  await boss.createQueue(QUEUE, { policy: "stately", notify: false });
  const begun = new EventTarget();
  const worker = createWorker(
    { name: QUEUE, atOnce: 10, oneAtATime: true, gatherMs: 60_000 },
    { boss, onError: assert.ifError, onTaken: () => {}, onFailed: () => {} },
    (jobs) =>
      jobs.map(async () => {
        begun.dispatchEvent(new Event("begun"));
        return null;
      }),
  );
  t.after(async () => {
    await worker.stop(1_000);
    await boss.stop({ graceful: false });
    await drop();
  });

  for (const nth of [1, 2, 3]) {
    const next = once(begun, "begun");
    await boss.send(QUEUE, { nth }, { singletonKey: "alike" });
    worker.wake();
    await next;
  }
});
