/**
 * The lock under which it is decided what becomes of one recipient's mails, on all replicas.
 *
 * A transaction takes locks in this order, so that no two wait for each other crosswise: recipients (sorted), the row of
 * the relay, rows of mails (by created_at and id), watches (by name), silences. Each kind is taken at once.
 */
import { Prisma } from "../../generated/prisma/client.ts";

/**
 * Takes the locks of the recipients of the mails, until the transaction ends; before a watch's lock.
 *
 * In an order of their own, so that nobody waits crosswise.
 *
 * @param mails the condition on `notification` that holds of the mails
 */
export async function lockRecipients(
  tx: Pick<Prisma.TransactionClient, "$queryRaw">,
  mails: Prisma.Sql,
): Promise<void> {
  await tx.$queryRaw`
    SELECT pg_advisory_xact_lock(hashtextextended('recipient ' || recipient, 0))::text AS locked
    FROM (SELECT DISTINCT recipient FROM notification WHERE ${mails} ORDER BY recipient) AS concerned`;
}

/** As the condition: the mails with these ids. */
export function withIds(ids: readonly string[]): Prisma.Sql {
  return Prisma.sql`id = ANY (${[...ids]}::uuid[])`;
}
