/** Whoever decides that a mail waits sees what those see who wake: no wake-up is lost between the two. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { createOutboxStore } from "../../../src/adapters/postgres/outbox-store.ts";
import { createPeopleStore } from "../../../src/adapters/postgres/people-store.ts";
import { createSyncStore } from "../../../src/adapters/postgres/sync-store.ts";
import type { Claimed, OutboxStore } from "../../../src/app/delivery/outbox.ts";
import { runSync } from "../../../src/app/sync.ts";
import type { DeliveryOutcome } from "../../../src/domain/delivery/attempt.ts";
import { concludeAll, type SentMail } from "../../../src/domain/delivery/conclude.ts";
import { decideDispatch } from "../../../src/domain/delivery/dispatch.ts";
import { RELAY_WELL, type RelayState } from "../../../src/domain/relay.ts";
import { after as later, NOW, notification } from "../../support/build.ts";
import { type OpenedDatabase, openTestDatabase } from "../../support/database.ts";
import { DAY, MINUTE, SECOND } from "../../support/durations.ts";
import { audienceOf, type Lab, openLab } from "../../support/lab.ts";
import { accepted, failed } from "../../support/outcomes.ts";

const DOWN: RelayState = {
  ...RELAY_WELL,
  downSince: later(-MINUTE),
  failures: 2,
  nextProbeAt: later(5 * MINUTE),
  failedAt: NOW,
  error: "connection refused",
};

let database: OpenedDatabase;
let outbox: OutboxStore;
/** Holds locks, so that others come to a stand where a test wants them. */
let holder: pg.Client;
beforeEach(async () => {
  database = await openTestDatabase();
  outbox = createOutboxStore(database, database.queue.enqueueDeliveries);
  holder = new pg.Client({ connectionString: database.url });
  await holder.connect();
});
afterEach(async () => {
  await holder.end();
  await database.close();
});

/** Two mails to two people, owed now. */
async function owe(): Promise<{ lab: Lab; one: string; other: string }> {
  const lab = await openLab({ database, plan: { audience: audienceOf("a@example.com", "b@example.com") } });
  lab.invite();
  const { notifications } = await lab.sync();
  await lab.close();
  const [one = "", other = ""] = notifications.map(({ id }) => id);
  return { lab, one, other };
}

async function setRelay({ lastOutage: _, ...state }: RelayState): Promise<void> {
  await database.prisma.relay.upsert({ where: { name: "smtp" }, create: { name: "smtp", ...state }, update: state });
}

async function claim(id: string, now: Date): Promise<Claimed> {
  const newSummary = () => ({ id: randomUUID(), messageId: randomUUID() });
  const rules = { now, quietHoursOf: () => null, floodCap: 100, hasFallback: false, newSummary };
  const [claimed] = await outbox.claim([{ notificationId: id }], now, (input) => decideDispatch(input, rules));
  if (claimed?.status !== "fulfilled") throw claimed?.reason;
  return claimed.value;
}

async function begin(id: string): Promise<void> {
  const start = {
    id,
    attempts: 0,
    at: NOW,
    onlyIfWell: false,
    subject: "s",
    own: Buffer.from("m"),
    common: Buffer.alloc(0),
  };
  const [started] = await outbox.startAttempts([start]);
  assert.ok(started?.status === "fulfilled" && started.value !== null);
}

/** Records how the first attempt ended, a while later. */
async function record(id: string, outcome: DeliveryOutcome, { probe }: { probe: boolean }): Promise<void> {
  const mail = { notification: notification({ id, createdAt: NOW }), events: [], ownFailures: 0 };
  const attempts: SentMail["attempts"] = [{ number: 1, startedAt: NOW, way: "smtp", outcome }];
  const rules = { at: later(SECOND), hasFallback: false, chance: () => 0.5 };
  const sent = { mail, way: { kind: "relay", probe }, attempts } as const;
  const [recorded] = await outbox.record([sent], (ended, mailServer) => concludeAll(ended, mailServer, rules));
  if (recorded?.status !== "fulfilled") throw recorded?.reason;
}

function rowOf(id: string) {
  return database.prisma.notification.findUniqueOrThrow({ where: { id } });
}

/** Until so many sessions of the database wait for a lock, or the work is done. */
async function untilBlocked(count: number, work: Promise<unknown>): Promise<void> {
  let done = false;
  const ended = () => {
    done = true;
  };
  work.then(ended, ended);
  while (!done) {
    const { rows } = await database.sql.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()",
      [],
    );
    if ((rows[0]?.count ?? 0) >= count) return;
    await pause(10);
  }
}

