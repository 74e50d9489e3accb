/**
 * Finds mails that wait for an instant that a clock set back since has put out of reach, and has them looked at now.
 *
 * No retry, hold or probe waits longer than its own step. Silences end when somebody said, whatever the clock was.
 */
import { type HoldCause, LONGEST_HOLD_MS } from "../../domain/hold.ts";
import { longestDelayMs } from "../../domain/retry.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { instant } from "./read-keyset.ts";
import { readRelay } from "./relay-state.ts";

type Tx = Prisma.TransactionClient;

const MINUTE_MS = 60_000;
/** By less than this the clocks of replicas differ all the time. */
const DIFFERENCE_MS = 10_000;
/** Steps of the schedule of retries do not grow any more after so many failures. */
const MANY_FAILURES = 100;

/** Makes them due. @returns their ids */
export async function resumeSetBack(tx: Tx, now: Date): Promise<readonly string[]> {
  const relay = await readRelay(tx);
  // Where the mail server failed at what is now a time to come, whoever waits for it waits for an instant out of reach.
  const failedInFuture = relay.failedAt !== null && relay.failedAt.getTime() - now.getTime() > DIFFERENCE_MS;
  const longestMs = failedInFuture ? 0 : longestDelayMs(MANY_FAILURES) + MINUTE_MS;
  const holds = (Object.keys(LONGEST_HOLD_MS) as HoldCause[]).filter((cause) =>
    Number.isFinite(LONGEST_HOLD_MS[cause]),
  );
  const at = instant(now);
  const rows = await tx.$queryRaw<{ id: string }[]>`
    UPDATE notification n SET next_attempt_at = ${at}
    FROM (
      SELECT id, held_by IS NOT NULL AND released_at IS NULL AS held, longest.ms
      FROM notification LEFT JOIN unnest(${holds}::text[], ${holds.map((cause) => LONGEST_HOLD_MS[cause])}::float8[])
        AS longest (cause, ms) ON held_by = longest.cause
      WHERE state = 'pending' AND next_attempt_at > ${at}
    ) AS waiting
    WHERE n.id = waiting.id AND CASE
      WHEN held THEN next_attempt_at > ${at} + waiting.ms * interval '1 ms'
      WHEN waits_for_relay THEN next_attempt_at > ${at} + ${longestMs}::float8 * interval '1 ms'
      ELSE coalesce(last_attempt_at, created_at) > ${at} + ${DIFFERENCE_MS}::float8 * interval '1 ms' END
    RETURNING n.id::text`;
  return rows.map(({ id }) => id);
}
