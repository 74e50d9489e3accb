/** Records that a mail was given up, and reads which ones were. */
import type { EventDraft } from "../../domain/event.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import { appendToChain, lockWatches } from "./chains.ts";
import { inviteIdsOf, readTold, type Told } from "./outbox-content.ts";
import { withIds } from "./recipient-lock.ts";
import type { NotificationRow } from "./rows.ts";

type Tx = Prisma.TransactionClient;

/** Of so many invitations a mail that was given up is said to have told. */
const NAMED = 20;

export type Death = { readonly id: string; readonly reason: string };

/**
 * Adds an event to the chain of each watch that the mails tell of, under the lock that every writer of a chain takes. All
 * the watches are locked at once, so that nobody waits crosswise.
 */
export async function recordDeaths(tx: Tx, deaths: readonly Death[], at: Date): Promise<void> {
  if (deaths.length === 0) return;
  const ids = deaths.map(({ id }) => id);
  const rows = await tx.$queryRaw<NotificationRow[]>`SELECT * FROM notification WHERE ${withIds(ids)}`;
  const told = await readTold(tx, rows);
  const watchesOf = await readWatchesOf(tx, rows, told);
  const recipients = new Map(rows.map(({ id, recipient }) => [id, recipient]));
  const draftsOf = new Map<string, EventDraft[]>();
  for (const { id, reason } of deaths) {
    for (const watch of watchesOf(id)) {
      const events = told.get(id)?.events.filter((event) => event.watch === watch) ?? [];
      const inviteIds = [...new Set(events.flatMap(inviteIdsOf))];
      const about = { notificationId: id, recipient: recipients.get(id) ?? "", inviteIds: inviteIds.slice(0, NAMED) };
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

/** The watches that each of the mails tells of: a summary of those of the mails that it covers, a digest of all. */
export async function readWatchesOf(
  tx: Tx,
  rows: readonly NotificationRow[],
  told: ReadonlyMap<string, Told>,
): Promise<(id: string) => readonly string[]> {
  const named = new Map(
    rows.map(({ id, watch }) => {
      const covered = told.get(id)?.covered.flatMap((one) => one.watch ?? []) ?? [];
      return [id, watch === null ? [...new Set(covered)] : [watch]] as const;
    }),
  );
  if ([...named.values()].every((names) => names.length > 0)) return (id) => named.get(id) ?? [];
  const all = (await tx.watch.findMany({ select: { name: true } })).map(({ name }) => name);
  return (id) => (named.get(id)?.length ? (named.get(id) ?? []) : all);
}
