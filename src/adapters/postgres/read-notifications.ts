/** Reads the outbox and its receipts, without the mails themselves. */
import type { ListedMail, Listing, NotificationFilter, Paging } from "../../app/queries.ts";
import { waitReason } from "../../domain/relay.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { instant, list } from "./read-keyset.ts";
import { NOTIFICATION_COLUMNS, type NotificationRow, notificationOf } from "./rows.ts";

export type MailRow = NotificationRow & {
  waits_for_relay: boolean;
  relay_down_since: Date | null;
  relay_error: string | null;
  relay_next_probe_at: Date | null;
};

/** Of the table under the name `n`. */
export const MAIL_COLUMNS = Prisma.raw(
  [
    ...[...NOTIFICATION_COLUMNS, "waits_for_relay"].map((column) => `n.${column}`),
    ...["down_since", "error", "next_probe_at"].map(
      (column) => `(SELECT ${column} FROM relay WHERE name = 'smtp') AS relay_${column}`,
    ),
  ].join(", "),
);

/** The mail; of one that waits for the relay, what is known of that by now and not when the mail had its last look. */
export function mailOf(row: MailRow): ListedMail {
  const mail = { ...notificationOf(row), waitsForRelay: row.waits_for_relay };
  if (mail.state !== "pending" || !mail.waitsForRelay) return mail;
  const { relay_down_since: downSince, relay_error: error, relay_next_probe_at: nextAttemptAt } = row;
  if (downSince === null || nextAttemptAt === null) {
    return { ...mail, reason: mail.reason ?? `waits for the mail server: ${mail.error ?? "no answer"}` };
  }
  const reason = `${waitReason(downSince, error)}; the next probe is due at ${nextAttemptAt.toISOString()}`;
  return { ...mail, reason, error, nextAttemptAt };
}

/** Notifications by createdAt. @throws CursorError */
export function listNotifications(database: Database, filter: NotificationFilter, paging: Paging): Listing<ListedMail> {
  return list<MailRow, ListedMail>(
    database,
    {
      name: "notifications",
      select: Prisma.sql`SELECT ${MAIL_COLUMNS} FROM notification n`,
      where: conditionsOf(filter),
      keys: [
        { column: Prisma.sql`n.created_at`, type: "timestamptz", of: (notification) => notification.createdAt },
        { column: Prisma.sql`n.id`, type: "uuid", of: (notification) => notification.id },
      ],
      itemOf: mailOf,
    },
    paging,
  );
}

function conditionsOf(filter: NotificationFilter): Prisma.Sql[] {
  const { watches, states, inviteId, recipient, kind, since, until } = filter;
  const where: Prisma.Sql[] = [];
  if (watches !== null) {
    where.push(
      Prisma.sql`(n.watch = ANY (${[...watches]}::text[]) OR ${covers(Prisma.sql`c.watch = ANY (${[...watches]}::text[])`)})`,
    );
  }
  if (states !== null) where.push(Prisma.sql`n.state = ANY (${[...states]}::text[])`);
  if (inviteId !== null) {
    const tellsOf = (mail: string) => Prisma.sql`EXISTS (
      SELECT FROM event e WHERE e.watch = ${Prisma.raw(mail)}.watch AND e.seq = ANY (${Prisma.raw(mail)}.event_seqs)
        AND e.invite_id = ${inviteId})`;
    where.push(Prisma.sql`(${tellsOf("n")} OR ${covers(tellsOf("c"))})`);
  }
  if (recipient !== null) where.push(Prisma.sql`lower(n.recipient) = lower(${recipient})`);
  if (kind !== null) where.push(Prisma.sql`n.kind = ${kind}`);
  if (since !== null) where.push(Prisma.sql`n.created_at >= ${instant(since)}`);
  if (until !== null) where.push(Prisma.sql`n.created_at < ${instant(until)}`);
  return where;
}

/** Whether the mail takes the place of one of which the condition holds. */
function covers(condition: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`EXISTS (SELECT FROM notification c WHERE c.covered_by = n.id AND ${condition})`;
}
