/** Records what came of attempts: most are accepted and need one statement, the others a transaction. */
import type { OutboxStore, Settled } from "../../app/delivery/outbox.ts";
import { type Conclusion, isPlainlyAccepted, type SentMail } from "../../domain/delivery/conclude.ts";
import { RELAY_WELL, type RelayState } from "../../domain/relay.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { recordDeaths } from "./deaths.ts";
import type { Database, Sql } from "./open.ts";
import { writeResults } from "./outbox-attempts.ts";
import { wakeWaiting } from "./outbox-wake.ts";
import { type EnqueueDeliveries, enqueueByTime } from "./outbox-write.ts";
import { withIds } from "./recipient-lock.ts";
import { lockRelay, writeRelay } from "./relay-state.ts";
import { settleEach } from "./settle-each.ts";
import { endOfPatience, untilWritten } from "./until-written.ts";

type Tx = Prisma.TransactionClient;
type Conclude = Parameters<OutboxStore["record"]>[1];

export const TRANSACTION = { timeout: 30_000, maxWait: 20_000 };

export async function recordResults(
  { prisma, sql }: Pick<Database, "prisma" | "sql">,
  sent: readonly SentMail[],
  { conclude, enqueue }: { readonly conclude: Conclude; readonly enqueue: EnqueueDeliveries },
): Promise<Settled<Conclusion>> {
  const patienceEndsMs = endOfPatience();
  // Of what is known to be accepted nothing but the receipt keeps it from being sent again.
  const patiently = (write: (several: readonly SentMail[]) => Promise<readonly Conclusion[]>) => {
    return (several: readonly SentMail[]) =>
      several.length === 1 && several.some(wasAccepted)
        ? untilWritten(() => write(several), patienceEndsMs)
        : write(several);
  };
  const plainly = patiently(async (several) => {
    const conclusions = conclude(
      several.map((one) => ({ ...one, isOvertaken: false })),
      RELAY_WELL,
    );
    await writeResults(
      sql,
      several.map((one, nth) => resultOf(one, conclusions[nth])),
    );
    return conclusions;
  });
  const inTransaction = patiently((several) =>
    prisma.$transaction((tx) => record(tx, several, { conclude, enqueue }), TRANSACTION),
  );
  const plain = sent.filter(isPlainlyAccepted);
  const others = sent.filter((one) => !isPlainlyAccepted(one));
  const [first, second] = await Promise.all([settleEach(plain, plainly), settleEach(others, inTransaction)]);
  const results = new Map([...plain, ...others].map((one, nth) => [one, [...first, ...second][nth]]));
  return sent.map((one) => results.get(one) ?? { status: "rejected", reason: new Error("nothing was recorded") });
}

/** Under the lock of the mail server's row, by which mails that wait for it are woken. */
async function record(
  tx: Tx,
  sent: readonly SentMail[],
  { conclude, enqueue }: { readonly conclude: Conclude; readonly enqueue: EnqueueDeliveries },
): Promise<readonly Conclusion[]> {
  const known = await lockRelay(tx);
  const ids = sent.map(({ mail }) => mail.notification.id);
  const rows = await tx.$queryRaw<{ id: string; state: string; attempts: number }[]>`
    SELECT id, state, attempts FROM notification WHERE ${withIds(ids)} ORDER BY created_at, id FOR UPDATE`;
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  const ended = sent.map((one) => {
    const row = rowOf.get(one.mail.notification.id);
    const number = one.attempts.at(-1)?.number ?? 0;
    const isOvertaken = (row?.attempts ?? 0) > number;
    return { ...one, isOvertaken, counts: wasAccepted(one) || (row?.state === "sending" && row.attempts === number) };
  });
  const counting = ended.filter(({ counts }) => counts);
  const conclusionOf = new Map(conclude(counting, known).map((conclusion, nth) => [counting[nth], conclusion]));
  const conclusions = ended.map((one): Conclusion => {
    const { receipt, mailServer } = conclusionOf.get(one) ?? { receipt: null, mailServer: null };
    return { receipt, mailServer: one.isOvertaken ? null : mailServer };
  });

  await writeResults(
    within(tx),
    sent.map((one, nth) => resultOf(one, conclusions[nth])),
  );
  const retried = conclusions.flatMap(({ receipt }, nth) =>
    receipt?.state === "pending" ? [{ id: ids[nth] ?? "", at: receipt.nextAttemptAt }] : [],
  );
  await enqueueByTime(tx, retried, enqueue);
  const mailServer = conclusions.findLast((one) => one.mailServer !== null)?.mailServer ?? null;
  if (mailServer !== null) await writeMailServer(tx, mailServer, enqueue);
  // Last, since it locks watches.
  const dead = conclusions.flatMap(({ receipt }, nth) =>
    receipt?.state === "dead"
      ? [{ id: ids[nth] ?? "", reason: `${receipt.reason}: ${receipt.error}`, at: receipt.at }]
      : [],
  );
  await recordDeaths(tx, dead, dead[0]?.at ?? new Date(0));
  return conclusions;
}

async function writeMailServer(tx: Tx, mailServer: RelayState, enqueue: EnqueueDeliveries): Promise<void> {
  await writeRelay(tx, mailServer);
  const { downSince, lastOutage } = mailServer;
  if (downSince === null && lastOutage !== null) await wakeWaiting(tx, lastOutage.until, enqueue);
}

function wasAccepted({ attempts }: SentMail): boolean {
  return attempts.at(-1)?.outcome.kind === "accepted";
}

function resultOf({ mail, attempts }: SentMail, conclusion: Conclusion | undefined) {
  return { id: mail.notification.id, attempts, receipt: conclusion?.receipt ?? null };
}

/** As part of the transaction. */
function within(tx: Tx): Sql {
  return { query: async (text, values) => ({ rows: await tx.$queryRawUnsafe(text, ...values) }) };
}
