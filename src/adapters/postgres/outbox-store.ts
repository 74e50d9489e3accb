/** The outbox: what a delivery reads, and the receipts it writes. */
import type { Attempted, OutboxStore, Receipt } from "../../app/store.ts";
import { isRelayTrouble } from "../../domain/relay.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";
import { createBatcher } from "./batcher.ts";
import { recordDeath } from "./deaths.ts";
import {
  type Accepted,
  type Beginning,
  beginMany,
  type Frozen,
  freezeMany,
  receiveAccepted,
} from "./outbox-attempts.ts";
import { requeueForgotten } from "./outbox-forgotten.ts";
import { createRelease, type EnqueueDeliveries, TRANSACTION } from "./outbox-release.ts";
import { readRelay, writeRelay } from "./relay-state.ts";

type Tx = Prisma.TransactionClient;

export function createOutboxStore(prisma: PrismaClient, enqueueDeliveries: EnqueueDeliveries): OutboxStore {
  const freeze = createBatcher<Frozen, Buffer>(
    (mails) => freezeMany(prisma, mails),
    (mail) => freezeAlone(prisma, mail),
  );
  // Where it is not known whether an attempt has begun, the job is run again, and takes it over.
  const begin = createBatcher<Beginning, boolean>((attempts) => beginMany(prisma, attempts), null);
  const accept = createBatcher<Accepted, true>(
    (accepted) => receiveAccepted(prisma, accepted),
    async (accepted) => {
      await receiveAccepted(prisma, [accepted]);
      return true;
    },
  );
  return {
    release: createRelease(prisma, enqueueDeliveries),
    freeze: (id, { subject, mime }) => freeze({ id, subject, mime }),
    begin: (id, attempts, at) => begin({ id, attempts, at }),
    relay: () => readRelay(prisma),

    async receive(id, receipt, attempted, relay) {
      if (receipt.state === "delivered" && relay === null) {
        await accept({ id, at: receipt.at, response: receipt.response, attempted });
        return;
      }
      await prisma.$transaction(async (tx) => {
        if (receipt.state === "delivered") {
          await receiveAccepted(tx, [{ id, at: receipt.at, response: receipt.response, attempted }]);
        } else {
          await writeAttempt(tx, id, attempted);
          await writeReceipt(tx, id, receipt, attempted, enqueueDeliveries);
        }
        if (relay === null) return;
        await writeRelay(tx, relay);
        if (relay.lastOutage !== null && relay.downSince === null) {
          await wakeWaiting(tx, relay.lastOutage.until, enqueueDeliveries);
        }
      }, TRANSACTION);
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

    requeueForgotten: (now) => requeueForgotten(prisma, now, enqueueDeliveries),
  };
}

async function freezeAlone(prisma: PrismaClient, { id, subject, mime }: Frozen): Promise<Buffer> {
  const data = { subject, mime: new Uint8Array(mime) };
  const { count } = await prisma.notification.updateMany({ where: { id, mime: null }, data });
  if (count === 1) return mime;
  const kept = await prisma.notification.findUniqueOrThrow({ where: { id }, select: { mime: true } });
  return Buffer.from(kept.mime ?? mime);
}

async function writeAttempt(tx: Tx, notificationId: string, { startedAt, way, outcome }: Attempted): Promise<void> {
  const { attempts: number } = await tx.notification.findUniqueOrThrow({
    where: { id: notificationId },
    select: { attempts: true },
  });
  const { kind, stage, code, enhancedCode, queueId, durationMs } = outcome;
  const cause = kind === "refused" ? outcome.what : kind === "failed" ? outcome.cause : null;
  const said = kind === "accepted" ? outcome.response : outcome.error;
  const row = {
    way,
    stage,
    outcome: kind,
    cause,
    code,
    enhancedCode,
    queueId,
    durationMs: Math.round(durationMs),
    said,
  };
  await tx.attempt.upsert({
    where: { notificationId_number: { notificationId, number } },
    create: { notificationId, number, startedAt, ...row },
    update: {},
  });
}

async function writeReceipt(
  tx: Tx,
  id: string,
  receipt: Exclude<Receipt, { readonly state: "delivered" }>,
  { outcome }: Attempted,
  enqueueDeliveries: EnqueueDeliveries,
): Promise<void> {
  const where = { id, state: "sending" };
  switch (receipt.state) {
    case "pending": {
      const { error, nextAttemptAt } = receipt;
      const isRelays = outcome.kind === "failed" && isRelayTrouble(outcome.cause);
      const maybeAccepted = outcome.kind === "failed" && outcome.cause === "unknown";
      const data = {
        state: "pending",
        reason: null,
        error,
        nextAttemptAt,
        waitsForRelay: isRelays,
        ...(maybeAccepted && { maybeAccepted }),
      };
      const { count } = await tx.notification.updateMany({ where, data });
      if (count === 1) await enqueueDeliveries(tx, [id], nextAttemptAt);
      return;
    }
    case "dead": {
      const { at, error, reason } = receipt;
      const data = { state: "dead", error, reason, nextAttemptAt: null };
      const { count } = await tx.notification.updateMany({ where, data });
      if (count === 1) await recordDeath(tx, id, at, `${reason}: ${error}`);
    }
  }
}

/** The mails that waited for the relay are due now. */
async function wakeWaiting(tx: Tx, at: Date, enqueueDeliveries: EnqueueDeliveries): Promise<void> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    UPDATE notification SET next_attempt_at = ${at}, waits_for_relay = false, reason = NULL
    WHERE state = 'pending' AND waits_for_relay RETURNING id`;
  await enqueueDeliveries(
    tx,
    rows.map(({ id }) => id),
    at,
  );
}
