/**
 * Whether the mail server can be reached, and which mail finds out.
 *
 * While it cannot, one mail at a time probes it, on the schedule of retries; the others wait behind it. Where there is
 * a second way out, what cannot wait takes that.
 */
import { isFuture, LARGEST_SKEW_MS } from "./elapsed.ts";
import type { Event } from "./event.ts";
import { LAST_CHANCE } from "./expiry.ts";
import { type Notification, owedSinceOf } from "./notification.ts";
import { delayMs, givenUpAt, lastAttemptAt, type Term } from "./retry.ts";

export type RelayState = {
  /** Since when no mail got through for reasons of the relay; null while it is taken to be well. */
  readonly downSince: Date | null;
  /** Probes of the schedule that failed since. */
  readonly failures: number;
  /** When the next mail may probe; null while it is well. */
  readonly nextProbeAt: Date | null;
  /** Until when a mail that probes has time to come to its end; null where none does. */
  readonly probingUntil: Date | null;
  /** When it last failed; null while it is well. */
  readonly failedAt: Date | null;
  /** What it said, or what became of the connection; null while it is well. */
  readonly error: string | null;
  /** The last stretch in which it was down; null where there was none. */
  readonly lastOutage: Outage | null;
};

export type Outage = { readonly since: Date; readonly until: Date };

export const RELAY_WELL: RelayState = {
  downSince: null,
  failures: 0,
  nextProbeAt: null,
  probingUntil: null,
  failedAt: null,
  error: null,
  lastOutage: null,
};

/** A mail that is probing has so long to come to an end before another may. */
const PROBE_LEASE_MS = 3 * 60_000;
/** As a rule a probe is over by then: whoever waits for it looks again, and may be the next. */
const PROBED_AGAIN_MS = 60_000;
/** A mail looks at the clock before it waits for the lock under which another writes down that its probe failed. */
const WAITED_FOR_LOCK_MS = 60_000;
/** From here on what cannot wait takes the second way out. */
const FALLBACK_AFTER_MS = 30 * 60_000;
const HOUR_MS = 3_600_000;
/** After an outage of this length or more, each recipient gets one mail for all that it held up. */
const LONG_OUTAGE_MS = 6 * HOUR_MS;

/**
 * The state after a mail failed for reasons of the relay.
 *
 * @param ofMail whether they may be the mail's own: then the next one finds out soon
 * @param chance uniform in [0, 1)
 */
export function afterFailure(
  state: RelayState,
  { error, at, ofMail }: { readonly error: string; readonly at: Date; readonly ofMail: boolean },
  chance: number,
): RelayState {
  const failures = ofMail ? 1 : state.failures + 1;
  const nextProbeAt = new Date(at.getTime() + delayMs(failures, chance));
  return { ...state, downSince: state.downSince ?? at, failures, nextProbeAt, probingUntil: null, failedAt: at, error };
}

/** The state while a mail probes. */
export function whileProbing(state: RelayState, now: Date): RelayState {
  return { ...state, probingUntil: new Date(now.getTime() + PROBE_LEASE_MS) };
}

/** Whether a mail probes, or died of it within its time. */
function isProbed({ probingUntil }: RelayState, now: Date): boolean {
  // Another replica's clock may be somewhat ahead: two probes at a time are worse than one that waits for that long.
  if (probingUntil === null || now >= probingUntil) return false;
  return probingUntil.getTime() - now.getTime() <= PROBE_LEASE_MS + LARGEST_SKEW_MS;
}

/** Whether a mail may probe, none of which is at it. Long before the last one failed the clock was set back: no step is longer. */
function isProbeDue({ nextProbeAt, failedAt }: RelayState, now: Date): boolean {
  if (nextProbeAt === null) return false;
  return now >= nextProbeAt || (failedAt !== null && failedAt.getTime() - now.getTime() > WAITED_FOR_LOCK_MS);
}

/** The state after the relay answered a probe, whatever it said of the mail. */
export function afterContact(state: RelayState, at: Date): RelayState {
  const lastOutage = state.downSince === null ? state.lastOutage : { since: state.downSince, until: at };
  return { ...RELAY_WELL, lastOutage };
}

/** The last outage, where it was so long that what it held up is told in one mail; else null. */
export function longOutageOf({ lastOutage }: RelayState, now: Date): Outage | null {
  if (lastOutage === null || isFuture(lastOutage.until, now)) return null;
  return lastOutage.until.getTime() - lastOutage.since.getTime() >= LONG_OUTAGE_MS ? lastOutage : null;
}

/** Causes of a failure that another mail would have met too, some of them perhaps. */
const RELAY_TROUBLES: ReadonlySet<string> = new Set([
  ...["unreachable", "tls", "login", "sender", "policy", "quota", "server"],
  ...["relaying", "unclear"],
]);

/** Whether what went wrong would have gone wrong with any other mail too. */
export function isRelayTrouble(cause: string): boolean {
  return RELAY_TROUBLES.has(cause);
}

type Trouble = { readonly cause: string; readonly stage: string };

/**
 * Whether trouble of the relay may as well be the mail's own doing: the server had let us in, and hung up on this mail,
 * or said no when it knew more of it than its sender. Such a mail tries again after the others.
 *
 * @param stage how far the attempt came
 */
