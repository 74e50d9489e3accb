import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createPeopleStore } from "../../../src/adapters/postgres/people-store.ts";
import { acknowledge, type PeopleStore, type SilenceRequest, silence, unsilence } from "../../../src/app/people.ts";
import { runCommand } from "../../cli/command.ts";
import { chainOf, owe } from "./people-seed.ts";
import { at, invite, received, type Seeded, seededDatabase } from "./read-seed.ts";

const NOW = at("20:00");
const clock = { now: () => NOW };
const REQUEST: SilenceRequest = {
  watch: null,
  inviteId: null,
  organization: "acme",
  until: at("20:00", 23),
  reason: "all is expected",
  by: "jo",
};

let seeded: Seeded;
let store: PeopleStore;
/** Every delivery that was put into the queue. */
let enqueued: string[];

beforeEach(async () => {
  seeded = await seededDatabase("ops", "b");
  await seeded.invites(invite(), invite({ watch: "b" }), invite({ id: "abcdef0123", organizationName: "Other" }));
  await seeded.events("ops", [received(invite())], at("08:05"));
  enqueued = [];
  store = createPeopleStore(seeded.database, async (_tx, ids) => void enqueued.push(...ids));
});

afterEach(() => seeded.close());

function silenced(given: Partial<SilenceRequest> = {}) {
  return silence({ ...REQUEST, ...given }, { store, clock, newId: randomUUID });
}

async function isVerified(): Promise<boolean> {
  return (await runCommand(["verify"], { url: seeded.url })).code === 0;
}

test("an invite is found by its whole id, or by six characters of its beginning", async () => {
  const ids = async (text: string, watches: string[] | null = null) =>
    (await store.invitesNamed(text, watches, 10)).map((one) => `${one.watch}/${one.id}`);

  assert.deepEqual(await ids("i1"), ["b/i1", "ops/i1"]);
  assert.deepEqual(await ids("i1", ["ops"]), ["ops/i1"]);
  assert.deepEqual(await ids("abcdef"), ["ops/abcdef0123"]);
  assert.deepEqual(await ids("abcde"), []);
  assert.deepEqual(await ids("%"), []);
});

test("an invite whose whole id is given is meant, whatever begins with it", async () => {
  await seeded.invites(invite({ id: "abcdef" }));

  const found = await store.invitesNamed("abcdef", null, 10);

  assert.deepEqual(
    found.map(({ id }) => id),
    ["abcdef"],
  );
});

test("an acknowledgement marks the invite and is an event of its watch's chain alone", async () => {
  const { kind } = await acknowledge({ watch: "ops", id: "i1" }, { by: "jo", note: "on Monday" }, { store, clock });

  const rows = await seeded.database.prisma.invite.findMany({ where: { id: "i1" }, orderBy: { watchName: "asc" } });
  assert.equal(kind, "acknowledged");
  assert.deepEqual(
    rows.map(({ acknowledgedAt }) => acknowledgedAt),
    [null, NOW],
  );
  assert.deepEqual((await chainOf(seeded, "ops")).at(-1), {
    type: "invite.acknowledged",
    inviteId: "i1",
    data: { by: "jo", reason: "on Monday" },
  });
  assert.deepEqual(await chainOf(seeded, "b"), []);
  assert.ok(await isVerified());
});

test("of two acknowledgements at the same time one is recorded", async () => {
  const act = () => acknowledge({ watch: "ops", id: "i1" }, { by: "jo", note: null }, { store, clock });

  const kinds = await Promise.all([act(), act()]);

  assert.deepEqual(kinds.map(({ kind }) => kind).sort(), ["acknowledged", "already"]);
  assert.equal((await chainOf(seeded, "ops")).length, 2);
});

for (const [what, given] of [
  ["accepted", { status: "accepted" }],
  ["past its end", { expiresAt: at("19:59") }],
] as const) {
  test(`an invite that is ${what} is not acknowledged`, async () => {
    await seeded.invites(invite({ id: "over", ...given }));

    const { kind } = await acknowledge({ watch: "ops", id: "over" }, { by: "jo", note: null }, { store, clock });

    assert.equal(kind, "over");
    assert.equal((await chainOf(seeded, "ops")).length, 1);
  });
}

