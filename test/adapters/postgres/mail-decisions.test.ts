import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createPeopleStore } from "../../../src/adapters/postgres/people-store.ts";
import { discardMails, type MailDecisionStore, retryAllDead, retryMails } from "../../../src/app/mail-decisions.ts";
import type { Prisma } from "../../../src/generated/prisma/client.ts";
import { runCommand } from "../../cli/command.ts";
import { chainOf, owe } from "./people-seed.ts";
import { at, invite, received, type Seeded, seededDatabase } from "./read-seed.ts";

const NOW = at("20:00");
const clock = { now: () => NOW };
const MIME = new Uint8Array([1, 2, 3]);
const DEAD = {
  state: "dead",
  reason: "no attempt succeeded within five days",
  error: "451 later",
  attempts: 7,
  mime: MIME,
  releasedAt: at("08:00", 17),
};

let seeded: Seeded;
let store: MailDecisionStore;
/** Every delivery that was put into the queue. */
let enqueued: string[];

beforeEach(async () => {
  seeded = await seededDatabase("ops", "b");
  await seeded.events("ops", [received(invite())], at("08:05"));
  await seeded.events("b", [received(invite({ watch: "b" }))], at("08:05"));
  enqueued = [];
  store = createPeopleStore(seeded.database, async (_tx, ids) => void enqueued.push(...ids));
});

afterEach(() => seeded.close());

function retry(...ids: readonly string[]) {
  return retryMails(ids, "jo", { store, clock });
}

function discard(...ids: readonly string[]) {
  return discardMails(ids, { by: "jo", reason: "told by phone" }, { store, clock });
}

function rowOf(id: string) {
  return seeded.database.prisma.notification.findUniqueOrThrow({ where: { id } });
}

/** What people did, oldest first: types and data of the watch's events after the first. */
async function decisions(watch: string) {
  return (await chainOf(seeded, watch)).slice(1).map(({ type, data }) => [type, data]);
}

async function isVerified(): Promise<boolean> {
  return (await runCommand(["verify"], { url: seeded.url })).code === 0;
}

test("a dead mail that is retried is due now, as it was frozen, and has five more days", async () => {
  const id = await owe(seeded, DEAD);
  const before = await rowOf(id);

  const { refused } = await retry(id);

  const due = { state: "pending", reason: null, nextAttemptAt: NOW, releasedAt: NOW, waitsForRelay: false };
  assert.deepEqual(refused, []);
  assert.deepEqual(await rowOf(id), { ...before, ...due });
  assert.deepEqual(enqueued, [id]);
  assert.deepEqual(await decisions("ops"), [
    ["notification.retried", { by: "jo", reason: null, notificationIds: [id] }],
  ]);
  assert.deepEqual(await decisions("b"), []);
  assert.ok(await isVerified());
});

test("a mail that waits for its next attempt or for the mail server does not wait any longer", async () => {
  const later = { nextAttemptAt: at("23:00"), attempts: 3, mime: MIME };
  const waiting = await owe(seeded, { ...later, error: "451 later" });
  const behind = await owe(seeded, { ...later, waitsForRelay: true, reason: "waits for the mail server" });

  await retry(waiting, behind);

  const rows = await Promise.all([waiting, behind].map(rowOf));
  for (const { state, reason, nextAttemptAt, releasedAt, waitsForRelay } of rows) {
    assert.deepEqual([state, reason, nextAttemptAt, releasedAt, waitsForRelay], ["pending", null, NOW, NOW, false]);
  }
  assert.deepEqual(enqueued.sort(), [waiting, behind].sort());
});

test("a mail that never left has its five days and is not counted among the mails of this hour", async () => {
  const id = await owe(seeded, { ...DEAD, mime: null, releasedAt: null, attempts: 0 });

  await retry(id);

  assert.deepEqual((await rowOf(id)).releasedAt, at("19:00"));
});

test("one that never left and came to be owed within the hour keeps the beginning of its five days", async () => {
  const never = { waitsForRelay: true, nextAttemptAt: at("23:00") };
  const fresh = await owe(seeded, { ...never, createdAt: at("19:50") });
  const held = await owe(seeded, { ...never, heldBy: "quiet-hours", releasedAt: at("19:55") });

  await retry(fresh, held);

  const rows = await Promise.all([fresh, held].map(rowOf));
  assert.deepEqual(
    rows.map(({ releasedAt }) => releasedAt),
    [null, at("19:55")],
  );
});

