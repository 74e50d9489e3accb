import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { DatabaseError, explained } from "../../../src/adapters/postgres/database-error.ts";
import { type Database, openDatabase } from "../../../src/adapters/postgres/open.ts";
import { createQueue, type Queue, type Workers } from "../../../src/adapters/postgres/queue.ts";
import type { SyncResult, SyncState } from "../../../src/adapters/postgres/queue-syncs.ts";
import { type OpenedDatabase, openTestDatabase } from "../../support/database.ts";
import { HOUR } from "../../support/durations.ts";
import { countStatements } from "../../support/statement-counter.ts";
import { startRelay, type TcpRelay } from "../../support/tcp-relay.ts";

/** Two processes' worth of queue on one database. */
let database: OpenedDatabase;
let other: { readonly database: Database; readonly queue: Queue };

beforeEach(async () => {
  database = await openTestDatabase();
  const opened = await openDatabase(database.url, "command");
  const queue = createQueue(opened, (error) => {
    throw error;
  });
  await queue.start();
  other = { database: opened, queue };
});
afterEach(async () => {
  await other.queue.stop(1_000);
  await other.database.close();
  await database.close();
});

const DONE: SyncResult = { outcome: "complete", reason: null };

function workers(overrides: Partial<Workers> = {}): Workers {
  return { sync: async () => DONE, deliver: (jobs) => jobs.map(async () => {}), digest: async () => {}, ...overrides };
}

function eachBy(runs: ReturnType<typeof tally>): Workers["deliver"] {
  return (jobs) => jobs.map(({ notificationId }) => runs.run(notificationId, async () => {}));
}

async function workOnBoth(with_: Workers): Promise<void> {
  await Promise.all([database.queue, other.queue].map((queue) => queue.work(with_)));
}

/** Emits "end" with the count so far for each piece of work that ended, and tells how many were under way at once. */
function tally() {
  const events = new EventEmitter();
  const seen: string[] = [];
  const underWay = new Map<string, number>();
  const most = new Map<string, number>();
  return {
    seen,
    most,
    async run<T>(name: string, work: () => Promise<T>): Promise<T> {
      seen.push(name);
      underWay.set(name, (underWay.get(name) ?? 0) + 1);
      most.set(name, Math.max(most.get(name) ?? 0, underWay.get(name) ?? 0));
      const result = await work();
      underWay.set(name, (underWay.get(name) ?? 0) - 1);
      // The worker writes down the result before anybody looks.
      setImmediate(() => events.emit("end", seen.length));
      return result;
    },
    /** Resolves when so many pieces of work have begun and the latest has ended. */
    async until(count: number): Promise<void> {
      while (seen.length < count) await once(events, "end");
    },
  };
}

async function stateOf(jobId: string): Promise<SyncState | undefined> {
  return (await database.queue.resultsOf([jobId])).get(jobId);
}

/** Resolves when a job is done. */
async function result(id: string): Promise<SyncResult | null> {
  for (;;) {
    const answer = await stateOf(id);
    if (answer?.done) return answer.result;
    await pause(10);
  }
}

describe("a sync that is asked for", () => {
  test("by many for the same slot is one job, and runs once", async () => {
    const slot = randomUUID();
    const runs = tally();
    const asked = await Promise.all(
      Array.from({ length: 10 }, (_, nth) => [database.queue, other.queue][nth % 2]?.requestSync("ops", slot)),
    );

    await workOnBoth(workers({ sync: (job) => runs.run(job.id, async () => DONE) }));
    await result(slot);

    assert.deepEqual(
      asked,
      Array.from({ length: 10 }, () => slot),
    );
    assert.deepEqual(runs.seen, [slot]);
  });

  test("again after its slot has run is not run again", async () => {
    const slot = randomUUID();
    const runs = tally();
    await workOnBoth(workers({ sync: (job) => runs.run(job.id, async () => DONE) }));
    await database.queue.requestSync("ops", slot);
    await result(slot);

    const late = await other.queue.requestSync("ops", slot);

    assert.equal(late, null);
    assert.deepEqual(await stateOf(slot), { done: true, result: DONE });
    assert.deepEqual(runs.seen, [slot]);
  });

  test("while another waits is that other one", async () => {
    const [first, second] = [randomUUID(), randomUUID()];

    const asked = [await database.queue.requestSync("ops", first), await other.queue.requestSync("ops", second)];

    assert.deepEqual(asked, [first, first]);
  });

  test("gives its result to whoever asked for it", async () => {
    const slot = randomUUID();
    const outcome: SyncResult = { outcome: "incomplete", reason: "page 2: HTTP 502" };
    await database.queue.requestSync("ops", slot);
    const before = await stateOf(slot);

    await other.queue.work(workers({ sync: async () => outcome }));

    assert.deepEqual(before, { done: false, result: null });
    assert.deepEqual(await result(slot), outcome);
  });
});

