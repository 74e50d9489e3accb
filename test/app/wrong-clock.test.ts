/** What a clock that ran ahead, and was set right, leaves behind. */
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { createOutboxStore } from "../../src/adapters/postgres/outbox-store.ts";
import { createQueue } from "../../src/adapters/postgres/queue.ts";
import { createReader } from "../../src/adapters/postgres/read-store.ts";
import { overdueSync } from "../../src/app/schedule.ts";
import { coverageOf } from "../../src/domain/coverage.ts";
import { slotsOf } from "../../src/schedule/slots.ts";
import { type OpenedDatabase, openTestDatabase } from "../support/database.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/durations.ts";
import { type Lab, openLab } from "../support/lab.ts";

let database: OpenedDatabase;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

async function open(t: TestContext) {
  const lab = await openLab({ database });
  t.after(lab.close);
  return lab;
}

const typesOf = ({ events }: { readonly events: readonly { readonly type: string }[] }) =>
  events.map(({ type }) => type);

async function lastSyncs({ store, plan }: Lab) {
  return (await store.lastSyncs([plan.watch])).get(plan.watch) ?? { completeAt: null, anyAt: null };
}

test("a sync that was recorded two days ahead supersedes nothing", async (t) => {
  const lab = await open(t);
  await lab.sync();
  lab.pass(2 * DAY);
  await lab.sync();
  lab.pass(-2 * DAY + 15 * MINUTE);
  lab.invite();

  const { sync, events } = await lab.sync();
  const last = await lastSyncs(lab);

  assert.equal(sync.outcome, "complete");
  assert.deepEqual(typesOf({ events }), ["invite.received"]);
  assert.deepEqual([last.anyAt, last.completeAt], [sync.startedAt, sync.startedAt]);
});

test("the last sync is the one that was recorded last, whatever the clock showed", async (t) => {
  const lab = await open(t);
  await lab.sync();
  lab.pass(-8 * HOUR);
  const schedule = { intervalMs: 15 * MINUTE, slots: slotsOf("*/15 * * * *", "UTC"), jitterMs: 0 };
  const before = overdueSync(await lastSyncs(lab), schedule, lab.now());
  await lab.sync();

  const since = overdueSync(await lastSyncs(lab), schedule, lab.now());

  assert.deepEqual([before, since], [{ slot: null }, null]);
});

test("what falls short after a clock was set right is counted, and makes the watch blind", async (t) => {
  const lab = await open(t);
  lab.pass(2 * DAY);
  await lab.sync();
  lab.pass(-2 * DAY);
  lab.api.fail({
    kind: "answer",
    answer: { status: 403, body: { success: false, errors: [{ code: 9109, message: "no" }] } },
  });
  await lab.sync();
  lab.pass(15 * MINUTE);

  const { events } = await lab.sync();

  assert.deepEqual(typesOf({ events }), ["watch.blind"]);
  const [blind] = events;
  assert.ok(blind?.type === "watch.blind" && new Date((blind.data as { since: string }).since) <= lab.now());
});

test("a sync in what is now the future neither opens a gap nor closes one", async (t) => {
  const lab = await open(t);
  const begun = lab.now();
  await lab.sync();
  lab.pass(2 * DAY);
  await lab.sync();
  lab.pass(-2 * DAY + 15 * MINUTE);
  await lab.sync();
  const coverage = async () => {
    const asked = { since: begun, until: lab.now(), now: lab.now() };
    const { spans, outages } = await createReader(database).ledger([lab.plan.watch], asked);
    return coverageOf(spans, outages, asked);
  };

  lab.pass(10 * MINUTE);
  const inTime = await coverage();
  lab.pass(2 * HOUR);
  const late = await coverage();

  assert.deepEqual([inTime.share, inTime.gaps.length], [1, 0]);
  assert.deepEqual(
    late.gaps.map(({ until }) => until),
    [null],
  );
});

test("an invitation that ended by a clock that ran ahead is pending again, and its reminders come anew", async (t) => {
  const lab = await open(t);
  const { id } = lab.invite({ expires_on: lab.inMs(10 * DAY) });
  await lab.sync();
  lab.pass(60 * DAY);
  const expired = await lab.sync();
  lab.pass(-60 * DAY + 15 * MINUTE);

  const again = await lab.sync();
  lab.pass(7 * DAY);
  const reminded = await lab.sync();

  assert.deepEqual(typesOf(expired), ["invite.expired"]);
  assert.deepEqual(typesOf(again), ["invite.status_changed"]);
  assert.equal((await lab.known()).get(id)?.status, "pending");
  assert.deepEqual(typesOf(reminded), ["invite.expiring"]);
});

test("a reminder that was given by a clock that ran ahead is given again when its time comes", async (t) => {
  const lab = await open(t);
  lab.invite({ expires_on: lab.inMs(10 * DAY) });
  await lab.sync();
  lab.pass(10 * DAY - 5 * HOUR);
  const early = await lab.sync();
  lab.pass(-10 * DAY + 5 * HOUR + 15 * MINUTE);
  const quiet = await lab.sync();
  lab.pass(10 * DAY - 5 * HOUR);

  const inTime = await lab.sync();

  assert.deepEqual([typesOf(early), typesOf(quiet), typesOf(inTime)], [["invite.expiring"], [], ["invite.expiring"]]);
});

