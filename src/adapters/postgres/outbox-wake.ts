/** Wakes mails that wait for the mail server, under the lock of its row: see recipient-lock.ts. */
import type { Prisma } from "../../generated/prisma/client.ts";
import type { EnqueueDeliveries } from "./outbox-leave.ts";

type Tx = Prisma.TransactionClient;

/** The mails that waited for the relay are due now. */
export async function wakeWaiting(tx: Tx, at: Date, enqueue: EnqueueDeliveries): Promise<void> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    WITH waiting AS (
      SELECT id FROM notification WHERE state = 'pending' AND waits_for_relay ORDER BY created_at, id FOR UPDATE
    )
    UPDATE notification n SET next_attempt_at = ${at}, waits_for_relay = false, reason = NULL
    FROM waiting WHERE n.id = waiting.id RETURNING n.id`;
  await enqueue(
    tx,
    rows.map(({ id }) => id),
    at,
  );
}