describe("syncs of many watches", () => {
  const ask = (queue: Queue, names: readonly string[]) =>
    Promise.all(names.map((name) => queue.requestSync(name, randomUUID())));
  const named = (count: number, name: string) => Array.from({ length: count }, (_, nth) => `${name} ${nth}`);

  test("cost a few statements together, not some for each of them", async () => {
    const counter = await countStatements(new URL(database.url));
    const opened = await openDatabase(counter.url, "command");
    const queue = createQueue(opened, (error) => {
      throw error;
    });
    const runs = tally();
    let statements = 0;
    try {
      await queue.start();
      await queue.work(workers({ sync: ({ watch }) => runs.run(watch, async () => DONE) }));
      const before = counter.count();
      const ids = await ask(queue, named(200, "watch"));
      await Promise.all(ids.map((id) => result(id ?? "")));
      statements = counter.count() - before;
    } finally {
      await queue.stop(1_000);
      await opened.close();
      await counter.close();
    }

    assert.equal(new Set(runs.seen).size, 200);
    assert.ok(statements < 40, `${statements} statements`);
  });

  test("go on while those of others hang, however many these are", { timeout: 20_000 }, async () => {
    const hangs = (watch: string) => watch.startsWith("hanging");
    const runs = tally();
    const sync: Workers["sync"] = async ({ watch }, signal) => {
      if (hangs(watch)) await once(signal, "abort");
      return runs.run(watch, async () => DONE);
    };
    await other.queue.work(workers({ sync }));
    await ask(other.queue, named(60, "hanging"));

    const ids = await ask(other.queue, named(10, "watch"));
    await Promise.all(ids.map((id) => result(id ?? "")));

    assert.deepEqual(runs.seen.toSorted(), named(10, "watch"));
  });

  test("are not run again because one of them failed", async () => {
    const runs = tally();
    const failOnce = async (watch: string) => {
      const isFirst = runs.seen.filter((seen) => seen === watch).length === 1;
      if (watch === "watch 1" && isFirst) throw new Error("it could not be recorded");
      return DONE;
    };
    await database.queue.work(workers({ sync: ({ watch }) => runs.run(watch, () => failOnce(watch)) }));

    const ids = await ask(database.queue, named(3, "watch"));
    await Promise.all(ids.map((id) => result(id ?? "")));

    assert.deepEqual(runs.seen.toSorted(), ["watch 0", "watch 1", "watch 1", "watch 2"]);
  });
});

test("a result that the database refuses keeps no other from being written", async () => {
  const refused: SyncResult = { outcome: "failed", reason: "a null byte: \0" };
  const opened = await openDatabase(database.url, "command");
  const queue = createQueue(opened, () => {});
  await queue.start();
  await queue.work(workers({ sync: async ({ watch }) => (watch === "bad" ? refused : DONE) }));

  const asked = await Promise.all(["bad", "good"].map((watch) => queue.requestSync(watch, randomUUID())));
  const good = await result(asked[1] ?? "");
  await queue.stop(1_000);
  await opened.close();

  assert.deepEqual(good, DONE);
});