test("a mail that is due already stays due from then on", async () => {
  const id = await owe(seeded, { nextAttemptAt: at("19:40") });

  await retry(id);

  assert.deepEqual((await rowOf(id)).nextAttemptAt, at("19:40"));
  assert.deepEqual(enqueued, [id]);
});

test("a mail that is held on purpose is decided upon anew, and is not taken to be let through", async () => {
  const id = await owe(seeded, { heldBy: "quiet-hours", reason: "quiet hours", nextAttemptAt: at("23:00") });

  await retry(id);

  const { nextAttemptAt, releasedAt, heldBy } = await rowOf(id);
  assert.deepEqual([nextAttemptAt, releasedAt, heldBy], [NOW, null, "quiet-hours"]);
  assert.deepEqual(enqueued, [id]);
});

test("each watch has one event, with the mails that tell of it", async () => {
  const first = await owe(seeded, { ...DEAD, createdAt: at("08:01") });
  const second = await owe(seeded, { ...DEAD, createdAt: at("08:02"), recipient: "ops@example.com" });
  const summary = await owe(seeded, { ...DEAD, watchName: null, kind: "summary", createdAt: at("08:04") });
  await owe(seeded, { watchName: "b", state: "cancelled", coveredBy: summary });
  const digest = await owe(seeded, { ...DEAD, watchName: null, kind: "digest", createdAt: at("08:05") });

  await retry(digest, summary, second, first);

  const idsOf = async (watch: string) =>
    (await chainOf(seeded, watch)).flatMap(({ data }) => ("notificationIds" in data ? [data.notificationIds] : []));
  assert.deepEqual(await idsOf("ops"), [[first, second, digest]]);
  assert.deepEqual(await idsOf("b"), [[summary, digest]]);
  assert.ok(await isVerified());
});

for (const [obstacle, given] of [
  ["delivered", { state: "delivered", deliveredAt: at("08:06") }],
  ["cancelled", { state: "cancelled", reason: "moot" }],
  ["sending", { state: "sending" }],
] as const) {
  for (const [what, act] of [
    ["retried", retry],
    ["discarded", discard],
  ] as const) {
    test(`where one of several mails is ${obstacle}, none is ${what}`, async () => {
      const dead = await owe(seeded, DEAD);
      const other = await owe(seeded, given);
      const before = await Promise.all([dead, other].map(rowOf));

      const { refused } = await act(dead, other);

      assert.deepEqual(
        refused.map((one) => [one.mail.id, one.obstacle]),
        [[other, obstacle]],
      );
      assert.deepEqual(await Promise.all([dead, other].map(rowOf)), before);
      assert.deepEqual([enqueued, await decisions("ops")], [[], []]);
    });
  }
}

test("a mail that another tells in place of is refused as covered", async () => {
  const summary = await owe(seeded, { watchName: null, kind: "summary" });
  const covered = await owe(seeded, { state: "cancelled", coveredBy: summary });

  const { refused } = await retry(covered);

  assert.deepEqual(
    refused.map(({ obstacle }) => obstacle),
    ["covered"],
  );
});

test("all that was given up is retried, and nothing else", async () => {
  const dead = await owe(seeded, DEAD);
  const waiting = await owe(seeded, { nextAttemptAt: at("23:00") });

  const { mails } = await retryAllDead("jo", { store, clock });

  assert.deepEqual([mails.map(({ id }) => id), enqueued], [[dead], [dead]]);
  assert.deepEqual((await rowOf(waiting)).nextAttemptAt, at("23:00"));
});

test("where nothing was given up, nothing is recorded", async () => {
  const { mails } = await retryAllDead("jo", { store, clock });

  assert.deepEqual([mails, await decisions("ops"), await decisions("b")], [[], [], []]);
});

/** A mail server that is down since noon. */
async function relayDown(given: Partial<Prisma.RelayUncheckedCreateInput> = {}): Promise<void> {
  const down = { downSince: at("12:00"), failures: 9, nextProbeAt: at("20:50"), error: "refused", ...given };
  await seeded.database.prisma.relay.create({ data: { name: "smtp", ...down } });
}

function relayRow() {
  return seeded.database.prisma.relay.findUniqueOrThrow({ where: { name: "smtp" } });
}

test("a retry lets the next mail find out whether a mail server that is down is well again", async () => {
  await relayDown();
  const id = await owe(seeded, DEAD);

  const { relayDownSince } = await retry(id);

  const { downSince, nextProbeAt } = await relayRow();
  assert.deepEqual([relayDownSince, downSince, nextProbeAt], [at("12:00"), at("12:00"), NOW]);
});

