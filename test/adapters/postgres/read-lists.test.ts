import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createReader } from "../../../src/adapters/postgres/read-store.ts";
import {
  CursorError,
  collect,
  type EventFilter,
  type HistoryEntry,
  type InviteFilter,
  type Listing,
  type Order,
  type Reader,
} from "../../../src/app/queries.ts";
import { at, changedStatus, invite, notification, received, type Seeded, seededDatabase, sync } from "./read-seed.ts";

const EVERY_EVENT: EventFilter = {
  watches: null,
  since: null,
  until: null,
  types: null,
  inviteId: null,
  organization: null,
  email: null,
  inviter: null,
  status: null,
  text: null,
};
const EVERY_INVITE: InviteFilter = { watches: null, status: null, organization: null, expiring: null };
const ALL = { order: "asc", cursor: null, limit: null } as const;

type Page = { readonly rows: readonly HistoryEntry[]; readonly next: string | null };

let seeded: Seeded;
let reader: Reader;

before(async () => {
  seeded = await seededDatabase("ops", "b");
  reader = createReader(seeded.database);
  const acme = invite();
  const rival = invite({
    id: "i2",
    organizationId: "org2",
    organizationName: 'Ÿves "50%" Co',
    invitedMemberEmail: "lead@example.com",
    invitedBy: "eve@rival.example",
    status: "accepted",
    expiresAt: at("12:00", 23),
  });
  await seeded.invites(acme, rival, invite({ watch: "b", id: "i3", organizationName: null, invitedAt: null }));
  await seeded.events("ops", [received(acme)], at("08:05"));
  await seeded.events("b", [received(invite({ watch: "b", id: "i3", organizationName: null }))], at("08:05"));
  await seeded.events("ops", [received(rival, at("10:00")), changedStatus("i2", "accepted", at("10:30"))], at("10:30"));
});

after(() => seeded.close());

async function all<Row>(listing: Listing<Row>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of listing.rows) rows.push(row);
  return rows;
}

async function foundEvents(filter: Partial<EventFilter>): Promise<string[]> {
  const entries = await all(reader.events({ ...EVERY_EVENT, ...filter }, ALL));
  return entries.map(({ event }) => `${event.watch}/${event.seq}`);
}

const everything = ["b/1", "ops/1", "ops/2", "ops/3"];
const eventFilters: readonly (readonly [string, Partial<EventFilter>, readonly string[]])[] = [
  ["nothing", {}, everything],
  ["a watch", { watches: ["b"] }, ["b/1"]],
  ["no watch at all", { watches: [] }, []],
  ["a time and after", { since: at("10:00") }, ["ops/2", "ops/3"]],
  ["before a time", { until: at("10:30") }, ["b/1", "ops/1", "ops/2"]],
  ["a type", { types: ["invite.status_changed"] }, ["ops/3"]],
  ["an invite", { inviteId: "i2" }, ["ops/2", "ops/3"]],
  ["part of an organization's name", { organization: "ÿVES" }, ["ops/2", "ops/3"]],
  ["a name with a sign that LIKE would read", { organization: "0%" }, ["ops/2", "ops/3"]],
  ["an organization's id", { organization: "org2" }, ["ops/2", "ops/3"]],
  ["part of an organization's id", { organization: "org" }, []],
  ["an address", { email: "LEAD@" }, ["ops/2", "ops/3"]],
  ["who invited", { inviter: "acme.example" }, ["b/1", "ops/1"]],
  ["a status", { status: "accepted" }, ["ops/2", "ops/3"]],
  ["a text in the data", { text: 's "50%" c' }, ["ops/2", "ops/3"]],
  ["a text in a list in the data", { text: "administr" }, ["b/1", "ops/1", "ops/2"]],
  ["a key of the data, which is no text", { text: "organizationName" }, []],
  ["several at once", { inviteId: "i2", types: ["invite.received"], since: at("09:00") }, ["ops/2"]],
];

for (const [what, filter, found] of eventFilters) {
  test(`events are found by ${what}`, async () => {
    assert.deepEqual((await foundEvents(filter)).sort(), found);
  });
}

test("events come by the time of their recording, and with their organization's name", async () => {
  const entries = await all(reader.events(EVERY_EVENT, { ...ALL, order: "desc" }));

  assert.deepEqual(
    entries.map(({ event, organizationName }) => [event.watch, event.seq, organizationName]),
    [
      ["ops", 3, 'Ÿves "50%" Co'],
      ["ops", 2, 'Ÿves "50%" Co'],
      ["ops", 1, "Acme GmbH"],
      ["b", 1, null],
    ],
  );
});

test("the recorded types are named once each", async () => {
  assert.deepEqual(await reader.eventTypes(), ["invite.received", "invite.status_changed"]);
});

const inviteFilters: readonly (readonly [string, Partial<InviteFilter>, readonly string[]])[] = [
  ["nothing", {}, ["i1", "i2", "i3"]],
  ["a watch", { watches: ["b"] }, ["i3"]],
  ["a status", { status: "pending" }, ["i1", "i3"]],
  ["an organization", { organization: "acme" }, ["i1"]],
  ["their end", { expiring: { after: at("20:00"), until: at("20:00", 23) } }, ["i2"]],
];

for (const [what, filter, found] of inviteFilters) {
  test(`invites are found by ${what}`, async () => {
    const invites = await all(reader.invites({ ...EVERY_INVITE, ...filter }, ALL));

    assert.deepEqual(invites.map((one) => one.id).sort(), found);
  });
}

