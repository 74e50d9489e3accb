import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { conditionsOf } from "../../../src/adapters/postgres/read-events.ts";
import type { EventFilter } from "../../../src/app/queries.ts";
import { Prisma } from "../../../src/generated/prisma/client.ts";
import { at, type Seeded, seededDatabase } from "./read-seed.ts";

const EVENTS = 20_000;
const UNFILTERED: EventFilter = {
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

let seeded: Seeded;

/** An event every minute, one in a hundred of a rare type, ten of each invite. */
before(async () => {
  seeded = await seededDatabase("ops");
  const { prisma } = seeded.database;
  await prisma.$executeRaw`
    INSERT INTO event (watch, seq, id, type, invite_id, occurred_at, recorded_at, data, prev_hash, hash)
    SELECT 'ops', n, gen_random_uuid(), CASE WHEN n % 100 = 0 THEN 'invite.withdrawn' ELSE 'invite.received' END,
      'i' || n / 10, t, t, '{}', ${randomUUID()}, ${randomUUID()}
    FROM generate_series(1, ${EVENTS}::integer) AS n,
      LATERAL (SELECT ${at("00:00").toISOString()}::timestamptz - n * interval '1 minute' AS t) AS time`;
  await prisma.$executeRaw`ANALYZE event`;
});

after(() => seeded.close());

const questions: readonly (readonly [string, Partial<EventFilter>])[] = [
  ["everything", {}],
  ["a type", { types: ["invite.withdrawn"] }],
  ["an invite of any watch", { inviteId: "i77" }],
  ["the last hours", { since: at("21:00", 21) }],
  ["a short time long ago", { since: at("10:00", 9), until: at("11:00", 9) }],
];

for (const [what, filter] of questions) {
  test(`the newest events of ${what} are found through an index`, async () => {
    const where = conditionsOf({ ...UNFILTERED, ...filter }, ["ops"]);
    const condition = Prisma.join([Prisma.sql`true`, ...where], " AND ");

    const plan = await seeded.database.prisma.$queryRaw<{ "QUERY PLAN": string }[]>`
      EXPLAIN SELECT e.*, i.organization_name
      FROM event e LEFT JOIN invite i ON i.watch = e.watch AND i.id = e.invite_id
      WHERE ${condition} ORDER BY e.recorded_at DESC, e.watch DESC, e.seq DESC LIMIT 101`;

    const lines = plan.map((row) => row["QUERY PLAN"]);
    assert.ok(!lines.some((line) => /Seq Scan on event/.test(line)), lines.join("\n"));
  });
}
