/** The outbox: what a delivery reads, and the receipts it writes. */
import type { OutboxStore } from "../../app/store.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";
import { appendToChains, lockWatches } from "./chains.ts";
import { readCovered } from "./outbox-content.ts";
import { createRelease, type EnqueueDelivery } from "./outbox-release.ts";

export function createOutboxStore(prisma: PrismaClient, enqueueDelivery: EnqueueDelivery): OutboxStore {
  return {
    release: createRelease(prisma, enqueueDelivery),

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
            if (count === 1) await enqueueDelivery(tx, id, nextAttemptAt);
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

/** Adds the event to the chain of each watch that the mail tells of, under the lock that every writer of a chain takes. */
async function recordDeath(
  tx: Prisma.TransactionClient,
  notificationId: string,
  at: Date,
  reason: string,
): Promise<void> {
  const notification = await tx.notification.findUniqueOrThrow({
    where: { id: notificationId },
    select: { id: true, watchName: true, recipient: true },
  });
  const data = { by: "invitewatch", reason, notificationId, recipient: notification.recipient };
  const draft = { type: "notification.dead", inviteId: null, occurredAt: at, data } as const;
  await appendToChains(tx, await lockWatches(tx, await watchesOf(tx, notification)), draft);
}

/** The watches that a mail tells of: a summary of those of the mails that it covers, a digest of all. */
async function watchesOf(
  tx: Prisma.TransactionClient,
  { id, watchName }: { readonly id: string; readonly watchName: string | null },
): Promise<readonly string[]> {
  if (watchName !== null) return [watchName];
  const covered = (await readCovered(tx, id)).flatMap(({ watch }) => watch ?? []);
  if (covered.length > 0) return [...new Set(covered)];
  return (await tx.watch.findMany({ select: { name: true } })).map(({ name }) => name);
}