test("syncs are found by watch, time and outcome", async () => {
  const failed = sync(at("11:00"), { outcome: "failed", reason: "HTTP 502" });
  await seeded.syncs(sync(at("10:45")), failed, sync(at("11:15")), sync(at("11:00"), { watch: "b" }));
  const filter = { watches: ["ops"], since: at("11:00"), until: at("11:15"), outcome: null };

  const between = await all(reader.syncs(filter, ALL));
  const failures = await all(reader.syncs({ watches: null, since: null, until: null, outcome: "failed" }, ALL));

  assert.deepEqual(between, [failed]);
  assert.deepEqual(failures, [failed]);
});

test("notifications are found by watch, state, invite, recipient, kind and time", async () => {
  const dead = notification({ state: "dead", eventSeqs: [2, 3] });
  const ofOthers = notification({ watch: "b", eventSeqs: [1] });
  const late = notification({ watch: null, eventSeqs: [], recipient: "Jo@b.example", kind: "digest" });
  await seeded.notifications(dead, ofOthers, { ...late, createdAt: at("12:00") });
  const none = {
    watches: null,
    states: null,
    inviteId: null,
    recipient: null,
    kind: null,
    since: null,
    until: null,
  };

  const found = await Promise.all([
    all(reader.notifications({ ...none, watches: ["b"] }, ALL)),
    all(reader.notifications({ ...none, states: ["dead"] }, ALL)),
    all(reader.notifications({ ...none, inviteId: "i2" }, ALL)),
    all(reader.notifications({ ...none, inviteId: "i1" }, ALL)),
    all(reader.notifications({ ...none, recipient: "jo@B.example" }, ALL)),
    all(reader.notifications({ ...none, kind: "digest" }, ALL)),
    all(reader.notifications({ ...none, since: at("12:00") }, ALL)),
    all(reader.notifications({ ...none, watches: ["b"], until: at("08:05") }, ALL)),
  ]);

  const ids = found.map((rows) => rows.map(({ id }) => id));
  assert.deepEqual(ids, [[ofOthers.id], [dead.id], [dead.id], [], [late.id], [late.id], [late.id], []]);
  assert.deepEqual(found[1], [{ ...dead, waitsForRelay: false }]);
});

for (const order of ["asc", "desc"] as const satisfies readonly Order[]) {
  test(`page by page ${order} every event comes once, in the order of the whole`, async () => {
    const whole = await all(reader.events(EVERY_EVENT, { order, cursor: null, limit: null }));

    const paged: HistoryEntry[] = [];
    for (let cursor: string | null = null; paged.length === 0 || cursor !== null; ) {
      const page: Page = await collect(reader.events(EVERY_EVENT, { order, cursor, limit: 1 }), 1);
      paged.push(...page.rows);
      cursor = page.next;
    }

    assert.deepEqual(paged, whole);
  });
}

test("what is recorded between two pages shifts nothing", async () => {
  const own = await seededDatabase("ops");
  const { events } = createReader(own.database);
  await own.events("ops", [
    received(invite({ id: "a" })),
    received(invite({ id: "b" })),
    received(invite({ id: "c" })),
  ]);

  const first = await collect(events(EVERY_EVENT, { order: "desc", cursor: null, limit: 2 }), 2);
  await own.events("ops", [received(invite({ id: "d" }))], at("09:00"));
  const second = await collect(events(EVERY_EVENT, { order: "desc", cursor: first.next, limit: 2 }), 2);

  assert.deepEqual(
    first.rows.concat(second.rows).map(({ event }) => event.seq),
    [3, 2, 1],
  );
  assert.equal(second.next, null);
  await own.close();
});

test("an answer of more than one page of the database holds every row", async () => {
  const own = await seededDatabase("ops");
  await own.events(
    "ops",
    Array.from({ length: 2_001 }, (_, index) => changedStatus(`i${index}`, "x", at("10:00"))),
  );

  const entries = await all(createReader(own.database).events(EVERY_EVENT, ALL));

  assert.deepEqual(
    entries.map(({ event }) => event.seq),
    Array.from({ length: 2_001 }, (_, index) => index + 1),
  );
  await own.close();
});

test("an event beyond what its watch's row says when the reading begins is left for the next reading", async () => {
  const own = await seededDatabase("ops");
  await own.events("ops", [received()]);
  await own.events("ops", [changedStatus("i1", "accepted", at("10:00"))]);
  await own.database.prisma.watch.update({ where: { name: "ops" }, data: { headSeq: 1 } });

  const entries = await all(createReader(own.database).events(EVERY_EVENT, ALL));

  assert.deepEqual(
    entries.map(({ event }) => event.seq),
    [1],
  );
  await own.close();
});

test("a cursor that is none, of another list, of the other order or forged is refused", () => {
  const [entry] = [{ event: { recordedAt: at("10:00"), watch: "ops", seq: 1 } }];
  const listing = reader.events(EVERY_EVENT, { ...ALL, order: "desc" });
  const good = listing.cursorOf(entry as Parameters<typeof listing.cursorOf>[0]);
  const forged = Buffer.from('["events","asc","yesterday","ops",1]').toString("base64url");

  for (const cursor of ["", "x", "{}", good, forged]) {
    assert.throws(() => reader.events(EVERY_EVENT, { ...ALL, cursor }), CursorError, cursor);
  }
  const syncs = { watches: null, since: null, until: null, outcome: null };
  assert.throws(() => reader.syncs(syncs, { ...ALL, order: "desc", cursor: good }), CursorError);
});
