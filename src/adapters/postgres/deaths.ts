/** Records that a mail was given up, and reads which ones were. */
import type { EventDraft } from "../../domain/event.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import { appendToChain, lockWatches } from "./chains.ts";
import { inviteIdsOf, readCovered, readEventsOfEach } from "./outbox-content.ts";
import { withIds } from "./recipient-lock.ts";
import type { NotificationRow } from "./rows.ts";

type Tx = Prisma.TransactionClient;

/** Of so many invitations a mail that was given up is said to have told. */
const NAMED = 20;

export type Death = { readonly id: string; readonly reason: string };

/** Adds the event to the chain of each watch that the mail tells of, under the lock that every writer of a chain takes. */
export async function recordDeath(tx: Tx, id: string, at: Date, reason: string): Promise<void> {
  await recordDeaths(tx, [{ id, reason }], at);
}

/** The same of several mails. All their watches are locked at once, so that nobody waits crosswise. */
export async function recordDeaths(tx: Tx, deaths: readonly Death[], at: Date): Promise<void> {
  if (deaths.length === 0) return;
  const ids = deaths.map(({ id }) => id);
  const rows = await tx.$queryRaw<NotificationRow[]>`SELECT * FROM notification WHERE ${withIds(ids)}`;
  const byId = new Map(rows.map((row) => [row.id, row]));
  const eventsOf = await readEventsOfEach(tx, rows);
  const draftsOf = new Map<string, EventDraft[]>();
  for (const { id, reason } of deaths) {
    const row = byId.get(id);
    if (row === undefined) continue;
    for (const watch of await watchesOf(tx, { id, watchName: row.watch })) {
      const told = (eventsOf.get(id) ?? []).filter((event) => event.watch === watch);
      const inviteIds = [...new Set(told.flatMap(inviteIdsOf))];
      const about = { notificationId: id, recipient: row.recipient, inviteIds: inviteIds.slice(0, NAMED) };
      const data = { by: "invitewatch", reason, ...about, invites: inviteIds.length };
      const drafts = draftsOf.get(watch) ?? [];
      drafts.push({ type: "notification.dead", inviteId: null, occurredAt: at, data });
      draftsOf.set(watch, drafts);
    }
  }
  for (const watch of await lockWatches(tx, [...draftsOf.keys()])) {
    await appendToChain(tx, watch, draftsOf.get(watch.name) ?? [], at);
  }
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
