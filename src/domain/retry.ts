/**
 * When to try a failed delivery again.
 *
 * Pure: the caller brings the clock and the chance. Onward delivery is the relay's job
 * (RFC 5321 §4.5.4.1); this only bridges an outage of our own relay.
 */

const MINUTE_MS = 60_000;
const DELAYS_MS = [15_000, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS];
export const HORIZON_MS = 5 * 24 * 60 * MINUTE_MS;
const SPREAD = 0.2;

/**
 * Instant of the next attempt, or null to give up: five days after the mail might first be sent.
 *
 * @param attempts attempts already made; a positive integer
 * @param failedAt when the latest one failed
 * @param owedSince when the mail might first be sent
 * @param chance uniform in [0, 1); spreads the delay by ±20 %
 */
export function nextAttemptAt(attempts: number, failedAt: Date, owedSince: Date, chance: number): Date | null {
  const delayMs = DELAYS_MS[Math.min(attempts, DELAYS_MS.length) - 1] ?? MINUTE_MS;
  const next = failedAt.getTime() + delayMs * (1 + SPREAD * (2 * chance - 1));
  return next > owedSince.getTime() + HORIZON_MS ? null : new Date(next);
}
