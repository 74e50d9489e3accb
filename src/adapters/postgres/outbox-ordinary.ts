/**
 * Lets many owed mails through at once, where nothing is to be decided but that each is sent as it was planned.
 *
 * Whatever is out of the ordinary (held or frozen mails, a relay that was down, mails to be told of as given up) is
 * left for a transaction of its own.
 */
import type { OwedMail, Released, Releasing } from "../../app/store.ts";
import { elapsedMs } from "../../domain/elapsed.ts";
import type { Event } from "../../domain/event.ts";
import { inviteKey } from "../../domain/invite.ts";
import { longOutageOf, usefulUntilOf } from "../../domain/relay.ts";
import { isInForce } from "../../domain/silence.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { inviteIdsOf, readChainHead, readEventsOf, readInvitesOf, readThreads } from "./outbox-content.ts";
import { readSilencesInForce } from "./read-silences.ts";
import { lockRecipients, withIds } from "./recipient-lock.ts";
import { readRelay } from "./relay-state.ts";
import { type NotificationRow, notificationOf } from "./rows.ts";

const HOUR_MS = 3_600_000;
/** A mail that was given up longer ago than this is told in no other mail. */
export const DEATHS_TOLD_WITHIN_MS = 14 * 24 * HOUR_MS;

type Tx = Prisma.TransactionClient;

export type OwedRow = NotificationRow & {
  mime: Uint8Array | null;
  last_attempt_at: Date | null;
  waits_for_relay: boolean;
};

/** A mail whose time may have come. */
export type Asked = { readonly id: string; readonly now: Date; readonly given: Releasing };

type Candidate = Asked & { readonly row: OrdinaryRow };
type OrdinaryRow = OwedRow & { released_ms: number[] };

/** A mail that goes out, with what it tells. */
type Leaving = { readonly row: NotificationRow; readonly now: Date; readonly events: readonly Event[] };

/** In the order of the mails; undefined for each that was left as it is. */
export async function releaseOrdinary(tx: Tx, asked: readonly Asked[]): Promise<(Released | undefined)[]> {
  const none = asked.map(() => undefined);
  const candidates = await lockCandidates(tx, asked);
  if (candidates.length === 0) return none;
  const first = new Date(Math.min(...candidates.map(({ now }) => now.getTime())));
  if (await isExtraordinary(tx, first)) return none;

  const events = await readEventsOf(
    tx,
    candidates.map(({ row }) => row),
  );
  const eventOf = new Map(events.map((event) => [`${event.watch}\n${event.seq}`, event]));
  const inviteOf = new Map((await readInvitesOf(tx, events)).map((invite) => [inviteKey(invite), invite]));
  const silences = await readSilencesInForce(tx, first);
  const leaving = candidates.flatMap(({ row, now, given }): Leaving[] => {
    const notification = notificationOf(row);
    const own = notification.eventSeqs.flatMap((seq) => eventOf.get(`${row.watch}\n${seq}`) ?? []);
    const release = given.decide({
      mail: { notification, events: own },
      others: [],
      inviteOf: (watch, id) => inviteOf.get(inviteKey({ watch, id })) ?? null,
      silences: silences.filter((silence) => isInForce(silence, now)),
      releasedAt: row.released_ms.filter((at) => at > now.getTime() - HOUR_MS).map((at) => new Date(at)),
      outage: null,
    });
    const asPlanned = release.kind === "send" && release.dropped.length === 0 && release.cancelled.length === 0;
    return asPlanned ? [{ row: { ...row, kind: release.mail.kind }, now, events: own }] : [];
  });

  const owed = await letThrough(tx, leaving);
  const mails = owed.map((mail) => {
    const keysOf = (event: Event) => inviteIdsOf(event).map((id) => inviteKey({ watch: event.watch, id }));
    const keys = new Set(mail.events.flatMap(keysOf));
    return { ...mail, invites: [...keys].flatMap((key) => inviteOf.get(key) ?? []) };
  });
  const byId = new Map(mails.map((mail) => [mail.notification.id, mail]));
  return asked.map(({ id }) => {
    const mail = byId.get(id);
    // Of a mail that was asked for twice one answer is this one.
    byId.delete(id);
    return mail && { kind: "send", way: { kind: "relay", probe: false }, owed: mail };
  });
}

