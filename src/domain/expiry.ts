/**
 * When an invite's end deserves an alert.
 *
 * A threshold is a lead before the end. What was alerted is remembered as the smallest lead so far,
 * so that a threshold fires once, a more urgent one still fires after it, and a later end re-arms all.
 */
import { LARGEST_SKEW_MS } from "./elapsed.ts";
import type { Invite } from "./invite.ts";

export type Threshold =
  | { readonly kind: "lead" /** As configured: "24h". */; readonly name: string; readonly ms: number }
  | {
      readonly kind: "share" /** As configured: "25%". */;
      readonly name: string /** Above 0, below 1. */;
      readonly share: number;
    };

/** What the clock rules need to know of a watch. */
export type ExpiryRules = {
  readonly thresholds: readonly Threshold[];
  /** The longest stretch between two syncs, in ms. */
  readonly intervalMs: number;
};

export const LAST_CHANCE = "last-chance";

const HOUR_MS = 3_600_000;

type Ending = Pick<Invite, "expiresAt" | "invitedAt" | "firstSeenAt">;
type Lead = { readonly name: string; readonly ms: number };

/** Lead of the last-chance alert in ms: two syncs before the end, and an hour at the least. */
export function lastChanceLeadMs(intervalMs: number): number {
  return Math.max(2 * intervalMs, HOUR_MS);
}

/** Whether the clock has passed the invite's end. An invite without an end never ends by the clock. */
export function hasEnded(invite: Pick<Invite, "expiresAt">, now: Date): boolean {
  return invite.expiresAt !== null && invite.expiresAt <= now;
}

/** The alert that is due, or null. */
export type DueAlert = {
  readonly threshold: string;
  /** Of the alert's threshold; the invite's next `alertedLeadMs`. */
  readonly leadMs: number;
  /** Less urgent thresholds crossed at the same time, least urgent first. */
  readonly covers: readonly string[];
  /** When the threshold was crossed; not before the invite began. */
  readonly crossedAt: Date;
};

/**
 * The most urgent threshold that was crossed and not yet alerted, or null.
 *
 * Null after the end, and while every crossed threshold is less urgent than what was alerted.
 * A share is of the invite's own lifetime: from `invitedAt`, or where that is unknown from when it was first seen.
 */
export function dueAlert(
  invite: Ending & Pick<Invite, "alertedLeadMs">,
  rules: ExpiryRules,
  now: Date,
): DueAlert | null {
  if (invite.expiresAt === null || hasEnded(invite, now)) return null;
  const end = invite.expiresAt.getTime();
  const begin = (invite.invitedAt ?? invite.firstSeenAt).getTime();
  const remainingMs = end - now.getTime();
  const alerted = isAlertedTooSoon(invite, now) ? null : invite.alertedLeadMs;

  const crossed = leadsOf(rules, Math.max(0, end - begin)).filter(
    (lead) => lead.ms >= remainingMs && lead.ms < (alerted ?? Number.POSITIVE_INFINITY),
  );
  const [mostUrgent, ...covered] = crossed;
  if (mostUrgent === undefined) return null;
  return {
    threshold: mostUrgent.name,
    leadMs: mostUrgent.ms,
    covers: covered.map((lead) => lead.name).reverse(),
    crossedAt: new Date(Math.max(end - mostUrgent.ms, Math.min(begin, now.getTime()))),
  };
}

/** Whether an alert is more urgent than the time that is left: a clock that ran ahead gave it, and it counts for nothing. */
export function isAlertedTooSoon(
  { expiresAt, alertedLeadMs }: Pick<Invite, "expiresAt" | "alertedLeadMs">,
  now: Date,
): boolean {
  if (expiresAt === null || alertedLeadMs === null) return false;
  return expiresAt.getTime() - now.getTime() - LARGEST_SKEW_MS > alertedLeadMs;
}

/** Every lead for an invite of this lifetime, most urgent first. Of equal ones the last chance speaks. */
function leadsOf(rules: ExpiryRules, lifetimeMs: number): readonly Lead[] {
  const leads: Lead[] = [
    { name: LAST_CHANCE, ms: lastChanceLeadMs(rules.intervalMs) },
    ...rules.thresholds.map((threshold) => ({
      name: threshold.name,
      ms: threshold.kind === "lead" ? threshold.ms : Math.round(threshold.share * lifetimeMs),
    })),
  ];
  return leads.sort((a, b) => a.ms - b.ms);
}
