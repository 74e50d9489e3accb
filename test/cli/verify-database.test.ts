import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Event } from "../../src/domain/event.ts";
import { at, changedStatus, received, type Seeded, seededDatabase, sync } from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

const drafts = [received(), changedStatus("i1", "x", at("09:00")), changedStatus("i1", "y", at("10:00"))];

let seeded: Seeded;
let own: readonly Event[];

beforeEach(async () => {
  seeded = await seededDatabase("ops", "b");
  own = await seeded.events("ops", drafts);
});

afterEach(() => seeded.close());
/** What the database refuses to everybody who does not switch its triggers off. */
async function tamper(statement: string): Promise<void> {
  const { prisma } = seeded.database;
  await prisma.$executeRawUnsafe("ALTER TABLE event DISABLE TRIGGER event_append_only");
  await prisma.$executeRawUnsafe(statement);
}

function verifyDatabase(...args: readonly string[]) {
  return runCommand(["verify", ...args], { url: seeded.url });
}

test("the database's chains are verified, or one watch's alone", async () => {
  const all = await verifyDatabase("--head", own[1]?.hash ?? "");
  const one = await verifyDatabase("--watch", "b");

  assert.equal(all.code, 0);
  assert.match(all.stdout, /^3 events of 2 watches verified\.\nb: 0 events, head 0{64}\nops: 3 events, head /);
  assert.match(all.stdout, /\nThe head that was asked for is event ops\/2\.\n$/);
  assert.match(one.stdout, /^0 events of 1 watch verified\./);
});

for (const [what, statement, sentence] of [
  [
    "edited data",
    `UPDATE event SET data = data || '{"to": "z"}' WHERE seq = 2`,
    "ops/2: its content does not give its hash",
  ],
  ["a removed row", "DELETE FROM event WHERE seq = 2", "ops/3: event 2 is missing"],
  [
    "a cut tail",
    "DELETE FROM event WHERE seq = 3",
    "ops: the end is cut off: it should be event 3, and the last one there is 2",
  ],
  [
    "a cut tail with the watch's row set back",
    `WITH cut AS (DELETE FROM event WHERE seq = 3) UPDATE watch SET head_seq = 2 WHERE name = 'ops'`,
    "ops: event 2 is not the one that was recorded as the last",
  ],
  [
    "an event that no sync recorded",
    "UPDATE watch SET head_seq = 2 WHERE name = 'ops'",
    "ops: event 3 was not recorded by a sync: the chain should end at 2",
  ],
] as const) {
  test(`in the database ${what} is found`, async () => {
    await tamper(statement);

    const { code, stdout } = await verifyDatabase();

    assert.deepEqual([code, stdout], [1, `Broken: ${sentence}.\n`]);
  });
}

test("a tail that was cut off with the watch's row set back is found by the sync that recorded it", async () => {
  const { prisma } = seeded.database;
  const last = own[2]?.prevHash;
  await seeded.syncs(sync(at("10:00"), { events: 1 }));
  await tamper("DELETE FROM event WHERE seq = 3");
  await prisma.$executeRaw`UPDATE watch SET head_seq = 2, head_hash = ${last} WHERE name = 'ops'`;

  const { code, stdout } = await verifyDatabase();

  assert.equal(code, 1);
  assert.match(stdout, /^Broken: ops: the sync [0-9a-f-]{36} recorded 1 event, but the chain has 0 of that sync\.\n$/);
});

test("history as NDJSON can be verified as it is", async () => {
  const { stdout } = await runCommand(["history", "--format", "ndjson"], { url: seeded.url });

  const { code } = await runCommand(["verify", "-"], { stdin: stdout });

  assert.equal(code, 0);
});
