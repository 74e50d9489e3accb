/** What people decide about mails that are owed or were given up: that they are tried again now, or not at all. */
import type { EventDraft } from "../domain/event.ts";
import type { Clock } from "./ports.ts";
import type { ListedMail } from "./queries.ts";

/** What is done to some mails, and the event that tells it: one for each watch that they tell of. */
export type MailChange = {
  readonly mails: readonly ListedMail[];
  readonly at: Date;
  readonly event: (notificationIds: readonly string[]) => EventDraft;
} & ({ readonly kind: "retry" } | { readonly kind: "discard"; readonly reason: string });

/** Every method rejects with DatabaseError where the database fails. */
export type MailDecisionStore = {
  /**
   * Mails with this id or Message-ID (in angle brackets or not), or else those whose id begins so, newest first; at
   * most so many.
   */
  mailsNamed(text: string, limit: number): Promise<readonly ListedMail[]>;
  /** Ids of the mails that were given up. */
  deadMails(): Promise<readonly string[]>;
  /**
   * Reads the mails under their recipients' locks, oldest first, and does what is decided with events and queue jobs,
   * in one transaction; the mails as they were before.
   *
   * @param decide pure; null where nothing is to be done
   */
  changeMails(
    ids: readonly string[],
    decide: (mails: readonly ListedMail[]) => MailChange | null,
  ): Promise<readonly ListedMail[]>;
  /**
   * Where the mail server is down, lets the next mail find out whether it is well again; since when it is down.
   *
   * A probe that comes early is none of the schedule: where it fails, the delay before the next one is the one that was
   * in force.
   */
  probeSoon(at: Date): Promise<Date | null>;
};

type Ports = { readonly store: MailDecisionStore; readonly clock: Clock };

/** Why nothing can be done to a mail. */
export type Obstacle = "sending" | "delivered" | "covered" | "cancelled";

export type Refused = { readonly mail: ListedMail; readonly obstacle: Obstacle };

/** Where any mail was refused, nothing was done to any of them. */
export type Decided = {
  /** As they were before. */
  readonly mails: readonly ListedMail[];
  readonly refused: readonly Refused[];
};

/** Makes the mails due now, with five more days to succeed; frozen ones keep their bytes. */
export async function retryMails(
  ids: readonly string[],
  by: string,
  { store, clock }: Ports,
): Promise<Decided & { readonly relayDownSince: Date | null }> {
  const at = clock.now();
  const judged = await store.changeMails(ids, () => null);
  if (refusedOf(judged).length > 0) return { mails: judged, refused: refusedOf(judged), relayDownSince: null };
  // Before the mails are due, or one that is looked at at once would wait for the probe as it was planned. On its own:
  // the lock on that row is never waited for with others in hand.
  const relayDownSince = await store.probeSoon(at);
  const found = await store.changeMails(ids, (mails) => (refusedOf(mails).length > 0 ? null : retry(mails, by, at)));
  return { mails: found, refused: refusedOf(found), relayDownSince };
}

/** The same for every mail that was given up; the mails as they were before. */
export async function retryAllDead(
  by: string,
  { store, clock }: Ports,
): Promise<{ readonly mails: readonly ListedMail[]; readonly relayDownSince: Date | null }> {
  const at = clock.now();
  const ids = await store.deadMails();
  if (ids.length === 0) return { mails: [], relayDownSince: null };
  const relayDownSince = await store.probeSoon(at);
  // Somebody else may have decided about some of them meanwhile.
  const found = await store.changeMails(ids, (mails) => retry(mails.filter(isDead), by, at));
  return { mails: found.filter(isDead), relayDownSince };
}

/** Gives the mails up for good: they are never sent. */
export async function discardMails(
  ids: readonly string[],
  { by, reason }: { readonly by: string; readonly reason: string },
  { store, clock }: Ports,
): Promise<Decided> {
  const at = clock.now();
  const found = await store.changeMails(ids, (mails) =>
    refusedOf(mails).length > 0
      ? null
      : {
          kind: "discard",
          mails,
          at,
          reason: `discarded by ${by}: ${reason}`,
          event: (notificationIds) => ({
            type: "notification.discarded",
            inviteId: null,
            occurredAt: at,
            data: { by, reason, notificationIds },
          }),
        },
  );
  return { mails: found, refused: refusedOf(found) };
}

function retry(mails: readonly ListedMail[], by: string, at: Date): MailChange {
  return {
    kind: "retry",
    mails,
    at,
    event: (notificationIds) => ({
      type: "notification.retried",
      inviteId: null,
      occurredAt: at,
      data: { by, reason: null, notificationIds },
    }),
  };
}

function isDead({ state }: ListedMail): boolean {
  return state === "dead";
}

function refusedOf(mails: readonly ListedMail[]): readonly Refused[] {
  return mails.flatMap((mail) => {
    const obstacle = obstacleTo(mail);
    return obstacle === null ? [] : [{ mail, obstacle }];
  });
}

function obstacleTo({ state, coveredBy }: ListedMail): Obstacle | null {
  switch (state) {
    case "pending":
    case "dead":
      return null;
    case "cancelled":
      return coveredBy === null ? "cancelled" : "covered";
    case "sending":
    case "delivered":
      return state;
  }
}

/** Whether the mail waits on purpose, until a time: when it goes is decided by rules that a retry does not set aside. */
export function isHeld(mail: ListedMail, now: Date): boolean {
  const { state, heldBy, releasedAt, waitsForRelay, nextAttemptAt } = mail;
  if (state !== "pending" || heldBy === null || releasedAt !== null || waitsForRelay) return false;
  return nextAttemptAt !== null && nextAttemptAt > now;
}
