/** What mails tell and are made from: their events, the invites as now known, their places in threads. */
import type { MailContent } from "../../app/delivery/outbox.ts";
import type { OutboxMail } from "../../domain/delivery/outbox-mail.ts";
import type { Event } from "../../domain/event.ts";
import { type Invite, inviteKey } from "../../domain/invite.ts";
import type { Notification } from "../../domain/notification.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { type EventRow, eventOf, type InviteRow, inviteOf, type NotificationRow } from "./rows.ts";

type Db = Pick<Prisma.TransactionClient, "$queryRaw">;

/** Mails of a thread that a new one refers to. */
const LONGEST_THREAD = 10;

/** What a mail tells, and the mails in whose place it is sent. */
export type Told = { readonly events: readonly Event[]; readonly covered: readonly NotificationRow[] };

/** Of each mail, by its id. */
export async function readTold(db: Db, rows: readonly NotificationRow[]): Promise<ReadonlyMap<string, Told>> {
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
  const toldBy = ([id, mails]: [string, NotificationRow[]]) =>
    [id, { events: eventsOf(mails), covered: mails.slice(1) }] as const;
  return new Map([...members].map(toldBy));
}

function keyOf(watch: string | null, seq: number): string {
  return `${seq} ${watch}`;
}

/** By the mail's id, what those are made from that were never made. @param invites that any of them is about */
export async function readContents(
  db: Db,
  mails: readonly OutboxMail[],
  invites: readonly Invite[],
): Promise<ReadonlyMap<string, MailContent>> {
  if (mails.length === 0) return new Map();
  const byKey = new Map(invites.map((invite) => [inviteKey(invite), invite]));
  const heads = await readChainHeads(db, mails);
  const threads = await readThreads(db, mails);
  const contentOf = ({ notification, events, covered }: OutboxMail): MailContent => {
    const keys = new Set(
      events.flatMap((event) => inviteIdsOf(event).map((id) => inviteKey({ watch: event.watch, id }))),
    );
    return {
      events,
      invites: [...keys].flatMap((key) => byKey.get(key) ?? []),
      chainHead: heads.get(headKey(notification)) ?? "",
      heldBy: [...new Set([notification, ...covered].flatMap(({ heldBy }) => heldBy ?? []))],
      earlier: threads.get(notification.id) ?? [],
    };
  };
  return new Map(mails.map((mail) => [mail.notification.id, contentOf(mail)]));
}

/** By the mail's id: the mails in whose place it is sent, and those in whose place they were. */
async function readCoveredOf(db: Db, ids: readonly string[]): Promise<Map<string, NotificationRow[]>> {
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
async function readEventsOf(db: Db, rows: readonly NotificationRow[]): Promise<Event[]> {
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

function headKey({ watch, syncId }: Pick<Notification, "watch" | "syncId">): string {
  return `${syncId} ${watch}`;
}

/** By watch and sync: the hash of the newest event. */
async function readChainHeads(db: Db, mails: readonly OutboxMail[]): Promise<ReadonlyMap<string, string>> {
  const wanted = new Map(mails.map(({ notification }) => [headKey(notification), notification]));
  const asked = [...wanted.values()].flatMap(({ watch, syncId }) =>
    watch === null ? [] : [{ watch, sync_id: syncId }],
  );
  if (asked.length === 0) return new Map();
  const heads = await db.$queryRaw<{ watch: string; sync_id: string | null; hash: string }[]>`
    SELECT asked.watch, asked.sync_id, newest.hash
    FROM jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) AS asked (watch text, sync_id uuid)
    CROSS JOIN LATERAL (
      SELECT hash FROM event e WHERE e.watch = asked.watch AND e.sync_id IS NOT DISTINCT FROM asked.sync_id
      ORDER BY seq DESC LIMIT 1) AS newest`;
  return new Map(heads.map(({ watch, sync_id: syncId, hash }) => [headKey({ watch, syncId }), hash]));
}

/** By the mail's id: mails to its recipient that were about the same invite and no other, oldest first. */
async function readThreads(db: Db, mails: readonly OutboxMail[]): Promise<Map<string, string[]>> {
  const asked = mails.flatMap(({ notification: { id, recipient }, events }) => {
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