/** Mails that are due and were never let through, one for each recipient, with the recipients' locks taken. */
async function lockCandidates(tx: Tx, asked: readonly Asked[]): Promise<readonly Candidate[]> {
  const ids = asked.map(({ id }) => id);
  await lockRecipients(tx, withIds(ids));
  const since = new Date(Math.min(...asked.map(({ now }) => now.getTime())) - HOUR_MS);
  const rows = await tx.$queryRaw<OrdinaryRow[]>`
    SELECT n.*,
      array(
        SELECT (extract(epoch FROM r.released_at) * 1000)::float8 FROM notification r
        WHERE r.recipient = n.recipient AND r.id <> n.id AND r.released_at > ${since} ORDER BY r.released_at
      ) AS released_ms
    FROM notification n
    WHERE n.id = ANY (${ids}::uuid[]) AND state = 'pending' AND mime IS NULL AND held_by IS NULL
      AND watch IS NOT NULL AND kind <> 'summary'`;
  const byId = new Map(rows.map((row) => [row.id, row]));
  const recipients = new Set<string>();
  return asked.flatMap((one) => {
    const row = byId.get(one.id);
    if (row === undefined || recipients.has(row.recipient)) return [];
    if (!isDue(row, one.now, one.given.takeOver)) return [];
    recipients.add(row.recipient);
    return [{ ...one, row }];
  });
}

/** Whether the relay was in trouble, or a mail was given up that others may have to tell of. */
async function isExtraordinary(tx: Tx, now: Date): Promise<boolean> {
  const relay = await readRelay(tx);
  if (relay.downSince !== null || longOutageOf(relay, now) !== null) return true;
  const deaths = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM event
    WHERE type = 'notification.dead' AND recorded_at > ${new Date(now.getTime() - DEATHS_TOLD_WITHIN_MS)} LIMIT 1`;
  return deaths.length > 0;
}

/** Marks the mails as released, and reads what they are made from beside their invites. */
async function letThrough(tx: Tx, leaving: readonly Leaving[]): Promise<Omit<OwedMail, "invites">[]> {
  if (leaving.length === 0) return [];
  const threads = await readThreads(tx, leaving);
  const heads = new Map<string, string>();
  const mails: Omit<OwedMail, "invites">[] = [];
  for (const { row, now, events } of leaving) {
    const key = `${row.watch}\n${row.sync_id}`;
    const chainHead = heads.get(key) ?? (await readChainHead(tx, row));
    heads.set(key, chainHead);
    const released = { ...row, released_at: now, useful_until: usefulUntilOf(events), reason: null };
    const notification = notificationOf(released);
    const earlier = threads.get(row.id) ?? [];
    mails.push({ notification, mime: null, events, chainHead, heldBy: [], earlier, ownFailures: 0 });
  }
  const rows = mails.map(({ notification: { id, kind, releasedAt, usefulUntil } }) => ({
    id,
    kind,
    released_at: releasedAt,
    useful_until: usefulUntil,
  }));
  await tx.$executeRaw`
    UPDATE notification n SET kind = leaving.kind, released_at = leaving.released_at,
      useful_until = leaving.useful_until, reason = NULL, waits_for_relay = false
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      AS leaving (id uuid, kind text, released_at timestamptz, useful_until timestamptz)
    WHERE n.id = leaving.id`;
  return mails;
}

/** No attempt lasts so long, its wait for a connection included: whoever began it is gone. */
const LONGEST_ATTEMPT_MS = 15 * 60_000;

/** Whether the clock was set back since the mail came to wait for its next attempt, or to be owed: it would wait too long. */
function wasSetBack(row: OwedRow, now: Date): boolean {
  const isHeld = row.held_by !== null && row.released_at === null;
  return !isHeld && !row.waits_for_relay && (row.last_attempt_at ?? row.created_at) > now;
}

/** A mail that is being sent is due where its process died; one that waits for its next attempt is not. */
export function isDue(row: OwedRow, now: Date, takeOver: boolean): boolean {
  const { state, next_attempt_at: nextAttemptAt, last_attempt_at: lastAttemptAt } = row;
  if (state === "pending") return nextAttemptAt === null || nextAttemptAt <= now || wasSetBack(row, now);
  if (state !== "sending") return false;
  return takeOver || elapsedMs(lastAttemptAt, now) > LONGEST_ATTEMPT_MS;
}
