import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { PrismaPg } from "@prisma/adapter-pg";
import { createSyncStore } from "../../src/adapters/postgres/sync-store.ts";
import { runSync } from "../../src/app/sync.ts";
import type { Snapshot } from "../../src/domain/snapshot.ts";
import { PrismaClient } from "../../src/generated/prisma/client.ts";
import { complete, failed, incomplete, listed } from "../support/build.ts";
import { type OpenedDatabase, openTestDatabase } from "../support/database.ts";
import { HOUR, MINUTE } from "../support/durations.ts";
import { type Lab, openLab } from "../support/lab.ts";

let database: OpenedDatabase;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

async function open(t: TestContext): Promise<Lab> {
  const lab = await openLab({ database });
  t.after(lab.close);
  return lab;
}

/** A sync that finds this snapshot, whatever the API says; vanished invites stay unasked for. */
function syncOf(lab: Lab, snapshot: Snapshot) {
  const source = { fetchSnapshot: async () => snapshot, locate: async () => new Map() };
  return runSync(lab.plan, { ...lab.ports, source }, new AbortController().signal);
}

/** Rows that are in `now` and not in `then`, by table, and rows of `then` that are there no more. */
function written(then: readonly string[], now: readonly string[]) {
  const table = (version: string) => version.slice(0, version.indexOf(" "));
  const [old, young] = [new Set(then), new Set(now)];
  return {
    added: now.filter((row) => !old.has(row)).map(table),
    replaced: then.filter((row) => !young.has(row)).map(table),
  };
}

describe("what a sync writes", () => {
  test("is exactly one row for an unchanged snapshot, however many invites it has", async (t) => {
    const lab = await open(t);
    for (let nth = 0; nth < 120; nth += 1) lab.invite();
    lab.invite({ status: "accepted" });
    await lab.sync();
    lab.pass(15 * MINUTE);
    const then = await database.rowVersions();

    const { sync } = await lab.sync();

    assert.deepEqual(written(then, await database.rowVersions()), { added: ["sync"], replaced: [] });
    assert.deepEqual([sync.outcome, sync.listed, sync.events], ["complete", 121, 0]);
  });

  test("is known without reading any invite of which there is nothing new", async (t) => {
    const lab = await open(t);
    for (let nth = 0; nth < 20; nth += 1) lab.invite();
    lab.invite({ expires_on: lab.inMs(25 * HOUR) });
    await lab.sync();
    const snapshot = await lab.ports.source.fetchSnapshot(new AbortController().signal);
    const know = (ms: number) =>
      lab.store.ledger(lab.plan.watch).know(snapshot, lab.plan.rules, new Date(lab.now().getTime() + ms));

    const [now, later] = [await know(0), await know(2 * HOUR)];

    assert.deepEqual([now.invites.size, now.unchanged.size], [0, 21]);
    assert.deepEqual([later.invites.size, later.unchanged.size], [1, 20]);
  });

  test("is exactly one row for a failed poll", async (t) => {
    const lab = await open(t);
    lab.invite();
    await lab.sync();
    const then = await database.rowVersions();

    await syncOf(lab, failed({ takenAt: lab.now() }));

    assert.deepEqual(written(then, await database.rowVersions()), { added: ["sync"], replaced: [] });
  });

  test("leaves the rows of unchanged invites alone where one has changed", async (t) => {
    const lab = await open(t);
    const invites = Array.from({ length: 30 }, () => lab.invite());
    await lab.sync();
    lab.api.invites.update(invites[7]?.id ?? "", { organization_name: "Renamed" });
    const then = await database.rowVersions();

    await lab.sync();

    const { added, replaced } = written(then, await database.rowVersions());
    assert.deepEqual(added.toSorted(), ["event", "invite", "sync", "watch"]);
    assert.deepEqual(replaced.toSorted(), ["invite", "watch"]);
  });

  test("is the mail and its job beside the event", async (t) => {
    const lab = await open(t);
    await lab.sync();
    lab.invite();
    const then = await database.rowVersions();

    const { notifications } = await lab.sync();

    const { added } = written(then, await database.rowVersions());
    assert.deepEqual(added.toSorted(), ["event", "invite", "notification", "pgboss.job", "sync", "watch"]);
    const jobs = await database.prisma.$queryRaw<{ name: string; data: unknown }[]>`
      SELECT name, data FROM pgboss.job WHERE data->>'notificationId' = ${notifications[0]?.id}`;
    assert.deepEqual(jobs, [{ name: "deliver", data: { notificationId: notifications[0]?.id } }]);
  });
});

test("how many statements a sync takes does not depend on the number of invites", async (t) => {
  const prisma = new PrismaClient({
    adapter: new PrismaPg(database.connection),
    log: [{ emit: "event", level: "query" }],
  });
  t.after(() => prisma.$disconnect());
  let statements: string[] = [];
  prisma.$on("query", ({ query }) => statements.push(query));
  const store = createSyncStore(prisma, database.queue.enqueueDeliveries);
  const countFor = async (count: number) => {
    const lab = await open(t);
    const counts: Record<string, number> = {};
    const run = async (what: string) => {
      statements = [];
      await runSync(lab.plan, { ...lab.ports, store }, new AbortController().signal);
      counts[what] = statements.length;
      lab.pass(15 * MINUTE);
    };

    const invites = Array.from({ length: count }, () => lab.invite());
    await run("all new");
    await run("unchanged");
    lab.api.invites.replaceAll(invites.map((invite) => ({ ...invite, roles: ["Billing"] })));
    await run("all changed");
    lab.pass(10 * 24 * HOUR);
    await run("all expired");
    lab.api.invites.clear();
    await run("all gone");
    return counts;
  };

  const [few, many] = [await countFor(2), await countFor(400)];

  assert.deepEqual(many, few);
  assert.ok((few["all new"] ?? 0) >= 6, "statements are counted at all");
});

