/** A mail in the outbox as the decisions about it see it, and when its time has come. */
import { elapsedMs } from "../elapsed.ts";
import type { Event } from "../event.ts";
import type { Notification } from "../notification.ts";

export type OutboxMail = {
  readonly notification: Notification;
  /** Whether it was made: what goes out are the bytes that are kept. */
  readonly isFrozen: boolean;
  readonly waitsForMailServer: boolean;
  readonly lastAttemptAt: Date | null;
  /** Its own, and those of the mails that it covers, by watch in the order of the chain. */
  readonly events: readonly Event[];
  /** The mails in whose place a summary is sent. */
  readonly covered: readonly Notification[];
  /** Attempts that failed since it was let through, for other reasons than the mail server's. */
  readonly ownFailures: number;
};

/** No attempt lasts so long, its wait for a connection included: whoever started it is gone. */
const LONGEST_ATTEMPT_MS = 15 * 60_000;

/** Whether the mail may be attempted now. @param takeOver whether the process that was sending it is gone */
export function isDue(mail: OutboxMail, now: Date, takeOver: boolean): boolean {
  const { state, nextAttemptAt } = mail.notification;
  if (state === "pending") return nextAttemptAt === null || nextAttemptAt <= now || wasClockSetBack(mail, now);
  if (state !== "sending") return false;
  return takeOver || elapsedMs(mail.lastAttemptAt, now) > LONGEST_ATTEMPT_MS;
}

/** Whether the clock was set back since the mail began to wait for its next attempt: it would wait for too long. */
function wasClockSetBack({ notification, waitsForMailServer, lastAttemptAt }: OutboxMail, now: Date): boolean {
  const isHeld = notification.heldBy !== null && notification.releasedAt === null;
  return !isHeld && !waitsForMailServer && (lastAttemptAt ?? notification.createdAt) > now;
}

/** Whether somebody may have received it already, so that only the same bytes may follow. */
export function mayBeRepeat({ state, maybeAccepted }: Notification): boolean {
  return maybeAccepted || state !== "pending";
}

/**
 * Since when the mail might have been sent: one that was held on purpose from now on, and one that was owed while no
 * process ran from when the mail server was found to be down. It had no other chance before.
 */
export function mightLeaveSince({ releasedAt, heldBy, createdAt }: Notification, downSince: Date, now: Date): Date {
  if (releasedAt !== null) return releasedAt;
  if (heldBy !== null) return now;
  return createdAt > downSince ? createdAt : downSince;
}

/** The watches that the mail tells of; null is all of them, as in a digest. */
export function watchesOf({ notification, covered }: OutboxMail): readonly string[] | null {
  if (notification.watch !== null) return [notification.watch];
  const watches = new Set(covered.flatMap(({ watch }) => watch ?? []));
  return watches.size === 0 ? null : [...watches];
}

/** By watch in the order in which those come, and by position in the chain; each once. */
export function inChainOrder(events: readonly Event[]): readonly Event[] {
  return [...Map.groupBy(events, ({ watch }) => watch).values()].flatMap((own) => {
    const bySeq = new Map(own.map((event) => [event.seq, event]));
    return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  });
}
