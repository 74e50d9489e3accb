/** Has the mail server tried before the next probe of the schedule is due. */
import type { Database } from "./open.ts";
import type { EnqueueDeliveries } from "./outbox-write.ts";
import { instant } from "./read-keyset.ts";
import { lockRelay, probeDueAt } from "./relay-state.ts";

/**
 * Has the mail that waits the longest for its turn probe the mail server now; nothing where that is well, or no mail
 * was tried.
 *
 * @returns since when the mail server is down; null where nothing is to be found out
 */
export function probeNow(
  { prisma }: Pick<Database, "prisma">,
  at: Date,
  enqueue: EnqueueDeliveries,
): Promise<Date | null> {
  return prisma.$transaction(async (tx) => {
    const { downSince } = await lockRelay(tx);
    if (downSince === null) return null;
    const [mail] = await tx.$queryRaw<{ id: string }[]>`
      UPDATE notification SET next_attempt_at = least(next_attempt_at, ${instant(at)})
      WHERE id = (
        SELECT id FROM notification WHERE state = 'pending' AND (waits_for_relay OR attempts > 0)
        ORDER BY next_attempt_at, created_at, id LIMIT 1
      ) RETURNING id::text`;
    if (mail === undefined) return null;
    await tx.$executeRaw(probeDueAt(at));
    await enqueue(tx, [mail.id], at);
    return downSince;
  });
}
