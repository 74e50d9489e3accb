/**
 * Lets an owed mail through to its first attempt, holds it, folds it into another or cancels it, in one transaction.
 *
 * The recipient's lock makes the decisions about one recipient follow one another, on all replicas.
 */
import { randomUUID } from "node:crypto";
import type { OutboxStore, OwedMail, Released, ReleaseQuestion } from "../../app/store.ts";
import { inviteKey } from "../../domain/invite.ts";
import type { Notification } from "../../domain/notification.ts";
import { longOutageOf, type Outage, usefulUntilOf } from "../../domain/relay.ts";
import type { Kept, Release } from "../../domain/release.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";
import { createBatcher } from "./batcher.ts";
import { readContent, readCovered, readEvents, readInvitesOf } from "./outbox-content.ts";
import { mayBeRepeat, sendFrozen, staysFrozen } from "./outbox-frozen.ts";
import { type Carrying, type EnqueueDeliveries, giveUp, leave, mightLeaveSince, withDeaths } from "./outbox-leave.ts";
import { type Asked, isDue, type OwedRow, releaseOrdinary } from "./outbox-ordinary.ts";
import { readSilencesInForce } from "./read-silences.ts";
import { lockRecipients, withIds } from "./recipient-lock.ts";
import { readRelay } from "./relay-state.ts";
import { type NotificationRow, notificationOf } from "./rows.ts";

const HOUR_MS = 3_600_000;

type Tx = Prisma.TransactionClient;

/** Deliveries wait for one another, on all replicas, each for no longer than a few statements take. */
export const TRANSACTION = { timeout: 30_000, maxWait: 20_000 };

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
      // Another replica's clock may be ahead of ours, by which it came to wait.
      if (row.state === "pending" && row.next_attempt_at !== null) await enqueue(tx, [id], row.next_attempt_at);
      return { kind: "idle" };
    }
    const relay = await readRelay(tx);
    const outage = longOutageOf(relay, now);
    const carrying = { row, now, enqueue, given, relay };
    if (row.mime !== null && mayBeRepeat(row)) return sendFrozen(tx, carrying);
    const release = given.decide(await readQuestion(tx, row, outage, now));
    if (row.mime !== null && staysFrozen(row, release, outage)) return sendFrozen(tx, carrying);
    if (release.kind === "fold" && !(await stillPending(tx, release.mails))) {
      await enqueue(tx, [id], now);
      return { kind: "idle" };
    }
    const givenUp = await writeDecisions(tx, release, now);
    return carryOut(tx, release, { ...carrying, givenUp });
  }, TRANSACTION);
}

/** Whether none of the mails has left meanwhile; from here on none can, until the transaction ends. */
async function stillPending(tx: Tx, mails: readonly Kept[]): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM notification WHERE ${withIds(mails.map(({ id }) => id))} AND state = 'pending' FOR UPDATE`;
  return rows.length === mails.length;
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

/**
 * Records why events are not told, and takes them out of the mails that would have told them.
 *
 * @returns ids of the mails that are given up by it
 */
async function writeDecisions(tx: Tx, { dropped, cancelled }: Release, now: Date): Promise<ReadonlySet<string>> {
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
  const givenUp = new Set<string>();
  for (const { id, reason, tooLate } of cancelled) {
    if (tooLate && (await wasTried(tx, id))) {
      await giveUp(tx, id, now, reason);
      givenUp.add(id);
    } else {
      await tx.notification.update({ where: { id }, data: { state: "cancelled", reason, nextAttemptAt: null } });
    }
  }
  return givenUp;
}

/** Whether the mail was attempted, or waited for a relay that was down. */
async function wasTried(tx: Tx, id: string): Promise<boolean> {
  const { attempts, waitsForRelay } = await tx.notification.findUniqueOrThrow({
    where: { id },
    select: { attempts: true, waitsForRelay: true },
  });
  return attempts > 0 || waitsForRelay;
}

async function carryOut(
  tx: Tx,
  release: Release,
  { givenUp, ...carrying }: Carrying & { readonly givenUp: ReadonlySet<string> },
): Promise<Released> {
  const { row, now, enqueue, given } = carrying;
  const notification = notificationOf(row);
  switch (release.kind) {
    case "none": {
      const reason = release.cancelled.find(({ id }) => id === row.id)?.reason ?? "";
      return { kind: givenUp.has(row.id) ? "given up" : "cancelled", notification, reason };
    }
    case "hold": {
      const { cause, until, reason } = release.hold;
      // What a silence held has another look when it may go, also where the night holds it on.
      const heldBy = row.held_by === "silence" ? row.held_by : cause;
      // One that was let through before the outage is so anew when its time comes.
      const data = { heldBy, reason, nextAttemptAt: until, waitsForRelay: false, releasedAt: null };
      await tx.notification.update({ where: { id: row.id }, data });
      await enqueue(tx, [row.id], until);
      return { kind: "held", notification, hold: release.hold };
    }
    case "send":
      return leave(tx, carrying, () => letThrough(tx, carrying, release.mail));
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

/** Marks the mail as released, adds what else it has to tell, and reads what it is made from. */
async function letThrough(tx: Tx, { row, now, relay }: Carrying, { kind, eventSeqs }: Kept): Promise<OwedMail> {
  const own = row.kind === "summary" ? [] : eventSeqs;
  const seqs = await withDeaths(tx, row, own, now);
  // One that only finds out whether the relay is well again has waited for that already.
  const releasedAt = relay.downSince === null ? now : mightLeaveSince(row, relay.downSince, now);
  const released = { ...row, kind, event_seqs: seqs, released_at: releasedAt, reason: null };
  const content = await readContent(tx, released);
  const usefulUntil = usefulUntilOf(content.events);
  const data = { kind, eventSeqs: seqs, releasedAt, usefulUntil, reason: null, waitsForRelay: false };
  await tx.notification.update({ where: { id: row.id }, data });
  return { notification: { ...notificationOf(released), usefulUntil }, mime: null, ...content, ownFailures: 0 };
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