describe("a snapshot taken before the last recorded one", () => {
  test("is discarded: it is a row of the ledger and changes nothing else", async (t) => {
    const lab = await open(t);
    lab.invite();
    await lab.sync();
    const stale = complete([listed({ id: "long gone" })], new Date(lab.now().getTime() - 1));
    const then = await database.rowVersions();

    const { sync, events } = await syncOf(lab, stale);

    assert.deepEqual([sync.outcome, sync.reason], ["superseded", "a snapshot taken later is already recorded"]);
    assert.deepEqual(events, []);
    assert.deepEqual(written(then, await database.rowVersions()), { added: ["sync"], replaced: [] });
  });

  test("is discarded where it is incomplete too", async (t) => {
    const lab = await open(t);
    await lab.sync();

    const stale = incomplete({ invites: [listed()], takenAt: new Date(lab.now().getTime() - 1) });
    const { sync } = await syncOf(lab, stale);

    assert.equal(sync.outcome, "superseded");
    assert.equal((await lab.known()).size, 0);
  });

  test("does not count a poll that read nothing as the last one", async (t) => {
    const lab = await open(t);
    lab.invite();
    await lab.sync();
    await syncOf(lab, failed({ takenAt: new Date(lab.now().getTime() + HOUR) }));
    lab.pass(MINUTE);

    const { sync } = await lab.sync();

    assert.equal(sync.outcome, "complete");
  });

  test("is recorded as failed where it read nothing, and lets the clock speak", async (t) => {
    const lab = await open(t);
    lab.invite({ expires_on: lab.inMs(HOUR) });
    await lab.sync();
    lab.pass(2 * HOUR);

    const { sync, events } = await syncOf(lab, failed({ takenAt: new Date(lab.now().getTime() - 3 * HOUR) }));

    assert.equal(sync.outcome, "failed");
    assert.deepEqual(
      events.map((event) => event.type),
      ["invite.expired", "watch.blind"],
    );
  });

  test("does not become the last one by being recorded", async (t) => {
    const lab = await open(t);
    await lab.sync();
    await syncOf(lab, complete([], new Date(lab.now().getTime() - HOUR)));

    const { sync } = await syncOf(lab, complete([], new Date(lab.now().getTime() - MINUTE)));

    assert.equal(sync.outcome, "superseded");
  });
});

describe("two syncs of one watch that record at the same time", () => {
  test("do it one after the other, and each event is recorded once", async (t) => {
    const lab = await open(t);
    for (let nth = 0; nth < 20; nth += 1) lab.invite({ expires_on: lab.inMs(5 * HOUR) });

    const recordings = await Promise.all(Array.from({ length: 6 }, () => lab.sync()));

    assert.deepEqual(
      recordings.map(({ events }) => events.length).toSorted((a, b) => a - b),
      [0, 0, 0, 0, 0, 41],
    );
    const history = await lab.history();
    assert.deepEqual(
      history.map((event) => event.seq),
      Array.from({ length: 41 }, (_, index) => index + 1),
    );
    assert.equal(await lab.brokenChain(), null);
  });

  test("know under the lock what the other recorded", async (t) => {
    const lab = await open(t);
    const inside: string[] = [];
    const record = (name: string, snapshot: Snapshot) =>
      lab.store.record(lab.plan.watch, async (ledger) => {
        const known = await ledger.know(snapshot, lab.plan.rules, lab.now());
        inside.push(`${name} sees ${known.lastTakenAt === null ? "nothing" : "the other"}`);
        const sync = {
          id: lab.ports.newId(),
          watch: lab.plan.watch,
          startedAt: snapshot.takenAt,
          finishedAt: lab.now(),
        };
        const rest = {
          outcome: "complete",
          reason: null,
          cause: null,
          httpStatus: null,
          code: null,
          cfRay: null,
        } as const;
        const counts = { pages: 1, listed: 0, totalCount: 0, events: 0, intervalMs: 1, clockSkewMs: null };
        const nothing = {
          newInvites: [],
          changedInvites: [],
          events: [],
          notifications: [],
          suppressions: [],
          atRisk: [],
        };
        return { sync: { ...sync, ...rest, ...counts }, ...nothing };
      });

    await Promise.all([record("one", complete([], lab.now())), record("other", complete([], lab.now()))]);

    assert.match(inside.join(", "), /^(one|other) sees nothing, (one|other) sees the other$/);
  });
});

describe("a sync that fails while it records", () => {
  for (const [when, enqueue] of [
    ["before the jobs are written", () => Promise.reject(new Error("no queue"))],
    [
      "after the jobs are written",
      async (...args: Parameters<typeof database.queue.enqueueDeliveries>) => {
        await database.queue.enqueueDeliveries(...args);
        throw new Error("no queue");
      },
    ],
  ] as const) {
    test(`${when} leaves nothing, and the next one finds it all`, async (t) => {
      const lab = await open(t);
      await lab.sync();
      lab.invite();
      const store = createSyncStore(database.prisma, enqueue);
      const then = await database.rowVersions();

      await assert.rejects(runSync(lab.plan, { ...lab.ports, store }, new AbortController().signal), /no queue/);

      assert.deepEqual(written(then, await database.rowVersions()), { added: [], replaced: [] });
      const { events, notifications } = await lab.sync();
      assert.deepEqual(
        events.map((event) => event.type),
        ["invite.received"],
      );
      assert.equal(notifications.length, 1);
    });
  }
});
