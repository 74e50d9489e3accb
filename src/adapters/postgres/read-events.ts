/** Reads the audit history and its chains. */
import type { ChainEnd, EventFilter, HistoryEntry, Listing, MiscountedSync, Paging } from "../../app/queries.ts";
import { type EventJson, eventJson } from "../../domain/chain.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { holds, organizationIs } from "./read-invites.ts";
import { ask, instant, list } from "./read-keyset.ts";
import { type EventRow, eventOf } from "./rows.ts";

export type HistoryRow = EventRow & { organization_name: string | null };

export function historyEntryOf(row: HistoryRow): HistoryEntry {
  return { event: eventOf(row), organizationName: row.organization_name };
}

/**
 * Events by (recordedAt, watch, seq).
 *
 * Only what was recorded when the reading began: else an event that is committed late, behind the place where the
 * reading is, would be left out while its successors are not, and the chain would seem to have a hole.
 *
 * @throws CursorError
 */
export function listEvents(database: Database, filter: EventFilter, paging: Paging): Listing<HistoryEntry> {
  const listing = (where: readonly Prisma.Sql[]) =>
    list<HistoryRow, HistoryEntry>(
      database,
      {
        name: "events",
        select: Prisma.sql`
          SELECT e.*, i.organization_name FROM event e LEFT JOIN invite i ON i.watch = e.watch AND i.id = e.invite_id`,
        where,
        keys: [
          { column: Prisma.sql`e.recorded_at`, type: "timestamptz", of: ({ event }) => event.recordedAt },
          { column: Prisma.sql`e.watch`, type: "text", of: ({ event }) => event.watch },
          { column: Prisma.sql`e.seq`, type: "integer", of: ({ event }) => event.seq },
        ],
        itemOf: historyEntryOf,
      },
      paging,
    );
  async function* rows(): AsyncGenerator<HistoryEntry> {
    const heads = await readHeads(database);
    yield* listing([recordedBy(heads), ...conditionsOf(filter, Object.keys(heads))]).rows;
  }
  return { rows: rows(), cursorOf: listing([]).cursorOf };
}

/** Newest seq of each watch. */
async function readHeads(database: Database): Promise<Readonly<Record<string, number>>> {
  const rows = await ask<{ name: string; head_seq: number }>(database, Prisma.sql`SELECT name, head_seq FROM watch`);
  return Object.fromEntries(rows.map((row) => [row.name, row.head_seq]));
}

function recordedBy(heads: Readonly<Record<string, number>>): Prisma.Sql {
  return Prisma.sql`e.seq <= (${JSON.stringify(heads)}::jsonb ->> e.watch)::integer`;
}

/** @param known all watches: naming them lets an index on (watch, …) serve a question about every watch */
export function conditionsOf(filter: EventFilter, known: readonly string[]): readonly Prisma.Sql[] {
  const { since, until, types, inviteId, text } = filter;
  const watches = filter.watches ?? (inviteId === null ? null : known);
  const where: Prisma.Sql[] = [];
  if (watches !== null) where.push(Prisma.sql`e.watch = ANY (${[...watches]}::text[])`);
  if (since !== null) where.push(Prisma.sql`e.occurred_at >= ${instant(since)}`);
  if (until !== null) where.push(Prisma.sql`e.occurred_at < ${instant(until)}`);
  if (types !== null) where.push(Prisma.sql`e.type = ANY (${[...types]}::text[])`);
  if (inviteId !== null) where.push(Prisma.sql`e.invite_id = ${inviteId}`);
  if (filter.organization !== null) where.push(organizationIs(filter.organization));
  if (filter.email !== null) where.push(holds(Prisma.sql`i.invited_member_email`, filter.email));
  if (filter.inviter !== null) where.push(holds(Prisma.sql`i.invited_by`, filter.inviter));
  if (filter.status !== null) where.push(Prisma.sql`i.status = ${filter.status}`);
  if (text !== null) where.push(Prisma.sql`(${holds(Prisma.sql`i.organization_name`, text)} OR ${dataHolds(text)})`);
  return where;
}

/** Whether a value somewhere in the data holds the text; keys do not count. */
function dataHolds(text: string): Prisma.Sql {
  const scalars = 'strict $.** ? (@.type() != "object" && @.type() != "array")';
  return Prisma.sql`EXISTS (
    SELECT FROM jsonb_path_query(e.data, ${scalars}::jsonpath) AS scalar (value)
    WHERE ${holds(Prisma.sql`scalar.value #>> '{}'`, text)})`;
}

/** The types of which there are events; jumps from one to the next in the index. */
export async function readEventTypes(database: Database): Promise<readonly string[]> {
  const rows = await ask<{ type: string }>(
    database,
    Prisma.sql`
      WITH RECURSIVE found (type) AS (
        (SELECT type FROM event ORDER BY type LIMIT 1)
        UNION ALL
        SELECT (SELECT e.type FROM event e WHERE e.type > found.type ORDER BY e.type LIMIT 1) FROM found
        WHERE found.type IS NOT NULL
      ) SELECT type FROM found WHERE type IS NOT NULL`,
  );
  return rows.map((row) => row.type);
}

export async function readChainEnds(database: Database, watches: readonly string[] | null): Promise<ChainEnd[]> {
  const filter = watches === null ? Prisma.empty : Prisma.sql`WHERE w.name = ANY (${[...watches]}::text[])`;
  const rows = await ask<{ name: string; head_seq: number; head_hash: string; newest_seq: number }>(
    database,
    Prisma.sql`
      SELECT w.name, w.head_seq, w.head_hash,
        coalesce((SELECT max(e.seq) FROM event e WHERE e.watch = w.name), 0)::integer AS newest_seq
      FROM watch w ${filter} ORDER BY w.name`,
  );
  return rows.map((row) => ({
    watch: row.name,
    headSeq: row.head_seq,
    headHash: row.head_hash,
    newestSeq: row.newest_seq,
  }));
}

/** The oldest sync of the watch whose events are not as many as it says. */
export async function readMiscountedSync(database: Database, watch: string): Promise<MiscountedSync | null> {
  const rows = await ask<MiscountedSync>(
    database,
    Prisma.sql`
      SELECT s.id::text AS id, s.events AS recorded, count(e.seq)::integer AS found
      FROM sync s LEFT JOIN event e ON e.sync_id = s.id AND e.watch = s.watch
      WHERE s.watch = ${watch} GROUP BY s.id HAVING s.events <> count(e.seq)
      ORDER BY s.started_at LIMIT 1`,
  );
  return rows[0] ?? null;
}

/** One watch's events in the order of its chain. */
export async function* readChain(database: Database, watch: string): AsyncGenerator<EventJson> {
  const listing = list<EventRow, EventJson>(
    database,
    {
      name: "chain",
      select: Prisma.sql`SELECT e.* FROM event e`,
      where: [Prisma.sql`e.watch = ${watch}`],
      keys: [{ column: Prisma.sql`e.seq`, type: "integer", of: (event) => event.seq }],
      itemOf: (row) => eventJson(eventOf(row)),
    },
    { order: "asc", cursor: null, limit: null },
  );
  yield* listing.rows;
}