describe("syncs of one watch", () => {
  test("never overlap, whichever process runs them, while those of others go on beside them", async () => {
    const runs = tally();
    const bothInside = new EventEmitter();
    const inside = new Set<string>();
    await workOnBoth(
      workers({
        sync: ({ watch }) =>
          runs.run(watch, async () => {
            inside.add(watch);
            // The first sync of each watch waits until there is one of the other.
            if (inside.size === 2) bothInside.emit("yes");
            else if (runs.seen.length <= 2) await once(bothInside, "yes");
            return DONE;
          }),
      }),
    );

    for (let round = 1; round <= 4; round += 1) {
      const ids = [randomUUID(), randomUUID()];
      await Promise.all([
        database.queue.requestSync("ops", ids[0] ?? ""),
        other.queue.requestSync("dev", ids[1] ?? ""),
      ]);
      await runs.until(2 * round);
    }

    assert.deepEqual(Object.fromEntries(runs.most), { ops: 1, dev: 1 });
    assert.deepEqual(inside, new Set(["ops", "dev"]));
  });

  test("wait for the one that is under way, and then run", async () => {
    const runs = tally();
    const release = new EventEmitter();
    const started = once(release, "started");
    const [first, second] = [randomUUID(), randomUUID()];
    await workOnBoth(
      workers({
        sync: (job) =>
          runs.run("ops", async () => {
            if (job.id !== first) return DONE;
            const released = once(release, "go");
            release.emit("started");
            await released;
            return DONE;
          }),
      }),
    );
    await database.queue.requestSync("ops", first);
    await started;
    await other.queue.requestSync("ops", second);
    other.queue.wake();
    const meanwhile = await stateOf(second);

    release.emit("go");
    await result(first);
    other.queue.wake();
    await result(second);

    assert.deepEqual(meanwhile, { done: false, result: null });
    assert.deepEqual(runs.most.get("ops"), 1);
  });
});

describe("a mail's job", () => {
  const enqueue = (ids: readonly string[], startAfter?: Date) =>
    database.prisma.$transaction((tx) => database.queue.enqueueDeliveries(tx, ids, startAfter));
  const waiting = () =>
    database.prisma.$queryRaw<{ id: string; at: Date }[]>`
      SELECT data->>'notificationId' AS id, start_after AS at FROM pgboss.job WHERE name = 'deliver' AND state = 'created'`;

  test("is run once, by one process of several", async () => {
    const ids = Array.from({ length: 20 }, () => randomUUID());
    const runs = tally();
    await enqueue(ids);

    await workOnBoth(workers({ deliver: eachBy(runs) }));
    await runs.until(20);

    assert.deepEqual(runs.seen.toSorted(), ids.toSorted());
  });

  test("does not wait for the next poll where a worker has just done another", { timeout: 8_000 }, async () => {
    const ids = Array.from({ length: 40 }, () => randomUUID());
    const runs = tally();
    await enqueue(ids);

    // At one job per worker and poll this would take 20 seconds.
    await database.queue.work(workers({ deliver: eachBy(runs) }));
    await runs.until(40);

    assert.equal(new Set(runs.seen).size, 40);
  });

  test("whose time comes is run soon after, though nobody says that it has", { timeout: 10_000 }, async () => {
    const runs = tally();
    const startAfter = new Date(Date.now() + 500);
    await database.queue.work(workers({ deliver: eachBy(runs) }));

    await enqueue([randomUUID()], startAfter);
    await runs.until(1);

    assert.ok(Date.now() >= +startAfter);
  });

  test("is not there where the transaction that owes the mail was rolled back", async () => {
    const failing = database.prisma.$transaction(async (tx) => {
      await database.queue.enqueueDeliveries(tx, [randomUUID()]);
      throw new Error("rolled back");
    });

    await assert.rejects(failing, /rolled back/);

    assert.deepEqual(await waiting(), []);
  });

  test("that starts later waits while others are run", async () => {
    const [later, now] = [randomUUID(), randomUUID()];
    const startAfter = new Date(Date.now() + HOUR);
    const runs = tally();
    await enqueue([later], startAfter);
    await enqueue([now]);

    await workOnBoth(workers({ deliver: eachBy(runs) }));
    await runs.until(1);

    assert.deepEqual(runs.seen, [now]);
    assert.deepEqual(await waiting(), [{ id: later, at: startAfter }]);
  });
});

