/** What a digest is made from, and where it is put. */
import type { DigestMail, DigestStanding, DigestStore } from "../../app/digest.ts";
import { coverageOf } from "../../domain/coverage.ts";
import type { EventType } from "../../domain/event.ts";
import { deathsSince } from "./deaths.ts";
import type { Database } from "./open.ts";
import { readLedger } from "./read-syncs.ts";
import { type InviteRow, inviteOf } from "./rows.ts";
import type { EnqueueDeliveries } from "./sync-store.ts";
import { writeNotifications } from "./write.ts";

/** Pending invitations that a digest names, and mails given up. */
const NAMED = 20;

export function createDigestStore(database: Database, enqueueDeliveries: EnqueueDeliveries): DigestStore {
  const { prisma } = database;
  return {
    async lastDigestAt(recipient, now) {
      const [row] = await prisma.$queryRaw<{ at: Date | null }[]>`
        SELECT max(created_at) AS at FROM notification
        WHERE kind = 'digest' AND created_at <= ${now} AND (${recipient}::text IS NULL OR recipient = ${recipient})`;
      return row?.at ?? null;
    },

    async firstSyncAt(watches) {
      const [row] = await prisma.$queryRaw<{ at: Date | null }[]>`
        SELECT min(started_at) AS at FROM sync WHERE watch = ANY (${[...watches]}::text[])`;
      return row?.at ?? null;
    },

    async readWatches(names, since, now) {
      const { spans, outages } = await readLedger(database, names, { since, until: now, now });
      const coverage = coverageOf(spans, outages, { since, until: now, now });
      const watches: DigestStanding[] = [];
      for (const name of names) {
        const stand = await readStand(database, name, { since, now });
        if (stand === null) continue;
        watches.push({
          ...stand,
          name,
          coverage: coverage.watches.find(({ watch }) => watch === name)?.share ?? 0,
          gaps: coverage.gaps.filter((gap) => gap.watch === name),
        });
      }
      return watches;
    },

    readMail: (since, now) => readMail(database, since, now),

    async owe(digests) {
      await prisma.$transaction(async (tx) => {
        const ids = digests.map(({ notification }) => notification.id);
        const present = await tx.notification.findMany({ where: { id: { in: ids } }, select: { id: true } });
        const missing = digests.filter(({ notification: { id } }) => !present.some((one) => one.id === id));
        await writeNotifications(
          tx,
          missing.map(({ notification }) => notification),
        );
        for (const { notification, mime } of missing) {
          await tx.notification.update({ where: { id: notification.id }, data: { mime: new Uint8Array(mime) } });
        }
        await enqueueDeliveries(
          tx,
          missing.map(({ notification }) => notification.id),
        );
      });
    },
  };
}

type Period = { readonly since: Date; readonly now: Date };

/** What the tables say of one watch; null where it was never synced. */
async function readStand(
  { prisma }: Database,
  name: string,
  { since, now }: Period,
): Promise<Omit<DigestStanding, "name" | "coverage" | "gaps"> | null> {
  const [watch] = await prisma.$queryRaw<
    { head_seq: number; head_hash: string; blind_since: Date | null; pending: number; silenced: number }[]
  >`
    SELECT head_seq, head_hash, blind_since,
      (SELECT count(*) FROM invite WHERE watch = ${name} AND status = 'pending' AND coalesce(expires_at > ${now}, true))::int AS pending,
      (SELECT coalesce(sum(cardinality(event_seqs)), 0) FROM notification
        WHERE watch = ${name} AND state = 'pending' AND held_by = 'silence')::int AS silenced
    FROM watch WHERE name = ${name}`;
  if (watch === undefined) return null;
  const pending = await prisma.$queryRaw<InviteRow[]>`
    SELECT * FROM invite WHERE watch = ${name} AND status = 'pending' AND coalesce(expires_at > ${now}, true)
    ORDER BY expires_at NULLS LAST, id LIMIT ${NAMED}`;
  const happened = await prisma.$queryRaw<{ type: EventType; count: number }[]>`
    SELECT type, count(*)::int AS count FROM event
    WHERE watch = ${name} AND recorded_at >= ${since} AND recorded_at < ${now} GROUP BY type ORDER BY count DESC, type`;
  const [syncs] = await prisma.$queryRaw<{ complete: number; fell_short: number }[]>`
    SELECT count(*) FILTER (WHERE outcome = 'complete')::int AS complete,
      count(*) FILTER (WHERE outcome IN ('incomplete', 'failed'))::int AS fell_short
    FROM sync WHERE watch = ${name} AND started_at >= ${since} AND started_at < ${now}`;
  return {
    pending: pending.map(inviteOf),
    pendingCount: watch.pending,
    happened,
    syncs: { complete: syncs?.complete ?? 0, fellShort: syncs?.fell_short ?? 0 },
    blindSince: watch.blind_since,
    silenced: watch.silenced,
    head: { seq: watch.head_seq, hash: watch.head_hash },
  };
}

/** Mail that is held is not late: it counts as owed from when it may go. */
async function readMail({ prisma }: Database, since: Date, now: Date): Promise<DigestMail> {
  const [row] = await prisma.$queryRaw<{ owed: number; oldest: Date | null; delivered: number }[]>`
    WITH mail AS (
      SELECT *, CASE WHEN held_by IS NULL THEN created_at ELSE next_attempt_at END AS owed_since FROM notification
      WHERE state IN ('pending', 'sending') OR delivered_at >= ${since})
    SELECT count(*) FILTER (WHERE state IN ('pending', 'sending') AND coalesce(owed_since <= ${now}, true))::int AS owed,
      min(owed_since) FILTER (WHERE state IN ('pending', 'sending') AND owed_since <= ${now}) AS oldest,
      count(*) FILTER (WHERE state = 'delivered')::int AS delivered
    FROM mail`;
  // Not by its last attempt: one that waited behind others may have had none, or had it long before it was given up.
  const dead = await prisma.$queryRaw<(DigestMail["dead"][number] & { count: number })[]>`
    SELECT recipient, subject, died_at AS at, concat_ws(': ', reason, error) AS why, count(*) OVER ()::int AS count,
      array(
        SELECT i.organization_name FROM event e
        CROSS JOIN LATERAL jsonb_array_elements_text(e.data->'inviteIds') WITH ORDINALITY AS told (id, nth)
        JOIN invite i ON i.watch = e.watch AND i.id = told.id
        WHERE e.type = 'notification.dead' AND e.recorded_at = died_at AND e.data->>'notificationId' = notification.id::text
        ORDER BY e.watch, told.nth LIMIT ${NAMED}
      ) AS organizations,
      (SELECT coalesce(sum((e.data->>'invites')::int), 0)::int FROM event e
        WHERE e.type = 'notification.dead' AND e.recorded_at = died_at
          AND e.data->>'notificationId' = notification.id::text) AS invites
    FROM notification JOIN (${deathsSince(since)}) AS death USING (id)
    WHERE state = 'dead' ORDER BY died_at DESC, id LIMIT ${NAMED}`;
  return {
    owed: row?.owed ?? 0,
    oldestOwedAt: row?.oldest ?? null,
    dead: dead.map(({ count: _, ...one }) => one),
    deadCount: dead[0]?.count ?? 0,
    delivered: row?.delivered ?? 0,
  };
}
