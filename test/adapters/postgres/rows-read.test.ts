/** What is asked each minute, by every replica, reads a handful of rows, however long the history is. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createDigestStore } from "../../../src/adapters/postgres/digest-store.ts";
import { type Database, openDatabase } from "../../../src/adapters/postgres/open.ts";
import { createOutboxStore } from "../../../src/adapters/postgres/outbox-store.ts";
import { createReader } from "../../../src/adapters/postgres/read-store.ts";
import { createSyncStore } from "../../../src/adapters/postgres/sync-store.ts";
import { type OpenedDatabase, openTestDatabase } from "../../support/database.ts";

const ROWS = 20_000;
const MOST_READ = 200;
const NOW = new Date("2026-06-01T00:00:00Z");

let database: OpenedDatabase;

/** A watch that is a year old: its syncs, its events, its delivered mails, each with an attempt. */
before(async () => {
  database = await openTestDatabase();
  await measured(seed);
});

async function seed({ prisma }: Database): Promise<void> {
  const minutes = (n: string) => `timestamptz '2026-05-31T23:59:00Z' - ${n} * interval '1 minute'`;
  await prisma.$executeRawUnsafe(`INSERT INTO watch (name, head_hash) VALUES ('ops', 'x')`);
  await prisma.$executeRawUnsafe(`
    INSERT INTO sync (id, watch, started_at, finished_at, outcome, pages, listed, events, interval_ms)
    SELECT gen_random_uuid(), 'ops', ${minutes("n")}, ${minutes("n")}, 'complete', 1, 0, 0, 60000
    FROM generate_series(1, ${ROWS}) AS n`);
  await prisma.$executeRawUnsafe(`
    INSERT INTO event (watch, seq, id, type, occurred_at, recorded_at, data, prev_hash, hash)
    SELECT 'ops', ${ROWS + 1} - n, gen_random_uuid(), 'invite.received', ${minutes("n")}, ${minutes("n")}, '{}', 'x', 'x'
    FROM generate_series(1, ${ROWS}) AS n`);
  await prisma.$executeRawUnsafe(`
    INSERT INTO notification (id, watch, recipient, kind, message_id, state, attempts, created_at, released_at, delivered_at, event_seqs)
    SELECT gen_random_uuid(), 'ops', 'ops@example.com', CASE n % 1000 WHEN 0 THEN 'digest' ELSE 'invite.received' END, n, 'delivered', 1,
      ${minutes("n")}, ${minutes("n")}, ${minutes("n")}, ARRAY[n]
    FROM generate_series(1, ${ROWS}) AS n`);
  await prisma.$executeRawUnsafe(`
    INSERT INTO attempt (notification_id, number, started_at, duration_ms, way, stage, outcome, said)
    SELECT id, 1, created_at, 1, 'smtp', 'answer', 'accepted', '250 ok' FROM notification`);
  await prisma.$executeRawUnsafe("ANALYZE");
}

after(() => database.close());

/** Does the work over sessions of its own, and waits for their end: only then the server has counted what they read. */
async function measured(work: (opened: Database) => Promise<unknown>): Promise<void> {
  const opened = await openDatabase(`${database.url}?application_name=measured`, "command");
  await work(opened);
  await opened.close();
  for (let open = 1; open > 0; ) {
    open = await database.prisma.$executeRaw`SELECT FROM pg_stat_activity WHERE application_name = 'measured'`;
  }
}

/** By table. */
async function rowsReadBy(work: (opened: Database) => Promise<unknown>) {
  const count = async () => {
    await database.prisma.$queryRaw`SELECT pg_stat_clear_snapshot()::text`;
    return database.prisma.$queryRaw<{ name: string; read: bigint }[]>`
      SELECT t.relname::text AS name,
        (seq_tup_read + coalesce((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = t.relid), 0))::bigint AS read
      FROM pg_stat_user_tables t WHERE schemaname = 'public' AND relname IN ('sync', 'event', 'notification', 'attempt')`;
  };
  const earlier = new Map((await count()).map(({ name, read }) => [name, read]));
  await measured(work);
  const later = await count();
  return Object.fromEntries(later.map(({ name, read }) => [name, Number(read - (earlier.get(name) ?? 0n))]));
}

const noJobs = async () => {};

const QUESTIONS: Readonly<Record<string, (opened: Database) => Promise<unknown>>> = {
  "when a watch was last synced": ({ prisma }) => createSyncStore(prisma, noJobs).lastSyncs(["ops"]),
  "when a new watch was last synced": ({ prisma }) => createSyncStore(prisma, noJobs).lastSyncs(["new"]),
  "whether a watch sees": ({ prisma }) =>
    createSyncStore(prisma, noJobs)
      .ledger("ops")
      .sight({ blindSince: null } as never),
  "when the last digest was made": (opened) => createDigestStore(opened, noJobs).lastDigestAt(null, NOW),
  "when somebody got the last digest": (opened) =>
    createDigestStore(opened, noJobs).lastDigestAt("ops@example.com", NOW),
  "when the first sync was": (opened) => createDigestStore(opened, noJobs).firstSyncAt(["ops"]),
  "how many mails are due": (opened) => createOutboxStore(opened, noJobs).countDue(NOW),
  "which due mails were forgotten": (opened) => createOutboxStore(opened, noJobs).requeueForgotten(NOW),
  "which mails of a round are undelivered": (opened) => createOutboxStore(opened, noJobs).undeliveredSince(NOW),
  "how watches stand": (opened) => createReader(opened).watchStatuses(NOW),
  "how mail stands": (opened) => createReader(opened).mailStatus(NOW),
};

for (const [what, ask] of Object.entries(QUESTIONS)) {
  test(`${what} is answered from a handful of rows`, async () => {
    const read = await rowsReadBy(ask);

    assert.ok(
      Object.values(read).every((rows) => rows <= MOST_READ),
      JSON.stringify(read),
    );
  });
}
