/** Reads the ledger of syncs. */
import type { Ledger, Listing, Paging, SyncFilter } from "../../app/queries.ts";
import { type Asked, LATENESS } from "../../domain/coverage.ts";
import type { Sync } from "../../domain/sync.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { ask, instant, list } from "./read-keyset.ts";
import { type SyncRow, syncFrom } from "./rows.ts";

/** Syncs by startedAt. @throws CursorError */
export function listSyncs(database: Database, filter: SyncFilter, paging: Paging): Listing<Sync> {
  const { watches, since, until, outcome } = filter;
  const where: Prisma.Sql[] = [];
  if (watches !== null) where.push(Prisma.sql`s.watch = ANY (${[...watches]}::text[])`);
  if (since !== null) where.push(Prisma.sql`s.started_at >= ${instant(since)}`);
  if (until !== null) where.push(Prisma.sql`s.started_at < ${instant(until)}`);
  if (outcome !== null) where.push(Prisma.sql`s.outcome = ${outcome}`);
  return list<SyncRow, Sync>(
    database,
    {
      name: "syncs",
      select: Prisma.sql`SELECT s.* FROM sync s`,
      where,
      keys: [
        { column: Prisma.sql`s.started_at`, type: "timestamptz", of: (sync) => sync.startedAt },
        { column: Prisma.sql`s.id`, type: "uuid", of: (sync) => sync.id },
      ],
      itemOf: syncFrom,
    },
    paging,
  );
}

/** What fell short or came late in the time that is asked for. What was recorded in what is now the future is left out. */
export async function readLedger(database: Database, watches: readonly string[] | null, asked: Asked): Promise<Ledger> {
  const chosen = watches === null ? Prisma.sql`true` : Prisma.sql`w.name = ANY (${[...watches]}::text[])`;
  const spans = await ask<{ watch: string; first_sync_at: Date | null }>(
    database,
    Prisma.sql`
      SELECT w.name AS watch, (
        SELECT s.started_at FROM sync s WHERE s.watch = w.name AND s.outcome <> 'superseded'
          AND s.started_at <= ${instant(asked.now)}
        ORDER BY s.started_at LIMIT 1) AS first_sync_at
      FROM watch w WHERE ${chosen} ORDER BY w.name`,
  );
  const outages = await ask<OutageRow>(database, outagesBetween(chosen, asked));
  return {
    spans: spans.map((row) => ({ watch: row.watch, firstSyncAt: row.first_sync_at })),
    outages: outages.map((row) => ({
      watch: row.watch,
      since: row.since,
      until: row.until,
      intervalMs: row.interval_ms === null ? null : Number(row.interval_ms),
      shortfalls: row.shortfalls,
      reason: row.reason,
    })),
  };
}

type OutageRow = {
  watch: string;
  since: Date | null;
  until: Date | null;
  interval_ms: bigint | null;
  shortfalls: number;
  reason: string | null;
};

/**
 * The stretches from one complete sync to the next in which a sync fell short, or the next one was late or is not
 * there yet. One pass over the syncs from the last complete one before `since` to the first one after `until`.
 */
function outagesBetween(chosen: Prisma.Sql, { since, until, now }: Asked): Prisma.Sql {
  const lower = since === null ? Prisma.sql`'-infinity'::timestamptz` : instant(since);
  return Prisma.sql`
    WITH bound AS (
      SELECT w.name AS watch,
        coalesce((SELECT max(s.started_at) FROM sync s
          WHERE s.watch = w.name AND s.outcome = 'complete' AND s.started_at <= ${lower}), '-infinity') AS lowest,
        coalesce((SELECT min(s.started_at) FROM sync s
          WHERE s.watch = w.name AND s.outcome = 'complete' AND s.started_at >= ${instant(until)}), 'infinity') AS highest
      FROM watch w WHERE ${chosen}
    ), run AS (
      SELECT s.watch, s.started_at, s.outcome = 'complete' AS complete, coalesce(s.reason, s.outcome) AS reason,
        s.interval_ms,
        count(*) FILTER (WHERE s.outcome = 'complete') OVER (PARTITION BY s.watch ORDER BY s.started_at, s.id) AS stretch
      FROM sync s JOIN bound b ON s.watch = b.watch AND s.started_at BETWEEN b.lowest AND b.highest
      WHERE s.outcome <> 'superseded' AND s.started_at <= ${instant(now)}
    ), stretch AS (
      SELECT watch, stretch,
        min(started_at) FILTER (WHERE complete) AS since,
        min(interval_ms) FILTER (WHERE complete) AS interval_ms,
        count(*) FILTER (WHERE NOT complete)::integer AS shortfalls,
        (array_agg(reason ORDER BY started_at) FILTER (WHERE NOT complete))[1] AS reason
      FROM run GROUP BY watch, stretch
    ), bounded AS (
      SELECT *, lead(since) OVER (PARTITION BY watch ORDER BY stretch) AS until FROM stretch
    )
    SELECT watch, since, until, interval_ms, shortfalls, reason FROM bounded
    WHERE (since IS NULL OR since < ${instant(until)}) AND (
      since IS NULL OR until IS NULL OR shortfalls > 0
      OR extract(epoch FROM until - since) * 1000 > interval_ms * ${LATENESS.factor}::float8 + ${LATENESS.graceMs}::float8
    )
    ORDER BY watch, stretch`;
}
