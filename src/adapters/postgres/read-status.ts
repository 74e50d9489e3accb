/** Reads where things stand now: one row per watch, and the outbox in numbers. */
import type { MailStatus, WatchStatus } from "../../app/queries.ts";
import type { SyncOutcome } from "../../domain/sync.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { ask, instant } from "./read-keyset.ts";

type WatchStatusRow = {
  watch: string;
  head_seq: number;
  head_hash: string;
  blind_since: Date | null;
  complete_at: Date | null;
  interval_ms: bigint | null;
  started_at: Date | null;
  outcome: string | null;
  reason: string | null;
  clock_skew_ms: bigint | null;
  pending: number;
  invite_id: string | null;
  organization_name: string | null;
  expires_at: Date | null;
};

export async function readWatchStatuses(database: Database, now: Date): Promise<WatchStatus[]> {
  const rows = await ask<WatchStatusRow>(
    database,
    Prisma.sql`
      SELECT w.name AS watch, w.head_seq, w.head_hash, w.blind_since, done.started_at AS complete_at, done.interval_ms,
        last.started_at, last.outcome, last.reason, last.clock_skew_ms,
        (SELECT count(*) FROM invite i WHERE i.watch = w.name AND i.status = 'pending')::integer AS pending,
        ending.id AS invite_id, ending.organization_name, ending.expires_at
      FROM watch w
        LEFT JOIN LATERAL (
          SELECT s.started_at, s.interval_ms FROM sync s WHERE s.watch = w.name AND s.outcome = 'complete'
          ORDER BY s.ordinal DESC LIMIT 1) AS done ON true
        LEFT JOIN LATERAL (
          SELECT s.started_at, s.outcome, s.reason, s.clock_skew_ms FROM sync s WHERE s.watch = w.name AND s.outcome <> 'superseded'
          ORDER BY s.ordinal DESC LIMIT 1) AS last ON true
        LEFT JOIN LATERAL (
          SELECT i.id, i.organization_name, i.expires_at FROM invite i
          WHERE i.watch = w.name AND i.status = 'pending' AND i.expires_at > ${instant(now)}
          ORDER BY i.expires_at LIMIT 1) AS ending ON true
      ORDER BY w.name`,
  );
  return rows.map(statusOf);
}

function statusOf(row: WatchStatusRow): WatchStatus {
  const { started_at: startedAt, outcome, reason, invite_id: inviteId, expires_at: expiresAt } = row;
  return {
    watch: row.watch,
    lastCompleteAt: row.complete_at,
    intervalMs: row.interval_ms === null ? null : Number(row.interval_ms),
    lastSync: startedAt === null ? null : { startedAt, outcome: outcome as SyncOutcome, reason },
    blindSince: row.blind_since,
    pending: row.pending,
    nextExpiry:
      inviteId === null || expiresAt === null ? null : { inviteId, organizationName: row.organization_name, expiresAt },
    head: { seq: row.head_seq, hash: row.head_hash },
    clockSkewMs: row.clock_skew_ms === null ? null : Number(row.clock_skew_ms),
  };
}

/** The mail server was reached, and did not take the mail for now. */
const IS_PUT_OFF = Prisma.sql`state = 'pending' AND attempts > 0 AND NOT waits_for_relay AND released_at IS NOT NULL`;

type MailNumbers = {
  readonly owed: number;
  readonly held: number;
  readonly overdue: number;
  readonly dead: number;
  readonly put_off: number;
  readonly put_off_error: string | null;
  readonly oldest: Date | null;
};

/**
 * The outbox in numbers. A mail is due from when it first might have left, whoever had it retried since: from when it
 * came to be owed or, where it was held, from when it was let through or until when it is held.
 *
 * @param overdueBefore what is due since before this is overdue
 */
export async function readMailStatus(database: Database, overdueBefore: Date): Promise<MailStatus> {
  const [row] = await ask<MailNumbers>(
    database,
    Prisma.sql`
      SELECT count(*) FILTER (WHERE state <> 'dead')::integer AS owed,
        count(*) FILTER (WHERE state <> 'dead' AND due_at < ${instant(overdueBefore)})::integer AS overdue,
        count(*) FILTER (WHERE state = 'pending' AND held_by IS NOT NULL AND released_at IS NULL)::integer AS held,
        count(*) FILTER (WHERE state = 'dead')::integer AS dead,
        count(*) FILTER (WHERE ${IS_PUT_OFF})::integer AS put_off,
        (SELECT error FROM notification WHERE ${IS_PUT_OFF} ORDER BY last_attempt_at DESC LIMIT 1) AS put_off_error,
        min(created_at) FILTER (WHERE state <> 'dead') AS oldest
      FROM (
        SELECT *, CASE WHEN held_by IS NULL THEN created_at WHEN released_at IS NULL THEN next_attempt_at
          ELSE least(released_at, (
            SELECT a.started_at FROM attempt a WHERE a.notification_id = n.id ORDER BY a.number LIMIT 1))
          END AS due_at
        FROM notification n WHERE state IN ('pending', 'sending', 'dead')) AS mail`,
  );
  const { owed = 0, held = 0, overdue = 0, dead = 0, oldest = null } = row ?? {};
  const { put_off: putOff = 0, put_off_error: putOffError = null } = row ?? {};
  const [relay] = await ask<{ down_since: Date; error: string | null; next_probe_at: Date | null }>(
    database,
    Prisma.sql`SELECT down_since, error, next_probe_at FROM relay WHERE down_since IS NOT NULL`,
  );
  const {
    down_since: relayDownSince = null,
    error: relayError = null,
    next_probe_at: relayNextProbeAt = null,
  } = relay ?? {};
  return {
    owed,
    held,
    overdue,
    oldestOwedAt: oldest,
    dead,
    putOff,
    putOffError,
    relayDownSince,
    relayError,
    relayNextProbeAt,
  };
}
