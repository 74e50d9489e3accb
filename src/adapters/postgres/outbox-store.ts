/** The outbox: what a delivery reads, and the receipts it writes. */
import { randomUUID } from "node:crypto";
import type { OutboxStore, OwedMail } from "../../app/store.ts";
import { link } from "../../domain/chain.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";
import {
  type EventRow,
  eventOf,
  headOf,
  type InviteRow,
  inviteOf,
  type NotificationRow,
  notificationOf,
  type WatchRow,
} from "./rows.ts";
import { writeEvents, writeHead } from "./write.ts";

/** Puts the job of the next attempt into the queue, as part of the transaction. */
export type EnqueueRetry = (tx: Prisma.TransactionClient, notificationId: string, startAfter: Date) => Promise<void>;

export function createOutboxStore(prisma: PrismaClient, enqueueRetry: EnqueueRetry): OutboxStore {
  return {
    async load(id) {
      const [row] = await prisma.$queryRaw<(NotificationRow & { mime: Uint8Array | null })[]>`
        SELECT * FROM notification WHERE id = ${id}::uuid`;
      if (row === undefined) return null;
      const mime = row.mime === null ? null : Buffer.from(row.mime);
      return {
        notification: notificationOf(row),
        mime,
        ...(mime === null ? await readContent(prisma, row) : NO_CONTENT),
      };
    },

    async freeze(id, { subject, mime }) {
      const data = { subject, mime: new Uint8Array(mime) };
      const { count } = await prisma.notification.updateMany({ where: { id, mime: null }, data });
      if (count === 1) return mime;
      const kept = await prisma.notification.findUniqueOrThrow({ where: { id }, select: { mime: true } });
      return Buffer.from(kept.mime ?? mime);
    },

    async begin(id, at) {
      const { count } = await prisma.notification.updateMany({
        where: { id, state: { in: ["pending", "sending"] } },
        data: { state: "sending", attempts: { increment: 1 }, lastAttemptAt: at },
      });
      return count === 1;
    },

    async receive(id, receipt) {
      await prisma.$transaction(async (tx) => {
        const where = { id, state: "sending" };
        switch (receipt.state) {
          case "delivered": {
            const { at: deliveredAt, response } = receipt;
            const data = { state: "delivered", deliveredAt, response, error: null, nextAttemptAt: null };
            await tx.notification.updateMany({ where, data });
            return;
          }
          case "pending": {
            const { error, nextAttemptAt } = receipt;
            const { count } = await tx.notification.updateMany({
              where,
              data: { state: "pending", error, nextAttemptAt },
            });
            if (count === 1) await enqueueRetry(tx, id, nextAttemptAt);
            return;
          }
          case "dead": {
            const { at, error, reason } = receipt;
            const data = { state: "dead", error, reason, nextAttemptAt: null };
            const { count } = await tx.notification.updateMany({ where, data });
            if (count === 1) await recordDeath(tx, id, at, `${reason}: ${error}`);
          }
        }
      });
    },

    undeliveredSince: (at) =>
      prisma.notification.findMany({
        where: { lastAttemptAt: { gte: at }, state: { in: ["pending", "sending", "dead"] } },
        select: { recipient: true, state: true, error: true },
        orderBy: { createdAt: "asc" },
      }),

    countDue: (now) =>
      prisma.notification.count({
        where: { OR: [{ state: "sending" }, { state: "pending", nextAttemptAt: { lte: now } }] },
      }),
  };
}

/** Adds the event to the watch's chain, under the lock that every writer of the chain takes. */
async function recordDeath(
  tx: Prisma.TransactionClient,
  notificationId: string,
  at: Date,
  reason: string,
): Promise<void> {
  const { watchName: watch, recipient } = await tx.notification.findUniqueOrThrow({
    where: { id: notificationId },
    select: { watchName: true, recipient: true },
  });
  const [row] = await tx.$queryRaw<WatchRow[]>`SELECT * FROM watch WHERE name = ${watch} FOR UPDATE`;
  if (row === undefined) throw new Error(`the watch ${watch} is not in the database`);
  const data = { by: "invitewatch", reason, notificationId, recipient };
  const draft = { type: "notification.dead", inviteId: null, occurredAt: at, data } as const;
  const events = link([draft], headOf(row), { watch, syncId: null, recordedAt: at, newId: randomUUID });
  await writeEvents(tx, events);
  await writeHead(tx, watch, events);
}

type Content = Pick<OwedMail, "events" | "invites" | "chainHead">;

/** A frozen mail needs nothing to be made from. */
const NO_CONTENT: Content = { events: [], invites: new Map(), chainHead: "" };

async function readContent(prisma: PrismaClient, notification: NotificationRow): Promise<Content> {
  const { watch, event_seqs: seqs, sync_id: syncId } = notification;
  const events = await prisma.$queryRaw<EventRow[]>`
    SELECT * FROM event WHERE watch = ${watch} AND seq = ANY (${seqs}::int[]) ORDER BY seq`;
  const invites = await prisma.$queryRaw<InviteRow[]>`
    SELECT i.* FROM invite i WHERE i.watch = ${watch} AND i.id IN (
      SELECT invite_id FROM event WHERE watch = ${watch} AND seq = ANY (${seqs}::int[]))`;
  const [head] = await prisma.$queryRaw<{ hash: string }[]>`
    SELECT hash FROM event WHERE watch = ${watch} AND sync_id IS NOT DISTINCT FROM ${syncId}::uuid ORDER BY seq DESC LIMIT 1`;
  return {
    events: events.map(eventOf),
    invites: new Map(invites.map((row) => [row.id, inviteOf(row)])),
    chainHead: head?.hash ?? "",
  };
}
