/**
 * Lets an owed mail through to its first attempt, holds it, folds it into another or cancels it, in one transaction.
 *
 * The recipient's lock makes the decisions about one recipient follow one another, on all replicas.
 */
import { randomUUID } from "node:crypto";
import type { OutboxStore, Released, ReleaseQuestion } from "../../app/store.ts";
import { inviteKey } from "../../domain/invite.ts";
import type { Notification } from "../../domain/notification.ts";
import type { Kept, Release } from "../../domain/release.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";
import { NO_CONTENT, readContent, readCovered, readEvents, readInvitesOf } from "./outbox-content.ts";
import { readSilencesInForce } from "./read-silences.ts";
import { RECIPIENT_LOCK } from "./recipient-lock.ts";
import { type NotificationRow, notificationOf } from "./rows.ts";

const HOUR_MS = 3_600_000;
/** A mail that was given up longer ago than this is told in no other mail. */
const DEATHS_TOLD_WITHIN_MS = 14 * 24 * HOUR_MS;

type Tx = Prisma.TransactionClient;
type OwedRow = NotificationRow & { mime: Uint8Array | null };

/** Deliveries to one recipient wait for one another, each for no longer than a few statements take. */
const TRANSACTION = { timeout: 30_000, maxWait: 20_000 };

/** Puts the job of a delivery into the queue, as part of the transaction. */
export type EnqueueDelivery = (tx: Tx, notificationId: string, startAfter: Date) => Promise<void>;

export function createRelease(prisma: PrismaClient, enqueue: EnqueueDelivery): OutboxStore["release"] {
  return (id, now, decide, summary) =>
    prisma.$transaction(async (tx): Promise<Released> => {
      const row = await lockOwed(tx, id);
      if (row === null || !isDue(row, now)) return { kind: "idle" };
      if (row.mime !== null) {
        return {
          kind: "send",
          owed: { notification: notificationOf(row), mime: Buffer.from(row.mime), ...NO_CONTENT },
        };
      }
      const release = decide(await readQuestion(tx, row, now));
      await writeDecisions(tx, release, now);
      return carryOut(tx, { row, release, now, enqueue, summary });
    }, TRANSACTION);
}

/** The mail, with its recipient's lock taken: the row is read again once nobody else decides. */
async function lockOwed(tx: Tx, id: string): Promise<OwedRow | null> {
  const locked = await tx.$queryRaw<{ locked: string }[]>`
    SELECT ${RECIPIENT_LOCK} FROM notification WHERE id = ${id}::uuid`;
  if (locked.length === 0) return null;
  const [row] = await tx.$queryRaw<OwedRow[]>`SELECT * FROM notification WHERE id = ${id}::uuid`;
  return row ?? null;
}

/** A mail that was being sent when its process died is due; one that waits for its next attempt is not. */
function isDue({ state, next_attempt_at: nextAttemptAt }: NotificationRow, now: Date): boolean {
  return state === "sending" || (state === "pending" && (nextAttemptAt === null || nextAttemptAt <= now));
}

async function readQuestion(tx: Tx, row: NotificationRow, now: Date): Promise<ReleaseQuestion> {
  const others = await tx.$queryRaw<NotificationRow[]>`
    SELECT * FROM notification
    WHERE recipient = ${row.recipient} AND state = 'pending' AND held_by IS NOT NULL AND mime IS NULL
      AND id <> ${row.id}::uuid ORDER BY created_at, id`;
  const newsOf = async (one: NotificationRow) => ({
    notification: notificationOf(one),
    events: await readEvents(tx, one),
  });
  const news = await newsOf(row);
  const otherNews = [];
  for (const other of others) otherNews.push(await newsOf(other));
  const invites = await readInvitesOf(
    tx,
    [news, ...otherNews].flatMap(({ events }) => events),
  );
  const byKey = new Map(invites.map((invite) => [inviteKey(invite), invite]));
  const released = await tx.$queryRaw<{ at: Date }[]>`
    SELECT released_at AS at FROM notification
    WHERE recipient = ${row.recipient} AND id <> ${row.id}::uuid
      AND released_at > ${new Date(now.getTime() - HOUR_MS)} ORDER BY released_at`;
  return {
    mail: news,
    others: otherNews,
    inviteOf: (watch, id) => byKey.get(inviteKey({ watch, id })) ?? null,
    silences: await readSilencesInForce(tx, now),
    releasedAt: released.map(({ at }) => at),
  };
}

