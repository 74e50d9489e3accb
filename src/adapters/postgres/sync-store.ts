/** What a sync records. Every statement works on sets: none is made per invite. */
import { randomUUID } from "node:crypto";
import type { Recording, SyncStore } from "../../app/store.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";
import { createLedger, createLockedLedger, readInvites } from "./ledger.ts";
import { addInvites, writeEvents, writeHead, writeInvites, writeNotifications, writeSync } from "./write.ts";

/** Puts the jobs that deliver these notifications into the queue, as part of the transaction. */
export type EnqueueDeliveries = (
  tx: Prisma.TransactionClient,
  notificationIds: readonly string[],
  startAfter?: Date,
) => Promise<void>;

/** A sync of 100,000 new invites takes seconds; a transaction of minutes has gone wrong. */
const TRANSACTION = { timeout: 120_000, maxWait: 20_000 };

type LastSyncsRow = { readonly watch: string; readonly complete_at: Date | null; readonly any_at: Date | null };

export function createSyncStore(prisma: PrismaClient, enqueueDeliveries: EnqueueDeliveries): SyncStore {
  return {
    async lastSyncs(watches) {
      const rows = await prisma.$queryRaw<LastSyncsRow[]>`
        SELECT asked.name AS watch, last.started_at AS any_at, complete.started_at AS complete_at
        FROM json_array_elements_text(${JSON.stringify(watches)}::json) AS asked (name)
          LEFT JOIN LATERAL (
            SELECT started_at FROM sync WHERE watch = asked.name ORDER BY ordinal DESC LIMIT 1
          ) AS last ON true
          LEFT JOIN LATERAL (
            SELECT started_at FROM sync WHERE watch = asked.name AND outcome = 'complete' ORDER BY ordinal DESC LIMIT 1
          ) AS complete ON true`;
      return new Map(rows.map((row) => [row.watch, { completeAt: row.complete_at, anyAt: row.any_at }]));
    },

    async missing(watch, listedIds) {
      const listed = new Set(listedIds);
      const [row] = await prisma.$queryRaw<{ ids: string[] }[]>`
        SELECT coalesce(json_agg(id), '[]') AS ids FROM invite WHERE watch = ${watch} AND status = 'pending'`;
      return readInvites(prisma, watch, row?.ids.filter((id) => !listed.has(id)) ?? []);
    },

    ledger: (watch) => createLedger(prisma, watch),

    record(watch, decide) {
      return prisma.$transaction(async (tx) => {
        const recording = await decide(createLockedLedger(tx, watch));
        await write(tx, recording, enqueueDeliveries);
        return recording;
      }, TRANSACTION);
    },
  };
}

async function write(
  tx: Prisma.TransactionClient,
  { sync, newInvites, changedInvites, events, notifications, suppressions }: Recording,
  enqueueDeliveries: EnqueueDeliveries,
): Promise<void> {
  const { watch } = sync;
  await writeSync(tx, sync);
  await addInvites(tx, newInvites);
  await writeInvites(tx, changedInvites);
  await writeEvents(tx, events);
  await writeHead(tx, watch, events);
  await writeSight(tx, watch, events);
  if (suppressions.length > 0) await writeSuppressions(tx, sync, suppressions);
  if (notifications.length === 0) return;
  await writeNotifications(tx, notifications);
  for (const [at, due] of Map.groupBy(notifications, ({ nextAttemptAt }) => nextAttemptAt?.getTime())) {
    const ids = due.map(({ id }) => id);
    await enqueueDeliveries(tx, ids, at === undefined ? undefined : new Date(at));
  }
}

/** Notes from when on the watch was blind, once that is an event, until another says that it sees. */
async function writeSight(tx: Prisma.TransactionClient, name: string, events: Recording["events"]): Promise<void> {
  for (const { type, data } of events) {
    if (type === "watch.blind") await tx.watch.update({ where: { name }, data: { blindSince: new Date(data.since) } });
    if (type === "watch.recovered") await tx.watch.update({ where: { name }, data: { blindSince: null } });
  }
}

async function writeSuppressions(
  tx: Prisma.TransactionClient,
  sync: Recording["sync"],
  suppressions: Recording["suppressions"],
): Promise<void> {
  const about = { watchName: sync.watch, syncId: sync.id, decidedAt: sync.finishedAt };
  await tx.suppression.createMany({
    data: suppressions.map((one) => ({ ...about, ...one, id: randomUUID(), eventSeqs: [...one.eventSeqs] })),
  });
}
