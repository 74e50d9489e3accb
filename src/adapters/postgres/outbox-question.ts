/** What is known of a recipient when the time of one of their mails has come: read once, in sets. */
import type { ReleaseQuestion } from "../../app/store.ts";
import { inviteKey } from "../../domain/invite.ts";
import type { Outage } from "../../domain/relay.ts";
import { dependsOnOthers } from "../../domain/release.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { readEventsOfEach, readInvitesOf } from "./outbox-content.ts";
import { readSilencesInForce } from "./read-silences.ts";
import { type NotificationRow, notificationOf } from "./rows.ts";

type Tx = Prisma.TransactionClient;

const HOUR_MS = 3_600_000;

/** The recipient's lock is taken. */
export async function readQuestion(
  tx: Tx,
  row: NotificationRow,
  outage: Outage | null,
  now: Date,
): Promise<ReleaseQuestion> {
  const others = dependsOnOthers(notificationOf(row), outage, now) ? await readOthers(tx, row, outage, now) : [];
  const events = await readEventsOfEach(tx, [row, ...others]);
  const newsOf = (one: NotificationRow) => ({ notification: notificationOf(one), events: events.get(one.id) ?? [] });
  const invites = await readInvitesOf(tx, [...events.values()].flat());
  const byKey = new Map(invites.map((invite) => [inviteKey(invite), invite]));
  const released = await tx.$queryRaw<{ at: Date }[]>`
    SELECT released_at AS at FROM notification
    WHERE recipient = ${row.recipient} AND id <> ${row.id}::uuid
      AND released_at > ${new Date(now.getTime() - HOUR_MS)} ORDER BY released_at`;
  return {
    mail: newsOf(row),
    others: others.map(newsOf),
    inviteOf: (watch, id) => byKey.get(inviteKey({ watch, id })) ?? null,
    silences: await readSilencesInForce(tx, now),
    releasedAt: released.map(({ at }) => at),
    outage,
  };
}

/**
 * The recipient's other mails on which it may depend what becomes of this one: held ones whose time has come, those that
 * wait for a status to stand still where one of them does, and what a long outage held up.
 */
function readOthers(tx: Tx, row: NotificationRow, outage: Outage | null, now: Date): Promise<NotificationRow[]> {
  return tx.$queryRaw<NotificationRow[]>`
    WITH owed AS (
      SELECT *, held_by IS NOT NULL AND mime IS NULL AS held, coalesce(next_attempt_at <= ${now}, true) AS due
      FROM notification WHERE recipient = ${row.recipient} AND state = 'pending' AND id <> ${row.id}::uuid
    )
    SELECT * FROM owed
    WHERE held AND due OR created_at <= ${outage?.until ?? null}::timestamptz
      OR held AND held_by = 'flapping' AND (
        ${row.held_by === "flapping"} OR EXISTS (SELECT 1 FROM owed WHERE held AND due AND held_by = 'flapping'))
    ORDER BY created_at, id`;
}
