/** The outbox: what a delivery reads, and the receipts it writes. */

import { DatabaseError as StatementError } from "pg";
import type { Attempted, Beginning, OutboxStore, Receipt, Undelivered } from "../../app/store.ts";
import { RELAY_WELL, waitReason } from "../../domain/relay.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { createBatcher } from "./batcher.ts";
import { deathsSince, recordDeath } from "./deaths.ts";
import type { Database, Sql } from "./open.ts";
import { type Accepted, beginMany, receiveAccepted } from "./outbox-attempts.ts";
import { requeueForgotten } from "./outbox-forgotten.ts";
import type { EnqueueDeliveries } from "./outbox-leave.ts";
import { probeNow } from "./outbox-probe.ts";
import { createRelease, TRANSACTION } from "./outbox-release.ts";
import { wakeWaiting } from "./outbox-wake.ts";
import { lockRelay, readRelay, writeRelay } from "./relay-state.ts";
import { untilWritten } from "./until-written.ts";

type Tx = Prisma.TransactionClient;

/** A mail is not kept waiting by its receipt. Were we to die now, the mails of so long would be repeated. */
const RECEIPTS_GATHER_MS = 20;

export function createOutboxStore(
  database: Pick<Database, "prisma" | "sql" | "queueSchema">,
  enqueueDeliveries: EnqueueDeliveries,
): OutboxStore {
  const { prisma, sql } = database;
  const begin = createBatcher<Beginning, Buffer | null>(
    (beginnings) => beginMany(sql, beginnings),
    async (beginning, failure) => {
      // Where it is not known whether the attempt has begun, the job is run again, and takes it over.
      if (failure !== undefined && !wasRefused(failure)) throw failure;
      return (await beginMany(sql, [beginning]))[0] ?? null;
    },
  );
  const accept = createBatcher<Accepted, true>(
    (accepted) => receiveAccepted(sql, accepted),
    async (accepted) => {
      await receiveAccepted(sql, [accepted]);
      return true;
    },
    RECEIPTS_GATHER_MS,
  );
  return {
    release: createRelease(prisma, enqueueDeliveries),
    begin,
    relay: () => readRelay(prisma),

    async receive(id, receipt, attempts, relay) {
      const last = attempts.at(-1) as Attempted;
      if (receipt.state === "delivered" && relay === null && attempts.length === 1) {
        const accepted = { id, at: receipt.at, response: receipt.response, attempted: last };
        return untilWritten(() => accept(accepted));
      }
      const write = () =>
        prisma.$transaction(async (tx) => {
          const waits = receipt.state === "pending" && receipt.waitsForRelay;
          const known = relay !== null || waits ? await lockRelay(tx) : null;
          for (const earlier of attempts.slice(0, -1)) await writeAttempt(tx, id, earlier);
          if (receipt.state === "delivered") {
            await receiveAccepted(within(tx), [{ id, at: receipt.at, response: receipt.response, attempted: last }]);
          } else {
            await writeAttempt(tx, id, last);
            const inTime = waits && (relay ?? known)?.downSince === null ? dueNow(receipt, last) : receipt;
            if (!(await writeReceipt(tx, id, inTime, last, enqueueDeliveries))) return false;
          }
          if (relay !== null && !(await isOvertaken(tx, id, last))) {
            await writeRelay(tx, relay);
            const { downSince, lastOutage } = relay;
            if (downSince === null && lastOutage !== null) await wakeWaiting(tx, lastOutage.until, enqueueDeliveries);
          }
          // Last, since it locks watches.
          if (receipt.state === "dead") await recordDeath(tx, id, receipt.at, `${receipt.reason}: ${receipt.error}`);
          return true;
        }, TRANSACTION);
      // Of what is known to be accepted nothing but the receipt keeps it from being sent again.
      return receipt.state === "delivered" ? untilWritten(write) : write();
    },

    async undeliveredSince(at) {
      const rows = await prisma.$queryRaw<(Undelivered & { readonly waits: boolean })[]>`
        SELECT recipient, state, state = 'pending' AND waits_for_relay AS waits,
          CASE WHEN state = 'dead' THEN concat_ws(': ', reason, error)
            WHEN state = 'pending' AND waits_for_relay THEN coalesce(reason, error) ELSE error END AS why
        FROM notification LEFT JOIN (${deathsSince(at)}) AS death USING (id)
        WHERE state IN ('pending', 'sending', 'dead')
          AND (last_attempt_at >= ${at} OR died_at IS NOT NULL OR state = 'pending' AND waits_for_relay)
        ORDER BY created_at, id`;
      const { downSince, error } = rows.some(({ waits }) => waits) ? await readRelay(prisma) : RELAY_WELL;
      // A mail that waits keeps the reason for which it began to.
      const now = downSince === null ? null : waitReason(downSince, error);
      return rows.map(({ recipient, state, why, waits }) => ({ recipient, state, why: waits ? (now ?? why) : why }));
    },

    countDue: (now) =>
      prisma.notification.count({
        where: { OR: [{ state: "sending" }, { state: "pending", nextAttemptAt: { lte: now } }] },
      }),

    requeueForgotten: (now) => requeueForgotten(database, now, enqueueDeliveries),
    probeNow: (now) => probeNow(database, now, enqueueDeliveries),
  };
}

/** Whether the database said no to the statement, so that nothing of it is done. */
function wasRefused(failure: unknown): boolean {
  return failure instanceof StatementError && failure.severity === "ERROR";
}

/** As part of the transaction. */
function within(tx: Tx): Sql {
  return { query: async (text, values) => ({ rows: await tx.$queryRawUnsafe(text, ...values) }) };
}

type Pending = Extract<Receipt, { readonly state: "pending" }>;

/** Of a mail that was to wait for a relay that is well again meanwhile. */
function dueNow(receipt: Pending, { startedAt, outcome }: Attempted): Pending {
  const endedAt = new Date(startedAt.getTime() + outcome.durationMs);
  return { ...receipt, nextAttemptAt: endedAt, waitsForRelay: false };
}

/** Whether another attempt has begun since. */
async function isOvertaken(tx: Tx, id: string, { number }: Attempted): Promise<boolean> {
  return (await tx.notification.count({ where: { id, attempts: { gt: number } } })) > 0;
}

async function writeAttempt(tx: Tx, notificationId: string, attempted: Attempted): Promise<void> {
  const { number, startedAt, way, outcome } = attempted;
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

/** @returns whether it was written: the mail is being sent, by this attempt */
async function writeReceipt(
  tx: Tx,
  id: string,
  receipt: Exclude<Receipt, { readonly state: "delivered" }>,
  { number, outcome }: Attempted,
  enqueueDeliveries: EnqueueDeliveries,
): Promise<boolean> {
  const where = { id, state: "sending", attempts: number };
  switch (receipt.state) {
    case "pending": {
      const { error, nextAttemptAt, waitsForRelay } = receipt;
      const maybeAccepted = outcome.kind === "failed" && outcome.cause === "unknown";
      const data = {
        state: "pending",
        reason: null,
        error,
        nextAttemptAt,
        waitsForRelay,
        ...(maybeAccepted && { maybeAccepted }),
      };
      const { count } = await tx.notification.updateMany({ where, data });
      if (count === 1) await enqueueDeliveries(tx, [id], nextAttemptAt);
      return count === 1;
    }
    case "dead": {
      const { error, reason } = receipt;
      const data = { state: "dead", error, reason, nextAttemptAt: null };
      const { count } = await tx.notification.updateMany({ where, data });
      return count === 1;
    }
  }
}