test("a probe that people ask for is taken out of the count of failures, however many of them ask for it", async () => {
  await relayDown({ failures: 9 });
  const id = await owe(seeded, DEAD);

  await retry(id);
  await retry(id);

  assert.equal((await relayRow()).failures, 8);
});

test("a probe that is due or under way anyway stays one of the schedule", async () => {
  await relayDown({ nextProbeAt: at("19:59"), probingUntil: at("20:02") });
  const before = await relayRow();

  await retry(await owe(seeded, DEAD));

  assert.deepEqual(await relayRow(), before);
});

test("a retry that is refused leaves the schedule of a mail server that is down as it is", async () => {
  await relayDown();
  const before = await relayRow();
  const dead = await owe(seeded, DEAD);
  const delivered = await owe(seeded, { state: "delivered", deliveredAt: at("08:06") });

  const { refused } = await retry(dead, delivered);

  assert.equal(refused.length, 1);
  assert.deepEqual(await relayRow(), before);
});

test("whoever looks at a retried mail as soon as it is due may probe the mail server", async () => {
  await relayDown();
  const probes: (Date | null)[] = [];
  store = createPeopleStore(seeded.database, async () => void probes.push((await relayRow()).nextProbeAt));

  await retry(await owe(seeded, DEAD));

  assert.deepEqual(probes, [NOW]);
});

test("a mail that is discarded is cancelled with who did it and why", async () => {
  const dead = await owe(seeded, { ...DEAD, createdAt: at("08:01") });
  const waiting = await owe(seeded, { createdAt: at("08:02"), nextAttemptAt: at("23:00"), waitsForRelay: true });

  const { refused } = await discard(dead, waiting);

  const rows = await Promise.all([dead, waiting].map(rowOf));
  assert.deepEqual(refused, []);
  for (const { state, reason, nextAttemptAt, waitsForRelay } of rows) {
    assert.deepEqual(
      [state, reason, nextAttemptAt, waitsForRelay],
      ["cancelled", "discarded by jo: told by phone", null, false],
    );
  }
  assert.deepEqual(enqueued, []);
  assert.deepEqual(await decisions("ops"), [
    ["notification.discarded", { by: "jo", reason: "told by phone", notificationIds: [dead, waiting] }],
  ]);
  assert.ok(await isVerified());
});

test("where the queue takes no jobs, nothing is retried", async () => {
  const id = await owe(seeded, DEAD);
  store = createPeopleStore(seeded.database, () => Promise.reject(new Error("no queue")));

  await assert.rejects(retry(id), /no queue/);

  assert.equal((await rowOf(id)).state, "dead");
  assert.deepEqual(await decisions("ops"), []);
});

test("a decision waits for one that is being taken about the same recipient, and sees what came of it", async () => {
  const id = await owe(seeded);
  const { prisma } = seeded.database;
  let discarding: ReturnType<typeof discard> | undefined;

  await prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended('recipient lead@example.com', 0))::text`;
    discarding = discard(id);
    await waitsForLock();
    await tx.notification.update({ where: { id }, data: { state: "sending", attempts: 1 } });
  });

  assert.deepEqual(
    (await discarding)?.refused.map(({ obstacle }) => obstacle),
    ["sending"],
  );
});

test("of two decisions at the same time each is taken after the other", async () => {
  const id = await owe(seeded, DEAD);

  await Promise.all([retry(id), discard(id)]);

  const { state } = await rowOf(id);
  const types = (await decisions("ops")).map(([type]) => type);
  assert.equal(state, "cancelled");
  assert.equal(types.at(-1), "notification.discarded");
  assert.ok(await isVerified());
});

test("a mail is found by its whole id, or by six characters of its beginning", async () => {
  const id = await owe(seeded, { id: randomUUID() });
  const idsOf = async (text: string) => (await store.mailsNamed(text, 10)).map((mail) => mail.id);

  assert.deepEqual(await idsOf(id.toUpperCase()), [id]);
  assert.deepEqual(await idsOf(id.slice(0, 6)), [id]);
  assert.deepEqual(await idsOf(id.slice(0, 5)), []);
  assert.deepEqual(await idsOf("%%%%%%"), []);
});

/** Resolves once a session of this database waits for an advisory lock. */
async function waitsForLock(): Promise<void> {
  for (;;) {
    const [row] = await seeded.database.prisma.$queryRaw<{ count: bigint }[]>`
      SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted`;
    if (row !== undefined && row.count > 0n) return;
    await pause(10);
  }
}