export function mayBeOfMail({ cause, stage }: Trouble): boolean {
  if (cause === "unreachable") return ["sender", "recipient", "data"].includes(stage);
  return isRelayTrouble(cause) && ["recipient", "data", "answer"].includes(stage);
}

/** Whether it is so likely the mail's own doing that another mail finds out soon, however often that fails. */
export function isLikelyOfMail(trouble: Trouble): boolean {
  return mayBeOfMail(trouble) && ["unreachable", "relaying", "unclear"].includes(trouble.cause);
}

/** How a mail may leave now. A probe has to be taken by one mail alone. */
export type WayOut =
  | { readonly kind: "relay"; readonly probe: boolean }
  | { readonly kind: "fallback" }
  | { readonly kind: "wait"; readonly until: Date; readonly reason: string }
  /** Five days are over, or will be before anything can be tried. */
  | { readonly kind: "give up"; readonly reason: string };

export type Leaving = Term & {
  /** Whether it must not wait for a relay that is down: see `cannotWait`. */
  readonly pressing: boolean;
  /** When the first of its invitations with a last chance ends; null where it tells of none. */
  readonly chanceUntil: Date | null;
  /** Whether there is a second way out. */
  readonly hasFallback: boolean;
};

/** What decides about the mail's way out. @param events that it tells */
export function leavingOf(notification: Notification, events: readonly Event[], hasFallback: boolean): Leaving {
  return {
    owedSince: owedSinceOf(notification),
    pressing: cannotWait(events),
    chanceUntil: chanceUntilOf(events),
    usefulUntil: notification.usefulUntil ?? usefulUntilOf(events),
    hasFallback,
  };
}

/** By which way the mail goes, or what it waits for. */
export function wayOut(relay: RelayState, mail: Leaving, now: Date): WayOut {
  const { downSince, nextProbeAt, failedAt } = relay;
  if (downSince === null || nextProbeAt === null) return { kind: "relay", probe: false };
  const [last, givesUp] = [lastAttemptAt(mail), givenUpAt(mail)];
  const probed = isProbed(relay, now);
  // At the end of its time a mail finds out for itself, unless another has just done so.
  const isLast = now >= last && (failedAt === null || failedAt < last);
  if (!probed && (isProbeDue(relay, now) || isLast)) return { kind: "relay", probe: true };
  if (now >= givesUp && mail.hasFallback) return { kind: "fallback" };
  if (!probed && now >= givesUp) {
    return { kind: "give up", reason: "the mail server could not be reached within five days" };
  }

  const since = isFuture(downSince, now) ? new Date(now.getTime() - FALLBACK_AFTER_MS) : downSince;
  const fallbackAt = mail.hasFallback && mail.pressing ? fallbackFrom(since, mail.chanceUntil) : null;
  if (fallbackAt !== null && now >= fallbackAt) return { kind: "fallback" };
  const probeOver = new Date(Math.min(relay.probingUntil?.getTime() ?? 0, now.getTime() + PROBED_AGAIN_MS));
  const probeAt = probed ? probeOver : nextProbeAt;
  const turns = [probeAt, last, givesUp, mail.usefulUntil, fallbackAt].filter((at) => at !== null && at > now);
  const until = new Date(Math.min(...turns.map(Number)));
  return { kind: "wait", until, reason: waitReason(downSince, relay.error) };
}

/** What a mail waits for that waits behind the relay. @param error what that said last, if anything */
export function waitReason(downSince: Date, error: string | null): string {
  return `waits for the mail server, down since ${downSince.toISOString()}: ${error ?? "no answer"}`;
}

/** When a mail that cannot wait takes the second way out: before a last chance is over, if that is sooner. */
function fallbackFrom(downSince: Date, chanceUntil: Date | null): Date {
  const patienceEndsAt = downSince.getTime() + FALLBACK_AFTER_MS;
  return new Date(Math.min(patienceEndsAt, (chanceUntil?.getTime() ?? Number.POSITIVE_INFINITY) - HOUR_MS));
}

/** Whether any of the events is of no use to somebody who hears of it when the relay is well again. */
export function cannotWait(events: readonly Event[]): boolean {
  return events.some(
    (event) => event.type === "watch.blind" || event.type === "notification.dead" || isLastChance(event),
  );
}

function isLastChance(event: Event): event is Extract<Event, { readonly type: "invite.expiring" }> {
  return event.type === "invite.expiring" && event.data.threshold === LAST_CHANCE;
}

/** Also of a mail that tells more than reminders, and so is always of some use. */
function chanceUntilOf(events: readonly Event[]): Date | null {
  const ends = events.filter(isLastChance).map(({ data }) => Date.parse(data.expiresAt));
  return ends.length === 0 ? null : new Date(Math.min(...ends));
}

/** When a mail that tells these events is of no use any more; null where somebody wants to know at any time. */
export function usefulUntilOf(events: readonly Event[]): Date | null {
  const ends = events.map((event) =>
    event.type === "invite.expiring" ? Date.parse(event.data.expiresAt) : Number.NaN,
  );
  const last = ends.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return Number.isFinite(last) ? new Date(last) : null;
}
