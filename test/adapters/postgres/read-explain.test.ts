import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { readStory } from "../../../src/adapters/postgres/read-explain.ts";
import { writeEvents } from "../../../src/adapters/postgres/write.ts";
import { GENESIS_HASH, link } from "../../../src/domain/chain.ts";
import type { EventDraft } from "../../../src/domain/event.ts";
import { owe, suppress } from "./people-seed.ts";
import { at, changedStatus, invite, received, type Seeded, seededDatabase, sync } from "./read-seed.ts";

const acme = invite();
const other = invite({ id: "i2", organizationName: "Other" });
const run = sync(at("08:05"));

let seeded: Seeded;

before(async () => {
  seeded = await seededDatabase("ops", "b");
  const head = { seq: 0, hash: GENESIS_HASH, recordedAt: null };
  const drafts = [received(acme), received(other), changedStatus("i1", "x", at("08:06")), blind("i1"), blind("i2")];
  await seeded.syncs(run, sync(at("08:20")));
  const about = { watch: "ops", syncId: run.id, recordedAt: at("08:06"), newId: randomUUID };
  await writeEvents(seeded.database.prisma, link(drafts, head, about));
  await seeded.events("b", [received(invite({ watch: "b" }))]);
});

after(() => seeded.close());

function blind(id: string): EventDraft {
  const data = { reason: "HTTP 502", since: at("08:00").toISOString(), until: null, atRisk: [id] };
  return { type: "watch.blind", inviteId: null, occurredAt: at("08:06"), data };
}

test("a story has the invite's own events, those that put it at risk, and the syncs that recorded them", async () => {
  const { events, syncs } = await readStory(seeded.database, acme);

  assert.deepEqual(
    events.map(({ watch, seq }) => `${watch}/${seq}`),
    ["ops/1", "ops/3", "ops/4"],
  );
  assert.deepEqual(
    syncs.map(({ id, outcome }) => [id, outcome]),
    [[run.id, "complete"]],
  );
});

test("a story has the mails that tell its events and those that tell in their place, and no others", async () => {
  const last = await owe(seeded, { watchName: null, kind: "summary", eventSeqs: [], createdAt: at("08:09") });
  const middle = await owe(seeded, { watchName: null, eventSeqs: [], coveredBy: last, createdAt: at("08:08") });
  const first = await owe(seeded, { eventSeqs: [1, 2], coveredBy: middle, createdAt: at("08:07") });
  await owe(seeded, { eventSeqs: [2] });
  await owe(seeded, { watchName: "b", eventSeqs: [1] });

  const { mails } = await readStory(seeded.database, acme);

  assert.deepEqual(
    mails.map(({ id }) => id),
    [first, middle, last],
  );
});

test("a story has the decisions not to mail its events, and no others", async () => {
  await suppress(seeded, { eventSeqs: [2, 3], reason: "moot", recipient: "lead@example.com", syncId: run.id });
  await suppress(seeded, { eventSeqs: [2] });
  await suppress(seeded, { eventSeqs: [3], watchName: "b" });

  const { suppressions } = await readStory(seeded.database, acme);

  assert.deepEqual(
    suppressions.map(({ id: _, ...rest }) => rest),
    [
      {
        watch: "ops",
        syncId: run.id,
        recipient: "lead@example.com",
        reason: "moot",
        detail: "only organizationName changed",
        eventSeqs: [2, 3],
        decidedAt: at("08:05"),
      },
    ],
  );
});

test("a story has the silences that cover the invite or did, and no others", async () => {
  const silence = async (reason: string, given: { watchName?: string; inviteId?: string; organization?: string }) => {
    const common = { id: randomUUID(), until: at("09:00"), reason, createdBy: "jo", createdAt: at("08:30") };
    await seeded.database.prisma.silence.create({ data: { ...common, ...given } });
  };
  await silence("by its organization", { organization: "ACME", watchName: "ops" });
  await silence("by its id", { inviteId: "i1" });
  await silence("another watch", { inviteId: "i1", watchName: "b" });
  await silence("another invite", { inviteId: "i2" });

  const { silences } = await readStory(seeded.database, acme);

  assert.deepEqual(silences.map(({ reason }) => reason).sort(), ["by its id", "by its organization"]);
});
