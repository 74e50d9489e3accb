/**
 * Finds mails that are due and that no job will deliver, or not in time.
 *
 * Jobs are written with what they are for, but kept by the queue: it drops those that nobody took for two weeks, and a
 * backup may come back without them.
 */
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import type { EnqueueDeliveries } from "./outbox-leave.ts";
import { resumeSetBack } from "./outbox-set-back.ts";

/** Due for less, a mail's job may be on its way. */
const FORGOTTEN_AFTER_MS = 60_000;

/** Gives each such mail a job. @returns how many there were */
export function requeueForgotten(
  { prisma, queueSchema }: Pick<Database, "prisma" | "queueSchema">,
  now: Date,
  enqueue: EnqueueDeliveries,
): Promise<number> {
  return prisma.$transaction(async (tx) => {
    const rows = await tx.$queryRaw<{ id: string }[]>`
      SELECT n.id::text FROM notification n
      WHERE n.state IN ('pending', 'sending')
        AND coalesce(CASE n.state WHEN 'pending' THEN n.next_attempt_at ELSE n.last_attempt_at END, n.created_at)
          < ${new Date(now.getTime() - FORGOTTEN_AFTER_MS)}
        AND NOT EXISTS (
          SELECT 1 FROM ${Prisma.raw(queueSchema)}.job
          WHERE name = 'deliver' AND state <= 'active' AND data->>'notificationId' = n.id::text)
      ORDER BY n.created_at, n.id`;
    const ids = [...new Set([...(await resumeSetBack(tx, now)), ...rows.map(({ id }) => id)])];
    if (ids.length > 0) await enqueue(tx, ids, now);
    return ids.length;
  });
}
