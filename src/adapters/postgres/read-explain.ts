/** Reads everything that is recorded of one invite. */
import type { DecidedSuppression, Mail, Story } from "../../app/explain.ts";
import type { Event } from "../../domain/event.ts";
import type { Invite } from "../../domain/invite.ts";
import type { SuppressionReason } from "../../domain/plan.ts";
import { type Silence, silenceOf } from "../../domain/silence.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { ask } from "./read-keyset.ts";
import { readMails } from "./read-mails.ts";
import { type SilenceRow, silenceFrom } from "./read-silences.ts";
import { type EventRow, eventOf, type SyncRow, syncFrom } from "./rows.ts";

/** @throws DatabaseError */
export async function readStory(database: Database, invite: Invite): Promise<Story> {
  const events = await readEvents(database, invite);
  const seqs = events.map(({ seq }) => seq);
  return {
    invite,
    events,
    syncs: await readSyncs(database, events),
    mails: await readMailsOf(database, invite.watch, seqs),
    suppressions: await readSuppressions(database, invite.watch, seqs),
    silences: await readSilences(database, invite),
  };
}

async function readEvents(database: Database, { watch, id }: Invite): Promise<Event[]> {
  const rows = await ask<EventRow>(
    database,
    Prisma.sql`
      SELECT * FROM event WHERE watch = ${watch} AND (invite_id = ${id}
        OR (type IN ('watch.blind', 'watch.recovered') AND data->'atRisk' @> to_jsonb(${id}::text)))
      ORDER BY seq`,
  );
  return rows.map(eventOf);
}

async function readSyncs(database: Database, events: readonly Event[]): Promise<Story["syncs"]> {
  const ids = [...new Set(events.flatMap(({ syncId }) => syncId ?? []))];
  const statement = Prisma.sql`SELECT * FROM sync WHERE id = ANY (${ids}::uuid[]) ORDER BY started_at`;
  return (await ask<SyncRow>(database, statement)).map(syncFrom);
}

/** Mails with any of the events, and the mails that tell in their place. */
function readMailsOf(database: Database, watch: string, seqs: readonly number[]): Promise<Mail[]> {
  return readMails(
    database,
    Prisma.sql`n.id IN (
      WITH RECURSIVE told AS (
        SELECT id, covered_by FROM notification WHERE watch = ${watch} AND event_seqs && ${[...seqs]}::int[]
        UNION
        SELECT n.id, n.covered_by FROM notification n JOIN told ON n.id = told.covered_by
      )
      SELECT id FROM told)`,
  );
}

type SuppressionRow = {
  id: string;
  watch: string;
  sync_id: string | null;
  recipient: string | null;
  reason: string;
  detail: string;
  event_seqs: number[];
  decided_at: Date;
};

async function readSuppressions(
  database: Database,
  watch: string,
  seqs: readonly number[],
): Promise<DecidedSuppression[]> {
  const rows = await ask<SuppressionRow>(
    database,
    Prisma.sql`
      SELECT * FROM suppression WHERE watch = ${watch} AND event_seqs && ${[...seqs]}::int[] ORDER BY decided_at, id`,
  );
  return rows.map(({ sync_id: syncId, reason, event_seqs: eventSeqs, decided_at: decidedAt, ...row }) => ({
    ...row,
    syncId,
    reason: reason as SuppressionReason,
    eventSeqs,
    decidedAt,
  }));
}

async function readSilences(database: Database, invite: Invite): Promise<Silence[]> {
  const rows = await ask<SilenceRow>(
    database,
    Prisma.sql`SELECT * FROM silence WHERE watch IS NULL OR watch = ${invite.watch} ORDER BY created_at, id`,
  );
  return rows.map(silenceFrom).filter((silence) => silenceOf(invite, [silence]) !== null);
}
