import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { type EventRow, eventOf, type InviteRow, inviteOf } from "../../../src/adapters/postgres/rows.ts";
import { writeEvents, writeHead, writeInvites, writeSync } from "../../../src/adapters/postgres/write.ts";
import { GENESIS_HASH, link } from "../../../src/domain/chain.ts";
import type { EventDraft } from "../../../src/domain/event.ts";
import type { Invite } from "../../../src/domain/invite.ts";
import { syncOf } from "../../../src/domain/sync.ts";
import { complete, incomplete, invite, after as later, NOW } from "../../support/build.ts";
import { type OpenedDatabase, openTestDatabase } from "../../support/database.ts";
import { HOUR } from "../../support/durations.ts";

let database: OpenedDatabase;
let watch: string;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());
beforeEach(async () => {
  watch = randomUUID();
  await database.prisma.watch.create({ data: { name: watch, headHash: GENESIS_HASH } });
});

function write<T>(work: (tx: Parameters<typeof writeInvites>[0]) => Promise<T>): Promise<T> {
  return database.prisma.$transaction(work);
}

async function invites(): Promise<readonly Invite[]> {
  const rows = await database.prisma.$queryRaw<InviteRow[]>`SELECT * FROM invite WHERE watch = ${watch} ORDER BY id`;
  return rows.map(inviteOf);
}

function events(count: number) {
  const draft = { type: "watch.baseline", inviteId: null, occurredAt: NOW, data: { invites: 0, pending: 0 } } as const;
  const drafts: EventDraft[] = Array.from({ length: count }, () => draft);
  const head = { seq: 0, hash: GENESIS_HASH, recordedAt: null };
  return link(drafts, head, { watch, syncId: null, recordedAt: NOW, newId: randomUUID });
}

/** Every field has a value that must come back as it went. */
const full = (): Invite =>
  invite({
    watch,
    id: "full",
    organizationName: 'Ünï "quoted" \\ \u{1F600} \u202E',
    organizationEnforcesTwoFactor: true,
    invitedMemberId: "member",
    roles: ["a, b", '"c"', "", "{d}", "NULL", "ä"],
    invitedAt: new Date("2026-01-01T00:00:00.001Z"),
    expiresAt: new Date("9999-12-31T23:59:59.999Z"),
    listed: false,
    alertedLeadMs: 30 * 24 * HOUR,
    missingSince: later(-HOUR),
    extra: { nested: [{ a: null, b: 1.5e300, c: "x" }], __proto__x: true },
    oddities: ["one, two", "three"],
  });

/** Every field that may lack a value does. */
const empty = (): Invite =>
  invite({
    watch,
    id: "empty",
    apiStatus: null,
    status: "pending",
    organizationId: null,
    organizationName: null,
    organizationEnforcesTwoFactor: null,
    invitedMemberEmail: null,
    invitedBy: null,
    roles: [],
    invitedAt: null,
    expiresAt: null,
  });

test("an invite is read as it was written, whatever its fields hold", async () => {
  await write((tx) => writeInvites(tx, [full(), empty()]));

  assert.deepEqual(await invites(), [empty(), full()]);
});

test("an invite that is known is replaced in every field, and only it", async () => {
  await write((tx) => writeInvites(tx, [full(), invite({ watch, id: "bystander" })]));
  const replaced = { ...empty(), id: "full" };

  await write((tx) => writeInvites(tx, [replaced]));

  assert.deepEqual(await invites(), [invite({ watch, id: "bystander" }), replaced]);
});

test("more rows than one statement takes are all written", async () => {
  const many = Array.from({ length: 4_500 }, (_, nth) => invite({ watch, id: String(nth).padStart(5, "0") }));

  await write(async (tx) => {
    await writeInvites(tx, many);
    await writeEvents(tx, events(4_500));
  });

  assert.deepEqual(await invites(), many);
  assert.equal(await database.prisma.event.count({ where: { watchName: watch } }), 4_500);
});

test("events are read as they were written, to the millisecond", async () => {
  const written = events(3);

  await write((tx) => writeEvents(tx, written));

  const rows = await database.prisma.$queryRaw<EventRow[]>`SELECT * FROM event WHERE watch = ${watch} ORDER BY seq`;
  assert.deepEqual(rows.map(eventOf), written);
});

test("the head moves to the newest event, and remembers the first baseline", async () => {
  const [first, second] = [events(1), events(2).slice(1)];
  const read = () => database.prisma.watch.findUniqueOrThrow({ where: { name: watch } });

  await write((tx) => writeHead(tx, watch, first));
  const { baselineAt } = await read();
  await write((tx) =>
    writeHead(
      tx,
      watch,
      second.map((event) => ({ ...event, recordedAt: later(HOUR) })),
    ),
  );
  await write((tx) => writeHead(tx, watch, []));

  const head = await read();
  assert.deepEqual([head.headSeq, head.headHash, head.headRecordedAt], [2, second[0]?.hash, later(HOUR)]);
  assert.deepEqual([baselineAt, head.baselineAt], [NOW, NOW]);
});

test("a sync is a row of the ledger with all that its poll said", async () => {
  const about = {
    id: randomUUID(),
    watch,
    finishedAt: later(1),
    events: 0,
    intervalMs: 2 ** 40,
    remark: "one is open",
  };
  const shortfall = { reason: "HTTP 502", cause: "server", httpStatus: 502, code: 1001, cfRay: "ray" } as const;
  const fell = { ...incomplete(), shortfall };

  await write((tx) => writeSync(tx, syncOf(complete([]), about)));
  await write((tx) => writeSync(tx, syncOf(fell, { ...about, id: randomUUID() })));

  const rows = await database.prisma.sync.findMany({ where: { watchName: watch }, orderBy: { outcome: "asc" } });
  assert.deepEqual(
    rows.map(({ outcome, reason, cause, httpStatus, code, cfRay }) => ({
      outcome,
      reason,
      cause,
      httpStatus,
      code,
      cfRay,
    })),
    [
      { outcome: "complete", reason: "one is open", cause: null, httpStatus: null, code: null, cfRay: null },
      { outcome: "incomplete", ...shortfall },
    ],
  );
  assert.ok(rows.every(({ intervalMs }) => intervalMs === 2n ** 40n));
});
