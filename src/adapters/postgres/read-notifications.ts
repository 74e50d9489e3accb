/** Reads the outbox and its receipts, without the mails themselves. */
import type { Listing, NotificationFilter, Paging } from "../../app/queries.ts";
import type { Notification } from "../../domain/notification.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { list } from "./read-keyset.ts";
import { NOTIFICATION_COLUMNS, type NotificationRow, notificationOf } from "./rows.ts";

const COLUMNS = Prisma.raw(NOTIFICATION_COLUMNS.map((column) => `n.${column}`).join(", "));

/** Notifications by createdAt. @throws CursorError */
export function listNotifications(
  database: Database,
  filter: NotificationFilter,
  paging: Paging,
): Listing<Notification> {
  const { watches, state, inviteId } = filter;
  const where: Prisma.Sql[] = [];
  if (watches !== null) {
    where.push(
      Prisma.sql`(n.watch = ANY (${[...watches]}::text[]) OR ${covers(Prisma.sql`c.watch = ANY (${[...watches]}::text[])`)})`,
    );
  }
  if (state !== null) where.push(Prisma.sql`n.state = ${state}`);
  if (inviteId !== null) {
    const tellsOf = (mail: string) => Prisma.sql`EXISTS (
      SELECT FROM event e WHERE e.watch = ${Prisma.raw(mail)}.watch AND e.seq = ANY (${Prisma.raw(mail)}.event_seqs)
        AND e.invite_id = ${inviteId})`;
    where.push(Prisma.sql`(${tellsOf("n")} OR ${covers(tellsOf("c"))})`);
  }
  return list<NotificationRow, Notification>(
    database,
    {
      name: "notifications",
      select: Prisma.sql`SELECT ${COLUMNS} FROM notification n`,
      where,
      keys: [
        { column: Prisma.sql`n.created_at`, type: "timestamptz", of: (notification) => notification.createdAt },
        { column: Prisma.sql`n.id`, type: "uuid", of: (notification) => notification.id },
      ],
      itemOf: notificationOf,
    },
    paging,
  );
}

/** Whether the mail takes the place of one of which the condition holds. */
function covers(condition: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`EXISTS (SELECT FROM notification c WHERE c.covered_by = n.id AND ${condition})`;
}
