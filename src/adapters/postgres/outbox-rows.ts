/** What the decisions about mails in the outbox depend on, read in sets. */
import type { DispatchInput } from "../../domain/delivery/dispatch.ts";
import type { OutboxMail } from "../../domain/delivery/outbox-mail.ts";
import { isRelayTrouble, mayBeOfMail } from "../../domain/relay.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import type { Told } from "./outbox-content.ts";
import { type EventRow, eventOf, type NotificationRow, notificationOf } from "./rows.ts";

type Tx = Prisma.TransactionClient;

const HOUR_MS = 3_600_000;
/** A mail that was given up longer ago than this is told in no other mail. */
const DEATHS_TOLD_WITHIN_MS = 14 * 24 * HOUR_MS;

export type OutboxRow = NotificationRow & {
  mime: Uint8Array | null;
  last_attempt_at: Date | null;
  waits_for_relay: boolean;
};

export function outboxMailOf(row: OutboxRow, told: Told | undefined, ownFailures = 0): OutboxMail {
  return {
    notification: notificationOf(row),
    isFrozen: row.mime !== null,
    waitsForMailServer: row.waits_for_relay,
    lastAttemptAt: row.last_attempt_at,
    events: told?.events ?? [],
    covered: told?.covered.map(notificationOf) ?? [],
    ownFailures,
  };
}

/** When mails were let through to the recipients within the last hour. */
export async function readReleased(tx: Tx, rows: readonly OutboxRow[], now: Date): Promise<DispatchInput["released"]> {
  const recipients = recipientsOf(rows.filter(({ mime }) => mime === null));
  if (recipients.length === 0) return [];
  return tx.$queryRaw<{ id: string; recipient: string; at: Date }[]>`
    SELECT id, recipient, released_at AS at FROM notification
    WHERE recipient = ANY (${recipients}) AND released_at > ${new Date(now.getTime() - HOUR_MS)}`;
}

/** Events that tell of mails given up, of watches of which the recipients get mail, and that no mail has told them. */
export async function readUntold(tx: Tx, rows: readonly OutboxRow[], now: Date): Promise<DispatchInput["untold"]> {
  const toMake = rows.filter(({ mime, watch }) => mime === null && watch !== null);
  if (toMake.length === 0) return [];
  const pairs = toMake.map(({ recipient, watch }) => ({ recipient, watch }));
  const found = await tx.$queryRaw<(EventRow & { recipient: string })[]>`
    SELECT asked.recipient, e.*
    FROM (SELECT DISTINCT * FROM jsonb_to_recordset(${JSON.stringify(pairs)}::jsonb) AS pairs (recipient text, watch text)) AS asked
    JOIN event e ON e.watch = asked.watch AND type = 'notification.dead'
      AND recorded_at > ${new Date(now.getTime() - DEATHS_TOLD_WITHIN_MS)}
    WHERE NOT EXISTS (
      SELECT 1 FROM notification n
      WHERE n.recipient = asked.recipient AND n.watch = e.watch AND n.created_at >= e.recorded_at - interval '14 days'
        AND n.released_at IS NOT NULL AND n.event_seqs @> ARRAY[e.seq])
    ORDER BY e.seq`;
  return found.map((row) => ({ recipient: row.recipient, event: eventOf(row) }));
}

/** By the mail's id: attempts that failed since it was let through, or since people asked to try it anew. */
export async function readOwnFailures(tx: Tx, rows: readonly OutboxRow[]): Promise<ReadonlyMap<string, number>> {
  const ids = rows.filter(({ mime }) => mime !== null).map(({ id }) => id);
  if (ids.length === 0) return new Map();
  const failed = await tx.$queryRaw<{ id: string; cause: string | null; stage: string; count: number }[]>`
    SELECT n.id, cause, stage, count(*)::int AS count
    FROM notification n JOIN attempt ON notification_id = n.id
    WHERE n.id = ANY (${ids}::uuid[]) AND way = 'smtp' AND outcome = 'failed'
      AND started_at >= coalesce(n.released_at, '-infinity')
    GROUP BY n.id, cause, stage`;
  const failures = new Map<string, number>();
  for (const { id, cause, stage, count } of failed) {
    const what = cause ?? "";
    if (what === "stopped" || (isRelayTrouble(what) && !mayBeOfMail({ cause: what, stage }))) continue;
    failures.set(id, (failures.get(id) ?? 0) + count);
  }
  return failures;
}

function recipientsOf(rows: readonly OutboxRow[]): string[] {
  return [...new Set(rows.map(({ recipient }) => recipient))];
}