/** A queue whose connections can be cut. However the test ends, it is stopped: a queue at work keeps the process alive. */
async function throughRelay(
  onError: (error: Error, opened: Database) => void,
  run: (queue: Queue, relay: TcpRelay) => Promise<void>,
): Promise<void> {
  const relay = await startRelay(new URL(database.url));
  const opened = await openDatabase(relay.url, "command");
  const queue = createQueue(opened, (error) => onError(error, opened));
  try {
    await queue.start();
    await run(queue, relay);
  } finally {
    await queue.stop(1_000);
    await opened.close();
    await relay.close();
  }
}

test("a job that fails because the database is away is run again within seconds of its return", async () => {
  const runs = tally();
  let backAt = 0;
  let tookMs = Number.POSITIVE_INFINITY;

  await throughRelay(
    () => {},
    async (queue, relay) => {
      const failOnce = async () => {
        if (runs.seen.length > 1) return DONE;
        relay.cut();
        setTimeout(() => {
          backAt = Date.now();
          void relay.mend();
        }, 1_500);
        throw new Error("it could not be recorded");
      };
      await queue.work(workers({ sync: ({ watch }) => runs.run(watch, failOnce) }));
      // Not by way of the relay: the worker may cut it before whoever asks has heard the answer.
      await database.queue.requestSync("ops", randomUUID());
      await runs.until(2);
      tookMs = Date.now() - backAt;
    },
  );

  assert.ok(backAt > 0 && tookMs < 8_000, `it took ${tookMs} ms`);
});

test("of a server that hangs up on whoever connects, the queue says nothing that is no sentence", async () => {
  const said: unknown[] = [];
  const errors = new EventEmitter();
  const hear = (error: Error, { connection }: Database) => {
    said.push(explained(error, connection));
    errors.emit("heard");
  };

  await throughRelay(hear, async (queue, relay) => {
    await queue.work(workers());
    const heard = once(errors, "heard", { signal: AbortSignal.timeout(20_000) });
    await relay.hangUp();
    await heard;
  });

  const raw = said.filter((error) => !(error instanceof DatabaseError));
  assert.deepEqual(raw, []);
});

test("stopping waits for the work in hand, and gives back what does not end in time", async () => {
  const [quick, slow] = [randomUUID(), randomUUID()];
  const events = new EventEmitter();
  const begun = new Set<string>();
  await other.queue.work(
    workers({
      async sync({ watch }, signal) {
        begun.add(watch);
        if (begun.size === 2) events.emit("both");
        // The slow one ends only when it is told to.
        if (watch === "slow") await once(signal, "abort");
        else await once(events, "finish");
        return DONE;
      },
    }),
  );
  const both = once(events, "both");
  await Promise.all([other.queue.requestSync("quick", quick), other.queue.requestSync("slow", slow)]);
  other.queue.wake();
  await both;

  const stopped = other.queue.stop(500);
  events.emit("finish");
  await stopped;

  const rows = await database.prisma.$queryRaw<{ id: string; state: string }[]>`
    SELECT id, state::text FROM pgboss.job WHERE name = 'sync'`;
  const states = Object.fromEntries(rows.map(({ id, state }) => [id, state]));
  assert.equal(states[quick], "completed");
  assert.equal(states[slow], "retry");
});

test("a queue stops in time though its database is gone without a word", { timeout: 30_000 }, async () => {
  const relay = await startRelay(new URL(database.url));
  const opened = await openDatabase(relay.url, "command");
  const queue = createQueue(opened, () => {});
  await queue.start();
  await queue.work(workers());
  relay.vanish();
  queue.wake();
  const toldAt = performance.now();

  await queue.stop(1_000);

  const tookMs = performance.now() - toldAt;
  await relay.close();
  await opened.close();
  assert.ok(tookMs < 5_000, `it took ${Math.round(tookMs)} ms`);
});
