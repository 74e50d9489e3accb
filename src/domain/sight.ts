/**
 * Whether a watch has become blind, or sees again.
 *
 * Blind is a watch whose syncs fall short: twice running where the credential is refused, three times running or
 * for an hour where it is anything else, which may pass by itself.
 */
import { elapsedMs, isFuture } from "./elapsed.ts";
import type { EventDraft } from "./event.ts";
import type { Shortfall } from "./snapshot.ts";

const CREDENTIAL_SHORTFALLS = 2;
const SHORTFALLS = 3;
const PATIENCE_MS = 3_600_000;

/** What the ledger says of the watch's syncs before this one. */
export type Sight = {
  /** When the stretch began of which people were told; null while the watch is not known to be blind. */
  readonly blindSince: Date | null;
  /** When the last complete snapshot was taken; null before the first. */
  readonly completeAt: Date | null;
  /** When the first sync after it began that fell short; null where none did. */
  readonly firstShortfallAt: Date | null;
  /** Causes of the syncs after it that fell short, oldest first. */
  readonly causes: readonly Shortfall["cause"][];
  /** Of the last of them, in a sentence; null where there is none. */
  readonly lastReason: string | null;
};

/** A sync as far as it bears on sight. */
export type Look = { readonly takenAt: Date; readonly shortfall: Shortfall | null };

/** A stretch without a complete snapshot; `until` is null while it lasts. */
export type BlindStretch = { readonly since: Date; readonly until: Date | null };

/** The stretch to tell people of now, or null: that it began, or that it is over. */
export function tellableStretch(sight: Sight, { takenAt, shortfall }: Look, now: Date): BlindStretch | null {
  // A stretch never begins after its end, whatever the clock was set to meanwhile.
  const notLater = (since: Date) => (since > takenAt ? takenAt : since);
  if (shortfall === null) {
    return sight.blindSince === null ? null : { since: notLater(sight.blindSince), until: takenAt };
  }
  if (sight.blindSince !== null) return null;
  const causes = [...sight.causes, shortfall.cause];
  const firstAt = sight.firstShortfallAt ?? takenAt;
  const isCredential = causes.slice(-CREDENTIAL_SHORTFALLS).every((cause) => cause === "credential");
  const isBlind =
    causes.length >= SHORTFALLS ||
    (causes.length >= CREDENTIAL_SHORTFALLS && isCredential) ||
    (!isFuture(firstAt, now) && elapsedMs(firstAt, now) >= PATIENCE_MS);
  return isBlind ? { since: notLater(sight.completeAt ?? firstAt), until: null } : null;
}

/**
 * The event that tells people of the stretch.
 *
 * @param reason why syncs fall short, or fell short at last
 * @param atRisk ids of invites that end inside it, the first to end first
 */
export function sightEvent(
  { since, until }: BlindStretch,
  { takenAt, reason, atRisk }: { takenAt: Date; reason: string; atRisk: readonly string[] },
): EventDraft<"watch.blind" | "watch.recovered"> {
  const common = { inviteId: null, occurredAt: takenAt };
  const data = { reason, since: since.toISOString(), atRisk };
  return until === null
    ? { type: "watch.blind", ...common, data: { ...data, until } }
    : { type: "watch.recovered", ...common, data: { ...data, until: until.toISOString() } };
}