describe("a mail that decides to wait for the mail server at the moment at which that is well again", () => {
  test("is due now, whichever of the two is written first", async () => {
    const { one, other } = await owe();
    await setRelay(DOWN);
    await begin(other);
    await holder.query("BEGIN");
    await holder.query("SELECT 1 FROM notification WHERE id = $1 FOR UPDATE", [one]);

    const waiting = claim(one, NOW);
    await untilBlocked(1, waiting);
    const waking = record(other, accepted("250"), { probe: true });
    await untilBlocked(2, waking);
    await holder.query("COMMIT");
    await Promise.all([waiting, waking]);

    const { nextAttemptAt, waitsForRelay } = await rowOf(one);
    assert.deepEqual([nextAttemptAt, waitsForRelay], [later(SECOND), false]);
  });

  test("is due now also where its own attempt had failed while that was down", async () => {
    const { one, other } = await owe();
    await setRelay(DOWN);
    await begin(one);
    await begin(other);
    await record(other, accepted("250"), { probe: true });

    await record(one, failed("unreachable", "away"), { probe: false });

    const { nextAttemptAt, waitsForRelay } = await rowOf(one);
    assert.deepEqual([nextAttemptAt, waitsForRelay], [later(1), false]);
  });
});

test("a mail that waits for the probe in hand looks again within a minute, though that might take longer", async () => {
  const { one, other } = await owe();
  await setRelay({ ...DOWN, nextProbeAt: NOW });
  assert.equal((await claim(other, NOW)).kind, "send");

  const waits = await claim(one, NOW);

  assert.deepEqual(waits.kind === "waiting" && waits.until, later(MINUTE));
});

describe("a mail that is held by a silence at the moment at which that ends", () => {
  async function silence(): Promise<string> {
    const id = randomUUID();
    await database.prisma.silence.create({
      data: { id, organization: "Acme", until: later(DAY), reason: "a move", createdBy: "jo", createdAt: NOW },
    });
    return id;
  }
  function end(id: string) {
    const event = { type: "silence.ended", inviteId: null, occurredAt: later(SECOND) } as const;
    const data = { by: "jo", reason: "back", silenceId: id, inviteId: null, organization: "Acme" };
    const people = createPeopleStore(database, database.queue.enqueueDeliveries);
    return people.endSilence(id, { by: "jo", at: later(SECOND) }, { ...event, data });
  }

  test("is due now, where its watch is newer than the silence", async () => {
    const id = await silence();
    const lab = await openLab({ database });
    lab.invite({ organization_name: "Acme" });
    // The sync has planned its mail and stands before it writes that down.
    const store = createSyncStore(database.prisma, async (tx, ids, at) => {
      await tx.$queryRaw`SELECT pg_advisory_xact_lock(7)::text`;
      await database.queue.enqueueDeliveries(tx, ids, at);
    });
    await lab.sync();
    lab.pass(MINUTE);
    lab.invite({ organization_name: "Acme Labs" });
    await holder.query("BEGIN; SELECT pg_advisory_xact_lock(7)");
    const syncing = runSync(lab.plan, { ...lab.ports, store }, new AbortController().signal);
    await untilBlocked(1, syncing);

    const ending = end(id);
    await untilBlocked(2, ending);
    await holder.query("COMMIT");
    await Promise.all([syncing, ending]);
    await lab.close();

    const held = await database.prisma.notification.findMany({ where: { heldBy: "silence" } });
    assert.equal(held.length, 1);
    assert.deepEqual(held[0]?.nextAttemptAt, later(SECOND));
  });

  test("is due now, where its recipient was owed nothing before", async () => {
    const id = await silence();
    const { one } = await owe();
    await database.prisma.invite.updateMany({ data: { organizationName: "Acme" } });
    await database.prisma.notification.updateMany({ data: { state: "cancelled" } });
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query("BEGIN");
    await other.query("SELECT 1 FROM silence WHERE id = $1 FOR UPDATE", [id]);
    // The end of the silence has looked for those whom it concerns; the mail is owed only now.
    const ending = end(id);
    await untilBlocked(1, ending);
    await database.prisma.notification.update({ where: { id: one }, data: { state: "pending" } });
    await holder.query("BEGIN");
    await holder.query("SELECT 1 FROM notification WHERE id = $1 FOR UPDATE", [one]);
    const holding = claim(one, NOW);
    await untilBlocked(2, holding);
    await other.query("COMMIT");
    await other.end();
    await ending;
    await holder.query("COMMIT");
    await holding;

    const { nextAttemptAt } = await rowOf(one);
    assert.ok(nextAttemptAt === null || nextAttemptAt <= later(SECOND), String(nextAttemptAt));
  });
});