/** Records why events are not told, and takes them out of the mails that would have told them. */
async function writeDecisions(tx: Tx, { dropped, cancelled }: Release, now: Date): Promise<void> {
  const rows = dropped.map(({ watch: watchName, reason, detail, recipient, eventSeqs }) => ({
    id: randomUUID(),
    watchName,
    reason,
    detail,
    recipient,
    eventSeqs: [...eventSeqs],
    decidedAt: now,
  }));
  if (rows.length > 0) await tx.suppression.createMany({ data: rows });
  const goesOn = dropped.filter(({ notificationId }) => !cancelled.some(({ id }) => id === notificationId));
  for (const { notificationId, watch, eventSeqs } of goesOn) {
    const covered = (await readCovered(tx, notificationId)).map(({ id }) => id);
    await tx.$executeRaw`
      UPDATE notification SET event_seqs = array(SELECT seq FROM unnest(event_seqs) AS told (seq) WHERE seq <> ALL (${[...eventSeqs]}::int[]))
      WHERE id = ANY (${[notificationId, ...covered]}::uuid[]) AND watch = ${watch}`;
  }
  for (const { id, reason } of cancelled) {
    await tx.notification.update({ where: { id }, data: { state: "cancelled", reason, nextAttemptAt: null } });
  }
}

type Carrying = {
  readonly row: OwedRow;
  readonly release: Release;
  readonly now: Date;
  readonly enqueue: EnqueueDelivery;
  readonly summary: (recipient: string) => Pick<Notification, "id" | "messageId">;
};

async function carryOut(tx: Tx, { row, release, now, enqueue, summary }: Carrying): Promise<Released> {
  const notification = notificationOf(row);
  const cancelled = release.cancelled.find(({ id }) => id === row.id);
  switch (release.kind) {
    case "none":
      return { kind: "cancelled", notification, reason: cancelled?.reason ?? "" };
    case "hold": {
      const { cause, until, reason } = release.hold;
      // What a silence held has another look when it may go, also where the night holds it on.
      const heldBy = row.held_by === "silence" ? row.held_by : cause;
      await tx.notification.update({ where: { id: row.id }, data: { heldBy, reason, nextAttemptAt: until } });
      await enqueue(tx, row.id, until);
      return { kind: "held", notification, hold: release.hold };
    }
    case "send":
      return { kind: "send", owed: await letThrough(tx, row, release.mail, now) };
    case "fold": {
      const into = summary(row.recipient);
      await insertSummary(tx, row, into, now);
      await tx.notification.updateMany({
        where: { id: { in: release.mails.map(({ id }) => id) } },
        data: { state: "cancelled", reason: `covered by ${into.id}`, coveredBy: into.id, nextAttemptAt: null },
      });
      await enqueue(tx, into.id, now);
      return { kind: "folded", notification, into: into.id, count: release.mails.length };
    }
  }
}

/** Marks the mail as released, adds what else it has to tell, and reads what it is made from. */
async function letThrough(tx: Tx, row: OwedRow, { kind, eventSeqs }: Kept, now: Date) {
  const own = row.watch === null ? [] : eventSeqs;
  const seqs = [...own, ...(await readUntoldDeaths(tx, row, now))].sort((a, b) => a - b);
  const data = { kind, eventSeqs: seqs, releasedAt: now, reason: null };
  await tx.notification.update({ where: { id: row.id }, data });
  const released = { ...row, kind, event_seqs: seqs, released_at: now, reason: null };
  return { notification: notificationOf(released), mime: null, ...(await readContent(tx, released)) };
}

/** Events of the watch that tell of mails given up, and that no mail has told this recipient. */
async function readUntoldDeaths(tx: Tx, { watch, recipient }: NotificationRow, now: Date): Promise<number[]> {
  if (watch === null) return [];
  const rows = await tx.$queryRaw<{ seq: number }[]>`
    SELECT seq FROM event e
    WHERE watch = ${watch} AND type = 'notification.dead'
      AND recorded_at > ${new Date(now.getTime() - DEATHS_TOLD_WITHIN_MS)}
      AND NOT EXISTS (
        SELECT 1 FROM notification n
        WHERE n.recipient = ${recipient} AND n.watch = ${watch} AND n.created_at >= e.recorded_at - interval '14 days'
          AND n.released_at IS NOT NULL AND n.event_seqs @> ARRAY[e.seq])
    ORDER BY seq`;
  return rows.map(({ seq }) => seq);
}

async function insertSummary(
  tx: Tx,
  { recipient }: NotificationRow,
  { id, messageId }: Pick<Notification, "id" | "messageId">,
  now: Date,
): Promise<void> {
  await tx.notification.create({
    data: { id, messageId, recipient, kind: "summary", state: "pending", createdAt: now, nextAttemptAt: now },
  });
}
