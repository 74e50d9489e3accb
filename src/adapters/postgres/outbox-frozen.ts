/** What becomes of a mail that was made before, when its time has come again: as a rule the same bytes go out. */
import type { Released } from "../../app/store.ts";
import { isRelayTrouble, mayBeOfMail, type Outage } from "../../domain/relay.ts";
import type { Release } from "../../domain/release.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { NO_CONTENT, readContent, readEvents } from "./outbox-content.ts";
import { type Carrying, giveUp, leave } from "./outbox-leave.ts";
import type { OwedRow } from "./outbox-ordinary.ts";
import { notificationOf } from "./rows.ts";

type Tx = Prisma.TransactionClient;

/** Whether somebody may have got it already, so that only the same bytes may follow. */
export function mayBeRepeat({ state, maybe_accepted: maybeAccepted }: OwedRow): boolean {
  return maybeAccepted || state !== "pending";
}

/**
 * Whether the bytes that were kept go out as they are, whatever would be decided of a mail that is yet to be made.
 *
 * What was let through once is not held back, but it may be found to be moot; what a long outage held up also becomes
 * one with the others, and waits for the morning with them.
 */
export function staysFrozen({ created_at: createdAt }: OwedRow, { kind }: Release, outage: Outage | null): boolean {
  if (kind === "none") return false;
  const heldUp = outage !== null && createdAt <= outage.until;
  return !heldUp || kind === "send";
}

/** The bytes that were kept go out again, unless they are of no use any more. */
export async function sendFrozen(tx: Tx, carrying: Carrying): Promise<Released> {
  const { row, now, relay } = carrying;
  const notification = notificationOf(row);
  if (row.useful_until !== null && row.useful_until <= now) {
    const reason = `it was of no use any more after ${row.useful_until.toISOString()}`;
    await giveUp(tx, row.id, now, reason);
    return { kind: "given up", notification, reason };
  }
  // Whoever was sending it is gone, and nobody knows how far that came.
  const maybeAccepted = row.maybe_accepted || row.state === "sending";
  const releasedAt = row.released_at ?? now;
  const left = await leave(tx, carrying, async () => {
    // What it tells decides by which way it may go once the relay is down, and the attempt may be what finds that out.
    const content = relay.downSince === null ? NO_CONTENT : await readContent(tx, row);
    const events = relay.downSince === null ? await readEvents(tx, row) : content.events;
    const mime = Buffer.from(row.mime ?? []);
    const ownFailures = await countOwnFailures(tx, row);
    return { notification: { ...notification, maybeAccepted, releasedAt }, mime, ...content, events, ownFailures };
  });
  // After the relay's row, for which a receipt that holds it may be waiting with this one.
  if (maybeAccepted !== row.maybe_accepted || row.released_at === null) {
    await tx.notification.update({ where: { id: row.id }, data: { maybeAccepted, releasedAt } });
  }
  return left;
}

/** Since the mail was let through, or was asked to be tried anew. */
async function countOwnFailures(tx: Tx, { id, released_at: releasedAt }: OwedRow): Promise<number> {
  const failed = await tx.attempt.findMany({
    where: { notificationId: id, way: "smtp", outcome: "failed", startedAt: { gte: releasedAt ?? new Date(0) } },
    select: { cause: true, stage: true },
  });
  const ofMail = failed.filter(({ cause, stage }) => {
    if (cause === "stopped") return false;
    return !isRelayTrouble(cause ?? "") || mayBeOfMail({ cause: cause ?? "", stage });
  });
  return ofMail.length;
}
