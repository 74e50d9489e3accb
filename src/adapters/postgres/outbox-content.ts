/** What an owed mail is made from: its events, the invites as now known, its place in a thread. */
import type { OwedMail } from "../../app/store.ts";
import type { Event } from "../../domain/event.ts";
import type { Invite } from "../../domain/invite.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { type EventRow, eventOf, type InviteRow, inviteOf, type NotificationRow, notificationOf } from "./rows.ts";

type Db = Pick<Prisma.TransactionClient, "$queryRaw">;

/** Mails of a thread that a new one refers to. */
const LONGEST_THREAD = 10;

export type Content = Pick<OwedMail, "events" | "invites" | "chainHead" | "heldBy" | "earlier">;

/** A frozen mail needs nothing to be made from. */
export const NO_CONTENT: Content = { events: [], invites: [], chainHead: "", heldBy: [], earlier: [] };

/** @param row as it is now */
export async function readContent(db: Db, row: NotificationRow): Promise<Content> {
  const covered = await readCoveredBy(db, row);
  const events = await readEventsOf(db, [row, ...covered]);
  return {
    events,
    invites: await readInvitesOf(db, events),
    chainHead: await readChainHead(db, row),
    heldBy: [...new Set([row, ...covered].flatMap((one) => notificationOf(one).heldBy ?? []))],
    earlier: await readThread(db, row, events),
  };
}

/** The events that the mail tells, each once, by watch in the order of its chain. */
export async function readEvents(db: Db, row: NotificationRow): Promise<Event[]> {
  return readEventsOf(db, [row, ...(await readCoveredBy(db, row))]);
}

/** Only a summary takes the place of others. */
async function readCoveredBy(db: Db, { id, kind }: NotificationRow): Promise<NotificationRow[]> {
  return kind === "summary" ? readCovered(db, id) : [];
}

/** The mails that this one tells in place of, and those that they did. */
export async function readCovered(db: Db, id: string): Promise<NotificationRow[]> {
  return db.$queryRaw<NotificationRow[]>`
    WITH RECURSIVE covered AS (
      SELECT * FROM notification WHERE covered_by = ${id}::uuid
      UNION ALL
      SELECT n.* FROM notification n JOIN covered ON n.covered_by = covered.id
    )
    SELECT * FROM covered`;
}

async function readEventsOf(db: Db, rows: readonly NotificationRow[]): Promise<Event[]> {
  const seqsOf = new Map<string, number[]>();
  for (const { watch, event_seqs: seqs } of rows) {
    if (watch !== null) seqsOf.set(watch, (seqsOf.get(watch) ?? []).concat(seqs));
  }
  const events: Event[] = [];
  for (const [watch, seqs] of seqsOf) {
    const found = await db.$queryRaw<EventRow[]>`
      SELECT * FROM event WHERE watch = ${watch} AND seq = ANY (${seqs}::int[]) ORDER BY seq`;
    events.push(...found.map(eventOf));
  }
  return events;
}

/** The invites that the events concern, and those that a blind watch puts at risk. */
export async function readInvitesOf(db: Db, events: readonly Event[]): Promise<Invite[]> {
  const idsOf = new Map<string, Set<string>>();
  for (const event of events) {
    const blind = event.type === "watch.blind" || event.type === "watch.recovered";
    const ids = blind ? event.data.atRisk : event.inviteId === null ? [] : [event.inviteId];
    idsOf.set(event.watch, (idsOf.get(event.watch) ?? new Set()).union(new Set(ids)));
  }
  const invites: Invite[] = [];
  for (const [watch, ids] of idsOf) {
    const found = await db.$queryRaw<InviteRow[]>`
      SELECT * FROM invite WHERE watch = ${watch} AND id = ANY (${[...ids]}::text[])`;
    invites.push(...found.map(inviteOf));
  }
  return invites;
}

async function readChainHead(db: Db, { watch, sync_id: syncId }: NotificationRow): Promise<string> {
  if (watch === null) return "";
  const [head] = await db.$queryRaw<{ hash: string }[]>`
    SELECT hash FROM event WHERE watch = ${watch} AND sync_id IS NOT DISTINCT FROM ${syncId}::uuid ORDER BY seq DESC LIMIT 1`;
  return head?.hash ?? "";
}

/** Mails to the recipient that were about the same invite and no other, oldest first. */
async function readThread(db: Db, row: NotificationRow, events: readonly Event[]): Promise<string[]> {
  const subjects = new Set(events.flatMap(({ watch, inviteId }) => (inviteId === null ? [] : `${watch}\n${inviteId}`)));
  const event = events.find(({ inviteId }) => inviteId !== null);
  if (subjects.size !== 1 || event === undefined) return [];
  const earlier = await db.$queryRaw<{ message_id: string }[]>`
    SELECT message_id FROM notification n
    WHERE recipient = ${row.recipient} AND watch = ${event.watch} AND id <> ${row.id}::uuid
      AND released_at IS NOT NULL AND mime IS NOT NULL AND state <> 'dead'
      AND event_seqs && (SELECT array_agg(seq) FROM event WHERE watch = ${event.watch} AND invite_id = ${event.inviteId})
      AND NOT EXISTS (
        SELECT 1 FROM event e WHERE e.watch = n.watch AND e.seq = ANY (n.event_seqs) AND e.invite_id <> ${event.inviteId})
    ORDER BY released_at DESC LIMIT ${LONGEST_THREAD}`;
  return earlier.map(({ message_id: id }) => id).reverse();
}
