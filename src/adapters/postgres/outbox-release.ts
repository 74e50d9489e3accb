/**
 * Lets an owed mail through to its first attempt, holds it, folds it into another or cancels it, in one transaction.
 *
 * The recipient's lock makes the decisions about one recipient follow one another, on all replicas.
 */
import { randomUUID } from "node:crypto";
import type { OutboxStore, OwedMail, Released, ReleaseQuestion, Releasing } from "../../app/store.ts";
import { inviteKey } from "../../domain/invite.ts";
import type { Notification } from "../../domain/notification.ts";
import {
  leavingOf,
  longOutageOf,
  type Outage,
  type RelayState,
  usefulUntilOf,
  type WayOut,
  wayOut,
  whileProbing,
} from "../../domain/relay.ts";
import type { Kept, Release } from "../../domain/release.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";
import { createBatcher } from "./batcher.ts";
import { recordDeath } from "./deaths.ts";
import { NO_CONTENT, readContent, readCovered, readEvents, readInvitesOf } from "./outbox-content.ts";
import { type Asked, DEATHS_TOLD_WITHIN_MS, isDue, type OwedRow, releaseOrdinary } from "./outbox-ordinary.ts";
import { readSilencesInForce } from "./read-silences.ts";
import { lockRecipients, withIds } from "./recipient-lock.ts";
import { readRelay, takeProbe } from "./relay-state.ts";
import { type NotificationRow, notificationOf } from "./rows.ts";

const HOUR_MS = 3_600_000;

type Tx = Prisma.TransactionClient;

/** Deliveries wait for one another, on all replicas, each for no longer than a few statements take. */
export const TRANSACTION = { timeout: 30_000, maxWait: 20_000 };

/** Puts the jobs of deliveries into the queue, as part of the transaction. */
export type EnqueueDeliveries = (tx: Tx, notificationIds: readonly string[], startAfter: Date) => Promise<void>;

export function createRelease(prisma: PrismaClient, enqueue: EnqueueDeliveries): OutboxStore["release"] {
  const release = createBatcher<Asked, Released>(
    (asked) => prisma.$transaction((tx) => releaseOrdinary(tx, asked), TRANSACTION),
    (asked) => releaseAlone(prisma, enqueue, asked),
  );
  return (id, now, given) => release({ id, now, given });
}

function releaseAlone(prisma: PrismaClient, enqueue: EnqueueDeliveries, { id, now, given }: Asked): Promise<Released> {
  return prisma.$transaction(async (tx): Promise<Released> => {
    const row = await lockOwed(tx, id);
    if (row === null) return { kind: "idle" };
    if (!isDue(row, now, given.takeOver)) {
      // The queue goes by the database's clock, which may be ahead of ours.
      if (row.state === "pending" && row.next_attempt_at !== null) await enqueue(tx, [id], row.next_attempt_at);
      return { kind: "idle" };
    }
    const relay = await readRelay(tx);
    const outage = longOutageOf(relay);
    const carrying = { row, now, enqueue, given, relay };
    if (row.mime !== null && !mayBeFolded(row, outage)) return sendFrozen(tx, carrying);
    const release = given.decide(await readQuestion(tx, row, outage, now));
    // What was let through once is not held back, only made one with others or found to be moot.
    if (row.mime !== null && (release.kind === "send" || release.kind === "hold")) return sendFrozen(tx, carrying);
    await writeDecisions(tx, release, now);
    return carryOut(tx, release, carrying);
  }, TRANSACTION);
}

function mayBeFolded({ state, created_at: createdAt, maybe_accepted: maybeAccepted }: OwedRow, outage: Outage | null) {
  return outage !== null && createdAt <= outage.until && !maybeAccepted && state === "pending";
}

/** The mail, with its recipient's lock taken: the row is read again once nobody else decides. */
async function lockOwed(tx: Tx, id: string): Promise<OwedRow | null> {
  await lockRecipients(tx, withIds([id]));
  const [row] = await tx.$queryRaw<OwedRow[]>`SELECT * FROM notification WHERE id = ${id}::uuid`;
  return row ?? null;
}

async function readQuestion(tx: Tx, row: NotificationRow, outage: Outage | null, now: Date): Promise<ReleaseQuestion> {
  const others = await tx.$queryRaw<NotificationRow[]>`
    SELECT * FROM notification
    WHERE recipient = ${row.recipient} AND state = 'pending' AND id <> ${row.id}::uuid
      AND (held_by IS NOT NULL AND mime IS NULL OR created_at <= ${outage?.until ?? null}::timestamptz)
    ORDER BY created_at, id`;
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
    outage,
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
  readonly now: Date;
  readonly relay: RelayState;
  readonly given: Releasing;
  readonly enqueue: EnqueueDeliveries;
};

async function carryOut(tx: Tx, release: Release, carrying: Carrying): Promise<Released> {
  const { row, now, enqueue, given } = carrying;
  const notification = notificationOf(row);
  switch (release.kind) {
    case "none": {
      const cancelled = release.cancelled.find(({ id }) => id === row.id);
      return { kind: "cancelled", notification, reason: cancelled?.reason ?? "" };
    }
    case "hold": {
      const { cause, until, reason } = release.hold;
      // What a silence held has another look when it may go, also where the night holds it on.
      const heldBy = row.held_by === "silence" ? row.held_by : cause;
      await tx.notification.update({ where: { id: row.id }, data: { heldBy, reason, nextAttemptAt: until } });
      await enqueue(tx, [row.id], until);
      return { kind: "held", notification, hold: release.hold };
    }
    case "send":
      return leave(tx, carrying, () => letThrough(tx, row, release.mail, now));
    case "fold": {
      const into = given.summary(row.recipient);
      await insertSummary(tx, { ...row, ids: release.mails.map(({ id }) => id) }, into, now);
      await tx.notification.updateMany({
        where: { id: { in: release.mails.map(({ id }) => id) } },
        data: { state: "cancelled", reason: `covered by ${into.id}`, coveredBy: into.id, nextAttemptAt: null },
      });
      await tx.notification.updateMany({ where: { coveredBy: into.id, heldBy: null }, data: { heldBy: "outage" } });
      await enqueue(tx, [into.id], now);
      return { kind: "folded", notification, into: into.id, count: release.mails.length };
    }
  }
}