test("a silence of all watches is an event of every chain, and names what it covers", async () => {
  const { silence: added, watches, covered } = await silenced();

  const data = { by: "jo", reason: "all is expected", silenceId: added.id, inviteId: null, organization: "acme" };
  const event = { type: "silence.created", inviteId: null, data: { ...data, until: "2026-11-23T20:00:00.000Z" } };
  assert.deepEqual(watches, ["b", "ops"]);
  assert.deepEqual([(await chainOf(seeded, "b")).at(-1), (await chainOf(seeded, "ops")).at(-1)], [event, event]);
  assert.equal(covered.count, 2);
  assert.ok(await isVerified());
});

test("a silence of one watch leaves the others alone", async () => {
  const { watches, covered } = await silenced({ watch: "ops", inviteId: "i1", organization: null });

  assert.deepEqual([watches, covered.count], [["ops"], 1]);
  assert.deepEqual(await chainOf(seeded, "b"), []);
});

test("what is over or past its end is not counted as covered", async () => {
  await seeded.invites(invite({ id: "i2", status: "accepted" }), invite({ id: "i3", expiresAt: at("19:00") }));

  const { covered } = await silenced({ watch: "ops" });

  assert.deepEqual(
    covered.first.map(({ id }) => id),
    ["i1"],
  );
});

test("the end of a silence lets what silences hold be decided upon anew, and nothing else", async () => {
  const { silence: added } = await silenced();
  const later = at("20:00", 23);
  const held = await owe(seeded, { heldBy: "silence", reason: "the silence", nextAttemptAt: later });
  await owe(seeded, { heldBy: "quiet-hours", nextAttemptAt: later });
  await owe(seeded, { heldBy: "silence", state: "cancelled" });
  await owe(seeded, { heldBy: "silence", mime: new Uint8Array([1]), nextAttemptAt: later });

  const { released } = await unsilence(added, "kim", { store, clock });

  const row = await seeded.database.prisma.notification.findUniqueOrThrow({ where: { id: held } });
  assert.equal(released, 1);
  assert.deepEqual(enqueued, [held]);
  assert.deepEqual([row.nextAttemptAt, row.heldBy, row.reason], [NOW, "silence", null]);
  for (const watch of ["ops", "b"]) {
    const data = { by: "kim", reason: "all is expected", silenceId: added.id, inviteId: null, organization: "acme" };
    assert.deepEqual((await chainOf(seeded, watch)).at(-1), { type: "silence.ended", inviteId: null, data });
  }
  assert.ok(await isVerified());
});

test("the end is told where the beginning was: not to a watch that came later", async () => {
  const { silence: added } = await silenced();
  await seeded.database.prisma.watch.create({ data: { name: "new", headHash: "0".repeat(64) } });

  await unsilence(added, "kim", { store, clock });

  assert.deepEqual(await chainOf(seeded, "new"), []);
});

test("a silence ends once", async () => {
  const { silence: added } = await silenced();
  await unsilence(added, "kim", { store, clock });

  const again = await unsilence(added, "jo", { store, clock });

  assert.deepEqual([again.released, again.silence.endedAt], [null, NOW]);
  assert.equal((await chainOf(seeded, "b")).length, 2);
});

test("a silence that is over is not ended any more", async () => {
  const { silence: added } = await silenced({ until: at("20:01") });

  const { released } = await unsilence(added, "kim", { store, clock: { now: () => at("20:01") } });

  assert.equal(released, null);
  assert.equal((await chainOf(seeded, "b")).length, 1);
});

test("where the queue takes no jobs the silence does not end", async () => {
  const { silence: added } = await silenced();
  await owe(seeded, { heldBy: "silence" });
  const broken = createPeopleStore(seeded.database, () => Promise.reject(new Error("no queue")));

  await assert.rejects(unsilence(added, "kim", { store: broken, clock }), /no queue/);

  const row = await seeded.database.prisma.silence.findUniqueOrThrow({ where: { id: added.id } });
  assert.equal(row.endedAt, null);
  assert.equal((await chainOf(seeded, "b")).length, 1);
});

test("the end waits for a decision about a mail that is being taken, and sees what it held", async () => {
  const { silence: added } = await silenced();
  const id = await owe(seeded);
  const { prisma } = seeded.database;
  let ending: ReturnType<typeof unsilence> | undefined;

  await prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended('recipient lead@example.com', 0))::text`;
    ending = unsilence(added, "kim", { store, clock });
    await waitsForLock();
    await tx.notification.update({ where: { id }, data: { heldBy: "silence", nextAttemptAt: at("20:00", 23) } });
  });

  assert.equal((await ending)?.released, 1);
  assert.deepEqual(enqueued, [id]);
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