test("an invitation that was first missed by a clock that ran ahead is withdrawn by the second sync that misses it", async (t) => {
  const lab = await open(t);
  const { id } = lab.invite();
  await lab.sync();
  lab.api.invites.clear();
  lab.pass(2 * DAY);
  await lab.sync();
  lab.pass(-2 * DAY + 15 * MINUTE);
  const first = await lab.sync();
  lab.pass(15 * MINUTE);

  const second = await lab.sync();

  assert.deepEqual([typesOf(first), typesOf(second)], [[], ["invite.withdrawn"]]);
  assert.equal((await lab.known()).get(id)?.status, "withdrawn");
});

test("a mail that waits behind a probe under way is none that waits under a wrong clock", async (t) => {
  const lab = await open(t);
  const outbox = createOutboxStore(database, async () => {});
  const at = (ms: number) => new Date(+lab.now() + ms);
  lab.invite();
  const { notifications } = await lab.sync();
  const id = notifications[0]?.id ?? "";
  await database.prisma.notification.update({
    where: { id },
    data: { waitsForRelay: true, nextAttemptAt: at(MINUTE) },
  });
  const down = { downSince: at(-HOUR), failures: 3, failedAt: at(-5 * MINUTE), error: "no answer" };
  const probing = { nextProbeAt: at(-SECOND), probingUntil: at(2 * MINUTE) };
  await database.prisma.relay.create({ data: { name: "smtp", ...down, ...probing } });
  t.after(() => database.prisma.relay.deleteMany());

  await outbox.requeueForgotten(lab.now());

  const { nextAttemptAt } = await database.prisma.notification.findUniqueOrThrow({ where: { id } });
  assert.deepEqual(nextAttemptAt, at(MINUTE));
});

test("a mail does not wait for an instant that a clock set back has put out of reach", async (t) => {
  const lab = await open(t);
  const outbox = createOutboxStore(database, async () => {});
  lab.invite();
  const ids: string[] = [];
  for (let count = 0; count < 4; count += 1) {
    lab.invite();
    ids.push((await lab.sync()).notifications[0]?.id ?? "");
    lab.pass(SECOND);
  }
  const [retried, quiet, silenced, relay] = ids as [string, string, string, string];
  const change = (id: string, data: object) => database.prisma.notification.update({ where: { id }, data });
  await change(retried, { attempts: 1, lastAttemptAt: lab.now(), nextAttemptAt: new Date(+lab.now() + 15 * SECOND) });
  await change(quiet, { heldBy: "quiet-hours", nextAttemptAt: new Date(+lab.now() + 20 * HOUR) });
  await change(silenced, { heldBy: "silence", nextAttemptAt: new Date(+lab.now() + 9 * DAY) });
  await change(relay, { waitsForRelay: true, nextAttemptAt: new Date(+lab.now() + HOUR) });
  const due = async (now: Date) => {
    await outbox.requeueForgotten(now);
    const rows = await database.prisma.notification.findMany({
      where: { id: { in: ids }, nextAttemptAt: { lte: now } },
    });
    return rows.map(({ id }) => ids.indexOf(id)).sort();
  };

  const untouched = await due(lab.now());
  // Another replica's clock is never quite the same.
  const behind = await due(new Date(+lab.now() - SECOND));
  lab.pass(-8 * HOUR);
  const setBack = await due(lab.now());

  assert.deepEqual([untouched, behind], [[], []]);
  // A silence ends when somebody said; a night of 20 hours and 8 more is longer than any.
  assert.deepEqual(setBack, [0, 1, 3]);
});

test("what is due now by our clock is due now by the database's", async (t) => {
  // Ours is ten minutes ahead.
  const ahead = { now: () => new Date(Date.now() + 10 * MINUTE) };
  const queue = createQueue(database, assert.fail, ahead);
  await queue.start();
  t.after(() => queue.stop(1_000));
  const [due, later] = [crypto.randomUUID(), crypto.randomUUID()];

  await database.prisma.$transaction(async (tx) => {
    await queue.enqueueDeliveries(tx, [due], ahead.now());
    await queue.enqueueDeliveries(tx, [later], new Date(+ahead.now() + 15 * SECOND));
  });

  const rows = await database.prisma.$queryRaw<{ id: string; waits: number }[]>`
    SELECT data->>'notificationId' AS id, extract(epoch FROM start_after - now())::float8 AS waits FROM pgboss.job
    WHERE data->>'notificationId' IN (${due}, ${later})`;
  const waits = new Map(rows.map(({ id, waits }) => [id, waits]));
  assert.ok((waits.get(due) ?? 99) <= 0, `waits ${waits.get(due)} s`);
  assert.ok((waits.get(later) ?? 99) <= 15 && (waits.get(later) ?? 0) > 0, `waits ${waits.get(later)} s`);
});
