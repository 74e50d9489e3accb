/** Writes what is decided not to be told, in sets: as many statements for a thousand mails as for one. */
import { randomUUID } from "node:crypto";
import type { Release } from "../../domain/release.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { lockWatches } from "./chains.ts";
import { recordDeaths, watchesOf } from "./deaths.ts";
import { readCoveredOf } from "./outbox-content.ts";
import { withIds } from "./recipient-lock.ts";
import type { NotificationRow } from "./rows.ts";

type Tx = Prisma.TransactionClient;
type Decisions = Pick<Release, "dropped" | "cancelled">;

/**
 * Records why events are not told, and takes them out of the mails that would have told them.
 *
 * @returns ids of the mails that are given up by it
 */
export async function writeDecisions(
  tx: Tx,
  decisions: Decisions,
  { row, now }: { readonly row: NotificationRow; readonly now: Date },
): Promise<ReadonlySet<string>> {
  const { dropped, cancelled } = decisions;
  if (dropped.length + cancelled.length === 0) return new Set();
  const givenUp = await readTried(
    tx,
    cancelled.flatMap(({ id, tooLate }) => (tooLate ? [id] : [])),
  );
  await lockTouched(tx, decisions, { row, givenUp });
  await writeSuppressions(tx, dropped, now);
  await takeOut(tx, decisions);
  const ends = cancelled.map(({ id, reason }) => ({ id, reason, state: givenUp.has(id) ? "dead" : "cancelled" }));
  await tx.$executeRaw`
    UPDATE notification n SET state = ended.state, reason = ended.reason, next_attempt_at = NULL
    FROM jsonb_to_recordset(${JSON.stringify(ends)}::jsonb) AS ended (id uuid, reason text, state text)
    WHERE n.id = ended.id`;
  await recordDeaths(
    tx,
    cancelled.filter(({ id }) => givenUp.has(id)),
    now,
  );
  return givenUp;
}

/** Those of the mails that were attempted, or waited for a relay that was down. */
async function readTried(tx: Tx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM notification WHERE ${withIds(ids)} AND (attempts > 0 OR waits_for_relay)`;
  return new Set(rows.map(({ id }) => id));
}

/**
 * Locks all watches that what is written refers to, the end of this mail included, before it is: writing takes such locks
 * one by one, and two recipients' mails would wait for each other crosswise.
 */
async function lockTouched(
  tx: Tx,
  { dropped }: Decisions,
  { row, givenUp }: { readonly row: NotificationRow; readonly givenUp: ReadonlySet<string> },
): Promise<void> {
  const dead = await tx.notification.findMany({
    where: { id: { in: [...givenUp] } },
    select: { id: true, watchName: true },
  });
  const names = new Set(dropped.map(({ watch }) => watch));
  for (const one of [{ id: row.id, watchName: row.watch }, ...dead]) {
    for (const name of await watchesOf(tx, one)) names.add(name);
  }
  await lockWatches(tx, [...names]);
}

async function writeSuppressions(tx: Tx, dropped: Decisions["dropped"], decidedAt: Date): Promise<void> {
  if (dropped.length === 0) return;
  await tx.suppression.createMany({
    data: dropped.map(({ watch: watchName, reason, detail, recipient, eventSeqs }) => ({
      id: randomUUID(),
      watchName,
      reason,
      detail,
      recipient,
      eventSeqs: [...eventSeqs],
      decidedAt,
    })),
  });
}

/** Out of the mails that go on, and of those that they tell in place of. */
async function takeOut(tx: Tx, { dropped, cancelled }: Decisions): Promise<void> {
  const ended = new Set(cancelled.map(({ id }) => id));
  const goesOn = dropped.filter(({ notificationId }) => !ended.has(notificationId));
  if (goesOn.length === 0) return;
  const covered = await readCoveredOf(
    tx,
    goesOn.map(({ notificationId }) => notificationId),
  );
  const taken = goesOn.flatMap(({ notificationId, watch, eventSeqs }) =>
    [notificationId, ...(covered.get(notificationId) ?? []).map(({ id }) => id)].flatMap((id) =>
      eventSeqs.map((seq) => ({ id, watch, seq })),
    ),
  );
  await tx.$executeRaw`
    WITH taken AS (
      SELECT id, watch, array_agg(seq) AS seqs
      FROM jsonb_to_recordset(${JSON.stringify(taken)}::jsonb) AS taken (id uuid, watch text, seq integer)
      GROUP BY id, watch
    )
    UPDATE notification n SET event_seqs = array(
      SELECT seq FROM unnest(n.event_seqs) AS told (seq) WHERE seq <> ALL (taken.seqs))
    FROM taken WHERE n.id = taken.id AND n.watch = taken.watch`;
}
