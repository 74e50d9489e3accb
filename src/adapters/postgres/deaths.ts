/** Records that a mail was given up, and reads which ones were. */
import { Prisma } from "../../generated/prisma/client.ts";
import { appendToChains, lockWatches } from "./chains.ts";
import { readCovered } from "./outbox-content.ts";

type Tx = Prisma.TransactionClient;

/** Adds the event to the chain of each watch that the mail tells of, under the lock that every writer of a chain takes. */
export async function recordDeath(tx: Tx, notificationId: string, at: Date, reason: string): Promise<void> {
  const notification = await tx.notification.findUniqueOrThrow({
    where: { id: notificationId },
    select: { id: true, watchName: true, recipient: true },
  });
  const data = { by: "invitewatch", reason, notificationId, recipient: notification.recipient };
  const draft = { type: "notification.dead", inviteId: null, occurredAt: at, data } as const;
  await appendToChains(tx, await lockWatches(tx, await watchesOf(tx, notification)), draft);
}

/** The mails that were given up at or after the instant, each with when it last was: a query of `id` and `died_at`. */
export function deathsSince(at: Date): Prisma.Sql {
  return Prisma.sql`
    SELECT (data->>'notificationId')::uuid AS id, max(recorded_at) AS died_at FROM event
    WHERE type = 'notification.dead' AND recorded_at >= ${at} GROUP BY 1`;
}

/** The watches that a mail tells of: a summary of those of the mails that it covers, a digest of all. */
export async function watchesOf(
  tx: Tx,
  { id, watchName }: { readonly id: string; readonly watchName: string | null },
): Promise<readonly string[]> {
  if (watchName !== null) return [watchName];
  const covered = (await readCovered(tx, id)).flatMap(({ watch }) => watch ?? []);
  if (covered.length > 0) return [...new Set(covered)];
  return (await tx.watch.findMany({ select: { name: true } })).map(({ name }) => name);
}
