/**
 * Lets an owed mail through to its first attempt, holds it, folds it into another or cancels it, in one transaction.
 *
 * The recipient's lock makes the decisions about one recipient follow one another, on all replicas.
 */
import type { OutboxStore, OwedMail, Released } from "../../app/store.ts";
import type { Notification } from "../../domain/notification.ts";
import { silenceHold } from "../../domain/plan.ts";
import { longOutageOf, usefulUntilOf } from "../../domain/relay.ts";
import type { Held, Kept, Release } from "../../domain/release.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";
import { createBatcher } from "./batcher.ts";
import { readContent } from "./outbox-content.ts";
import { writeDecisions } from "./outbox-decisions.ts";
import { mayBeRepeat, sendFrozen, staysFrozen } from "./outbox-frozen.ts";
import { type Carrying, type EnqueueDeliveries, leave, mightLeaveSince, withDeaths } from "./outbox-leave.ts";
import { type Asked, isDue, type OwedRow, releaseOrdinary } from "./outbox-ordinary.ts";
import { readQuestion } from "./outbox-question.ts";
import { readSilencesInForce } from "./read-silences.ts";
import { lockRecipients, withIds } from "./recipient-lock.ts";
import { lockRelay, readRelay } from "./relay-state.ts";
import { type NotificationRow, notificationOf } from "./rows.ts";
import { createTurns } from "./turns.ts";

type Tx = Prisma.TransactionClient;

/** Deliveries wait for one another, on all replicas, each for no longer than a few statements take. */
export const TRANSACTION = { timeout: 30_000, maxWait: 20_000 };

/** So many may wait for locks at a time, each with a connection in hand that others need. */
const ALONE_AT_ONCE = 4;

export function createRelease(prisma: PrismaClient, enqueue: EnqueueDeliveries): OutboxStore["release"] {
  const inTurn = createTurns(ALONE_AT_ONCE);
  const release = createBatcher<Asked, Released>(
    (asked) => prisma.$transaction((tx) => releaseOrdinary(tx, asked), TRANSACTION),
    (asked) => inTurn(() => releaseAlone(prisma, enqueue, asked)),
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
    const seen = await readRelay(tx);
    const relay = seen.downSince === null ? seen : await lockRelay(tx);
    const outage = longOutageOf(relay, now);
    const carrying = { row, now, enqueue, given, relay };
    if (row.mime !== null && mayBeRepeat(row)) return sendFrozen(tx, carrying);
    const release = given.decide(await readQuestion(tx, row, outage, now));
    if (row.mime !== null && staysFrozen(row, release, outage)) return sendFrozen(tx, carrying);
    if (release.kind === "fold" && !(await stillPending(tx, release.mails))) {
      await enqueue(tx, [id], now);
      return { kind: "idle" };
    }
    const givenUp = await writeDecisions(tx, release, { row, now });
    return carryOut(tx, release, { ...carrying, givenUp });
  }, TRANSACTION);
}

/** @returns false where a silence for which they were to be held has ended meanwhile: then nothing is written */
async function hold(tx: Tx, held: readonly Held[], now: Date): Promise<boolean> {
  const silenced = held.some(({ hold: { cause } }) => cause === "silence");
  if (silenced && !(await areInForce(tx, held, now))) return false;
  const rows = held.map(({ id, hold: { cause, until, reason } }) => ({ id, cause, until, reason }));
  // What a silence held has another look when it may go, also where the night holds it on. One that was let through
  // before an outage is so anew when its time comes.
  await tx.$executeRaw`
    UPDATE notification n SET held_by = CASE WHEN n.held_by = 'silence' THEN n.held_by ELSE held.cause END,
      reason = held.reason, next_attempt_at = held.until, waits_for_relay = false, released_at = NULL
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS held (id uuid, cause text, until timestamptz, reason text)
    WHERE n.id = held.id AND n.state IN ('pending', 'sending')`;
  return true;
}

/** Whether there is still a silence for each that is held for one; none ends from here on, until the transaction does. */
async function areInForce(tx: Tx, held: readonly Held[], now: Date): Promise<boolean> {
  const reasons = new Set((await readSilencesInForce(tx, now, { lock: true })).map((one) => silenceHold(one).reason));
  return held.every(({ hold: { cause, reason } }) => cause !== "silence" || reasons.has(reason));
}

/** Whether none of the mails has left meanwhile; from here on none can, until the transaction ends. */
async function stillPending(tx: Tx, mails: readonly Kept[]): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM notification WHERE ${withIds(mails.map(({ id }) => id))} AND state = 'pending'
    ORDER BY created_at, id FOR UPDATE`;
  return rows.length === mails.length;
}

/** The mail, with its recipient's lock taken: the row is read again once nobody else decides. */
async function lockOwed(tx: Tx, id: string): Promise<OwedRow | null> {
  await lockRecipients(tx, withIds([id]));
  const [row] = await tx.$queryRaw<OwedRow[]>`SELECT * FROM notification WHERE id = ${id}::uuid`;
  return row ?? null;
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
      if (!(await hold(tx, [{ id: row.id, hold: release.hold }, ...release.others], now))) {
        await enqueue(tx, [row.id], now);
        return { kind: "idle" };
      }
      // The others have a job that is due: it finds that their time has not come, and comes back when it has.
      await enqueue(tx, [row.id], release.hold.until);
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
