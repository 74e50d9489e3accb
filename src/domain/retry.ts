/**
 * When to try a failed delivery again, and when for the last time.
 *
 * Pure: the caller brings the clock and the chance. Onward delivery is the relay's job
 * (RFC 5321 §4.5.4.1); this only bridges an outage of our own relay.
 */

const MINUTE_MS = 60_000;
const DELAYS_MS = [15_000, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS];
const HORIZON_MS = 5 * 24 * 60 * MINUTE_MS;
const SPREAD = 0.2;
/** So long before a mail is of no use any more the last attempt is made. */
const TO_BE_OF_USE_MS = MINUTE_MS;

/** For how long a mail is tried. */
export type Term = {
  /** Since when the mail might have been sent. */
  readonly owedSince: Date;
  /** When it is of no use any more; null where it always is. */
  readonly usefulUntil: Date | null;
};

/** When a mail is given up: five days after it might first have been sent. */
export function givenUpAt({ owedSince }: Pick<Term, "owedSince">): Date {
  return new Date(owedSince.getTime() + HORIZON_MS);
}

/** When the last attempt is due: as its five days end, or a minute before it is of no use any more. */
export function lastAttemptAt(term: Term): Date {
  const ofUse = term.usefulUntil === null ? Number.POSITIVE_INFINITY : term.usefulUntil.getTime() - TO_BE_OF_USE_MS;
  return new Date(Math.min(givenUpAt(term).getTime(), ofUse));
}

/**
 * When a mail is looked at again after a failed attempt; null to give up.
 *
 * One that failed at its last attempt and is of use for yet a moment is looked at when that is over.
 *
 * @param attempts already made, or probes; a positive integer
 * @param failedAt when the latest one failed
 * @param chance uniform in [0, 1); spreads the delay by ±20 %
 */
export function nextAttemptAt(attempts: number, failedAt: Date, term: Term, chance: number): Date | null {
  const last = lastAttemptAt(term);
  if (failedAt >= givenUpAt(term)) return null;
  if (failedAt >= last) return term.usefulUntil;
  return new Date(Math.min(failedAt.getTime() + delayMs(attempts, chance), last.getTime()));
}

/** The longest wait after so many failures, whatever the chance. */
export function longestDelayMs(failures: number): number {
  return failures === 0 ? 0 : delayMs(failures, 1);
}

/** How long to wait after so many failures. @see nextAttemptAt */
export function delayMs(failures: number, chance: number): number {
  const delay = DELAYS_MS[Math.min(failures, DELAYS_MS.length) - 1] ?? MINUTE_MS;
  return delay * (1 + SPREAD * (2 * chance - 1));
}
