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

/** The same of many mails, by id, in as many statements as of one. */
export async function readEventsOfEach(db: Db, rows: readonly NotificationRow[]): Promise<Map<string, Event[]>> {
  const covered = await readCoveredOf(
    db,
    rows.filter(({ kind }) => kind === "summary").map(({ id }) => id),
  );
  const members = new Map(rows.map((row) => [row.id, [row, ...(covered.get(row.id) ?? [])]]));
  const events = await readEventsOf(db, [...members.values()].flat());
  const numbered = new Map(events.map((event, number) => [keyOf(event.watch, event.seq), { event, number }]));
  const eventsOf = (mails: readonly NotificationRow[]) => {
    const keys = new Set(mails.flatMap(({ watch, event_seqs: seqs }) => (seqs ?? []).map((seq) => keyOf(watch, seq))));
    const found = [...keys].flatMap((key) => numbered.get(key) ?? []);
    return found.sort((a, b) => a.number - b.number).map(({ event }) => event);
  };
  return new Map([...members].map(([id, mails]) => [id, eventsOf(mails)]));
}

function keyOf(watch: string | null, seq: number): string {
  return `${seq} ${watch}`;
}

/** Only a summary takes the place of others. */
async function readCoveredBy(db: Db, { id, kind }: NotificationRow): Promise<NotificationRow[]> {
  return kind === "summary" ? readCovered(db, id) : [];
}

/** The mails that this one tells in place of, and those that they did. */
export async function readCovered(db: Db, id: string): Promise<NotificationRow[]> {
  return (await readCoveredOf(db, [id])).get(id) ?? [];
}

/** The same of several mails, by id. */
export async function readCoveredOf(db: Db, ids: readonly string[]): Promise<Map<string, NotificationRow[]>> {
  if (ids.length === 0) return new Map();
  const rows = await db.$queryRaw<(NotificationRow & { root: string })[]>`
    WITH RECURSIVE covered AS (
      SELECT covered_by AS root, n.* FROM notification n WHERE covered_by = ANY (${[...ids]}::uuid[])
      UNION ALL
      SELECT covered.root, n.* FROM notification n JOIN covered ON n.covered_by = covered.id
    )
    SELECT * FROM covered`;
  return Map.groupBy(rows, ({ root }) => root);
}

/** The events of all rows, each once, by watch in the order of its chain. */
export async function readEventsOf(db: Db, rows: readonly NotificationRow[]): Promise<Event[]> {
  const seqsOf = new Map<string, Set<number>>();
  for (const { watch, event_seqs: seqs } of rows) {
    if (watch === null) continue;
    const wanted = seqsOf.get(watch) ?? new Set();
    // A summary that was just made has none of its own.
    for (const seq of seqs ?? []) wanted.add(seq);
    seqsOf.set(watch, wanted);
  }
  if (seqsOf.size === 0) return [];
  const wanted = [...seqsOf].map(([watch, seqs]) => ({ watch, seqs: [...seqs] }));
  const found = await db.$queryRaw<EventRow[]>`
    SELECT e.* FROM jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) AS wanted (watch text, seqs integer[])
    JOIN event e ON e.watch = wanted.watch AND e.seq = ANY (wanted.seqs) ORDER BY e.seq`;
  const byWatch = Map.groupBy(found, ({ watch }) => watch);
  return wanted.flatMap(({ watch }) => (byWatch.get(watch) ?? []).map(eventOf));
}

/** The invites that the events concern, those that a blind watch puts at risk, and those that a lost mail was about. */
export async function readInvitesOf(db: Db, events: readonly Event[]): Promise<Invite[]> {
  const idsOf = new Map<string, Set<string>>();
  for (const event of events) {
    const ids = idsOf.get(event.watch) ?? new Set();
    for (const id of inviteIdsOf(event)) ids.add(id);
    idsOf.set(event.watch, ids);
  }
  if (idsOf.size === 0) return [];
  const wanted = [...idsOf].map(([watch, ids]) => ({ watch, ids: [...ids] }));
  const found = await db.$queryRaw<InviteRow[]>`
    SELECT i.* FROM jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) AS wanted (watch text, ids text[])
    JOIN invite i ON i.watch = wanted.watch AND i.id = ANY (wanted.ids)`;
  return found.map(inviteOf);
}

export function inviteIdsOf(event: Event): readonly string[] {
  if (event.type === "watch.blind" || event.type === "watch.recovered") return event.data.atRisk;
  if (event.type === "notification.dead") return event.data.inviteIds ?? [];
  return event.inviteId === null ? [] : [event.inviteId];
}

export async function readChainHead(
  db: Db,
  { watch, sync_id: syncId }: Pick<NotificationRow, "watch" | "sync_id">,
): Promise<string> {
  if (watch === null) return "";
  const [head] = await db.$queryRaw<{ hash: string }[]>`
    SELECT hash FROM event WHERE watch = ${watch} AND sync_id IS NOT DISTINCT FROM ${syncId}::uuid ORDER BY seq DESC LIMIT 1`;
  return head?.hash ?? "";
}

async function readThread(db: Db, row: NotificationRow, events: readonly Event[]): Promise<string[]> {
  return (await readThreads(db, [{ row, events }])).get(row.id) ?? [];
}

/** By the mail's id: mails to its recipient that were about the same invite and no other, oldest first. */
export async function readThreads(
  db: Db,
  mails: readonly { readonly row: NotificationRow; readonly events: readonly Event[] }[],
): Promise<Map<string, string[]>> {
  const asked = mails.flatMap(({ row: { id, recipient }, events }) => {
    const about = soleInviteOf(events);
    return about === null ? [] : [{ id, recipient, watch: about.watch, invite_id: about.inviteId }];
  });
  if (asked.length === 0) return new Map();
  const earlier = await db.$queryRaw<{ id: string; message_id: string }[]>`
    SELECT asked.id, before.message_id
    FROM jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) AS asked (id uuid, recipient text, watch text, invite_id text)
    CROSS JOIN LATERAL (
      SELECT message_id, released_at FROM notification n
      WHERE n.recipient = asked.recipient AND n.watch = asked.watch AND n.id <> asked.id
        AND released_at IS NOT NULL AND mime IS NOT NULL AND state <> 'dead'
        AND event_seqs && (
          SELECT array_agg(seq) FROM event e WHERE e.watch = asked.watch AND e.invite_id = asked.invite_id)
        AND NOT EXISTS (
          SELECT 1 FROM event e
          WHERE e.watch = n.watch AND e.seq = ANY (n.event_seqs) AND e.invite_id <> asked.invite_id)
      ORDER BY released_at DESC LIMIT ${LONGEST_THREAD}
    ) AS before
    ORDER BY before.released_at`;
  const threads = new Map<string, string[]>();
  for (const { id, message_id: messageId } of earlier) threads.set(id, [...(threads.get(id) ?? []), messageId]);
  return threads;
}

/** The one invite that the events are about; null where it is none or several. */
function soleInviteOf(events: readonly Event[]): { readonly watch: string; readonly inviteId: string } | null {
  const [first] = events.filter(({ inviteId }) => inviteId !== null);
  if (first === undefined || first.inviteId === null) return null;
  const { watch, inviteId } = first;
  const others = events.some((one) => one.inviteId !== null && (one.watch !== watch || one.inviteId !== inviteId));
  return others ? null : { watch, inviteId };
}
