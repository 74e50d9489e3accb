/** By which way a mail leaves that was let through, or what it waits for; or that it is given up. */
import type { OwedMail, Released, Releasing } from "../../app/store.ts";
import { leavingOf, type RelayState, type WayOut, wayOut, whileProbing } from "../../domain/relay.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { recordDeath } from "./deaths.ts";
import { readEvents } from "./outbox-content.ts";
import { DEATHS_TOLD_WITHIN_MS, type OwedRow } from "./outbox-ordinary.ts";
import { takeProbe } from "./relay-state.ts";
import { type NotificationRow, notificationOf } from "./rows.ts";

type Tx = Prisma.TransactionClient;

/** Puts the jobs of deliveries into the queue, as part of the transaction. */
export type EnqueueDeliveries = (tx: Tx, notificationIds: readonly string[], startAfter: Date) => Promise<void>;

/** A mail whose time has come, and what is known when it has. */
export type Carrying = {
  readonly row: OwedRow;
  readonly now: Date;
  readonly relay: RelayState;
  readonly given: Releasing;
  readonly enqueue: EnqueueDeliveries;
};

/** The mail leaves by the way that is open, or waits until one is. */
export async function leave(tx: Tx, carrying: Carrying, owed: () => Promise<OwedMail>): Promise<Released> {
  const { row, now, enqueue } = carrying;
  const notification = notificationOf(row);
  const way = await takeWayOut(tx, carrying);
  switch (way.kind) {
    case "relay":
    case "fallback":
      return { kind: "send", way, owed: await owed() };
    case "give up":
      await giveUp(tx, row.id, now, way.reason);
      return { kind: "given up", notification, reason: way.reason };
    case "wait": {
      // What was held on purpose is owed from now on, not from when it was planned.
      const releasedAt = row.released_at ?? (row.held_by === null ? null : now);
      const data = { state: "pending", waitsForRelay: true, reason: way.reason, nextAttemptAt: way.until, releasedAt };
      await tx.notification.update({ where: { id: row.id }, data });
      await enqueue(tx, [row.id], way.until);
      return { kind: "waiting", notification, until: way.until, reason: way.reason };
    }
  }
}

/** The way out; one that is a probe is this mail's alone. */
async function takeWayOut(tx: Tx, { row, now, relay, given }: Carrying): Promise<WayOut> {
  if (relay.downSince === null) return { kind: "relay", probe: false };
  const seqs = row.mime === null ? await withDeaths(tx, row, row.event_seqs ?? [], now) : row.event_seqs;
  const events = await readEvents(tx, { ...row, event_seqs: seqs });
  const leaving = leavingOf(
    { ...notificationOf(row), releasedAt: mightLeaveSince(row, relay.downSince, now) },
    events,
    given.hasFallback,
  );
  const way = wayOut(relay, leaving, now);
  if (way.kind !== "relay" || (await takeProbe(tx, relay, now))) return way;
  return wayOut(whileProbing(relay, now), leaving, now);
}

/**
 * Since when the mail might have been sent. What was held on purpose from now on, and what was owed while nobody was at
 * work from when the relay was found to be down: it had no other chance before.
 */
export function mightLeaveSince(row: OwedRow, downSince: Date, now: Date): Date {
  const { released_at: releasedAt, held_by: heldBy, created_at: createdAt } = row;
  if (releasedAt !== null) return releasedAt;
  if (heldBy !== null) return now;
  return createdAt > downSince ? createdAt : downSince;
}

/** What the mail tells of its own, and the mails given up of which its recipient has not heard. */
export async function withDeaths(tx: Tx, row: NotificationRow, own: readonly number[], now: Date): Promise<number[]> {
  return [...own, ...(await readUntoldDeaths(tx, row, now))].sort((a, b) => a - b);
}

/** Events of the watch that tell of mails given up, and that no mail has told this recipient. */
async function readUntoldDeaths(tx: Tx, { watch, recipient }: NotificationRow, now: Date): Promise<number[]> {
  if (watch === null) return [];
  const rows = await tx.$queryRaw<{ seq: number }[]>`
    SELECT seq FROM event e
    WHERE watch = ${watch} AND type = 'notification.dead'
      AND recorded_at > ${new Date(now.getTime() - DEATHS_TOLD_WITHIN_MS)}
      AND NOT EXISTS (
        SELECT 1 FROM notification n
        WHERE n.recipient = ${recipient} AND n.watch = ${watch} AND n.created_at >= e.recorded_at - interval '14 days'
          AND n.released_at IS NOT NULL AND n.event_seqs @> ARRAY[e.seq])
    ORDER BY seq`;
  return rows.map(({ seq }) => seq);
}

/** The mail is not tried any more, which its watches record. */
export async function giveUp(tx: Tx, id: string, at: Date, reason: string): Promise<void> {
  await tx.notification.update({ where: { id }, data: { state: "dead", reason, nextAttemptAt: null } });
  await recordDeath(tx, id, at, reason);
}