/** The bytes that were kept go out again, unless they are of no use any more. */
async function sendFrozen(tx: Tx, carrying: Carrying): Promise<Released> {
  const { row, now, relay } = carrying;
  const notification = notificationOf(row);
  if (row.useful_until !== null && row.useful_until <= now) {
    const reason = `it was of no use any more after ${row.useful_until.toISOString()}`;
    await tx.notification.update({ where: { id: row.id }, data: { state: "cancelled", reason, nextAttemptAt: null } });
    return { kind: "cancelled", notification, reason };
  }
  // Whoever was sending it is gone, and nobody knows how far that came.
  const maybeAccepted = row.maybe_accepted || row.state === "sending";
  if (maybeAccepted) await tx.notification.update({ where: { id: row.id }, data: { maybeAccepted } });
  return leave(tx, carrying, async () => {
    // While the relay is down, what the mail tells decides by which way it may go.
    const content = relay.downSince === null ? NO_CONTENT : await readContent(tx, row);
    return { notification: { ...notification, maybeAccepted }, mime: Buffer.from(row.mime ?? []), ...content };
  });
}

/** The mail leaves by the way that is open, or waits until one is. */
async function leave(tx: Tx, carrying: Carrying, owed: () => Promise<OwedMail>): Promise<Released> {
  const { row, now, relay, given, enqueue } = carrying;
  const notification = notificationOf(row);
  const way = await takeWayOut(tx, relay, { row, now, hasFallback: given.hasFallback });
  switch (way.kind) {
    case "relay":
    case "fallback":
      return { kind: "send", way, owed: await owed() };
    case "give up":
      await tx.notification.update({
        where: { id: row.id },
        data: { state: "dead", reason: way.reason, nextAttemptAt: null },
      });
      await recordDeath(tx, row.id, now, way.reason);
      return { kind: "given up", notification, reason: way.reason };
    case "wait": {
      // What was held on purpose is owed from now on, not from when it was planned.
      const releasedAt = row.held_by !== null && row.released_at === null ? now : row.released_at;
      const data = { state: "pending", waitsForRelay: true, reason: way.reason, nextAttemptAt: way.until, releasedAt };
      await tx.notification.update({ where: { id: row.id }, data });
      await enqueue(tx, [row.id], way.until);
      return { kind: "waiting", notification, until: way.until, reason: way.reason };
    }
  }
}

type Taking = { readonly row: OwedRow; readonly now: Date; readonly hasFallback: boolean };

/** The way out; one that is a probe is this mail's alone. */
async function takeWayOut(tx: Tx, relay: RelayState, { row, now, hasFallback }: Taking): Promise<WayOut> {
  if (relay.downSince === null) return { kind: "relay", probe: false };
  const leaving = leavingOf(notificationOf(row), await readEvents(tx, row), hasFallback);
  const way = wayOut(relay, leaving, now);
  if (way.kind !== "relay" || (await takeProbe(tx, relay, now))) return way;
  return wayOut(whileProbing(relay, now), leaving, now);
}

/** Marks the mail as released, adds what else it has to tell, and reads what it is made from. */
async function letThrough(tx: Tx, row: OwedRow, { kind, eventSeqs }: Kept, now: Date): Promise<OwedMail> {
  const own = row.kind === "summary" ? [] : eventSeqs;
  const seqs = [...own, ...(await readUntoldDeaths(tx, row, now))].sort((a, b) => a - b);
  const released = { ...row, kind, event_seqs: seqs, released_at: now, reason: null };
  const content = await readContent(tx, released);
  const usefulUntil = usefulUntilOf(content.events);
  const data = { kind, eventSeqs: seqs, releasedAt: now, usefulUntil, reason: null, waitsForRelay: false };
  await tx.notification.update({ where: { id: row.id }, data });
  return { notification: { ...notificationOf(released), usefulUntil }, mime: null, ...content };
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

/** Of the watch that all of the mails are of, where there is one. */
async function insertSummary(
  tx: Tx,
  { recipient, ids }: Pick<NotificationRow, "recipient"> & { readonly ids: readonly string[] },
  { id, messageId }: Pick<Notification, "id" | "messageId">,
  now: Date,
): Promise<void> {
  const watches = await tx.notification.findMany({
    where: { id: { in: [...ids] } },
    select: { watchName: true, rules: true },
  });
  const names = new Set(watches.map(({ watchName }) => watchName));
  const watchName = names.size === 1 ? (watches[0]?.watchName ?? null) : null;
  const rules = [...new Set(watches.flatMap((one) => one.rules))];
  await tx.notification.create({
    data: {
      id,
      messageId,
      recipient,
      watchName,
      rules,
      kind: "summary",
      state: "pending",
      createdAt: now,
      nextAttemptAt: now,
    },
  });
}
