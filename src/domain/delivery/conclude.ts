/** What comes of attempts that have ended: the receipts of their mails, and what they say of the mail server. */
import {
  afterContact,
  afterFailure,
  isLikelyOfMail,
  isRelayTrouble,
  type Leaving,
  leavingOf,
  mayBeOfMail,
  type RelayState,
  wayOut,
} from "../relay.ts";
import { nextAttemptAt } from "../retry.ts";
import type { Attempted, Receipt } from "./attempt.ts";
import type { Way } from "./dispatch.ts";
import type { OutboxMail } from "./outbox-mail.ts";

/** Another mail has reached the mail server meanwhile, or is to: this one tries it soon after. */
const AGAIN_AFTER_MS = 15_000;

/** A mail, and the attempts that were made to send it: one, or the last one and those by other ways that it followed. */
export type SentMail = {
  readonly mail: Pick<OutboxMail, "notification" | "events" | "ownFailures">;
  readonly way: Way;
  readonly attempts: readonly [...Attempted[], Attempted];
};

/** @property isOvertaken whether another attempt has started since: then it says nothing of the mail server as it is now */
export type EndedAttempt = SentMail & { readonly isOvertaken: boolean };

export type Conclusion = {
  /** Null where it is another attempt's to say what becomes of the mail. */
  readonly receipt: Receipt | null;
  /** Its state from now on; null where the attempts say nothing new of it. */
  readonly mailServer: RelayState | null;
};

export type ConclusionRules = {
  readonly at: Date;
  /** Whether there is a second way out. */
  readonly hasFallback: boolean;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
};

/** Whether the receipt follows from the attempt alone, whatever is known of the mail server. */
export function isPlainlyAccepted({ way, attempts }: SentMail): boolean {
  const isProbe = way.kind === "relay" && way.probe;
  return !isProbe && attempts.length === 1 && lastOf(attempts).outcome.kind === "accepted";
}

/** One for each of the mails, which are looked at in their order: what one says of the mail server counts for the next. */
export function concludeAll(
  ended: readonly EndedAttempt[],
  mailServer: RelayState,
  rules: ConclusionRules,
): readonly Conclusion[] {
  let current = mailServer;
  return ended.map((one) => {
    const now = one.isOvertaken ? null : mailServerAfter(one, current, rules);
    current = now ?? current;
    return { receipt: receiptOf(one, current, rules), mailServer: now };
  });
}

/** What an attempt says of the mail server; null where that is nothing new. Only a probe finds out that it is well again. */
function mailServerAfter({ way, attempts }: SentMail, state: RelayState, rules: ConclusionRules): RelayState | null {
  const [{ outcome, startedAt }] = attempts as readonly [Attempted];
  if (way.kind === "fallback") return null;
  const inTrouble = outcome.kind === "failed" && isRelayTrouble(outcome.cause);
  if (!inTrouble && !way.probe) return null;
  // Nothing was found out: the next mail may do so at once.
  if (outcome.kind === "failed" && outcome.cause === "stopped") return { ...state, probingUntil: null };
  if (!inTrouble) return afterContact(state, rules.at);
  if (!way.probe) {
    // Of several mails that were under way when it went down, the first counts.
    if (state.downSince !== null) return null;
    // It has come back since this one started.
    const backAt = state.lastOutage?.until ?? startedAt;
    if (startedAt < backAt && backAt <= rules.at) return null;
  }
  return afterFailure(state, { error: outcome.error, at: rules.at, ofMail: isLikelyOfMail(outcome) }, rules.chance());
}

function receiptOf({ mail, attempts }: SentMail, mailServer: RelayState, rules: ConclusionRules): Receipt {
  const { at, chance, hasFallback } = rules;
  const last = lastOf(attempts);
  const { way, outcome } = last;
  if (outcome.kind === "accepted") return { state: "delivered", at, response: outcome.response };
  const error = errorOf(attempts);
  const byFallback = way !== "smtp";
  if (outcome.kind === "refused" && !byFallback) {
    // Who refused what is told by the error, beside which this stands.
    return { state: "dead", at, error, reason: "refused for good" };
  }
  // Whoever goes on where we were told to stop sends it at once.
  if (outcome.kind === "failed" && outcome.cause === "stopped" && !byFallback) {
    return { state: "pending", error, nextAttemptAt: at, waitsForRelay: false };
  }
  const leaving = leavingOf(mail.notification, mail.events, !byFallback && hasFallback);
  const ofServer = !byFallback && outcome.kind === "failed" && isRelayTrouble(outcome.cause) ? outcome : null;
  const ofMail = nextAttemptAt(mail.ownFailures + 1, at, leaving, chance());
  const next = byFallback || ofServer !== null ? behindMailServer(mailServer, leaving, at) : ofMail;
  if (next === null) return { state: "dead", at, error, reason: "no attempt succeeded within five days" };
  if (ofServer !== null && mayBeOfMail(ofServer) && next > at) {
    // Were it always the first to try again, and woken with the others, no other mail would ever get through.
    const afterOthers = Math.max(next.getTime() + AGAIN_AFTER_MS, ofMail?.getTime() ?? 0);
    return { state: "pending", error, nextAttemptAt: new Date(afterOthers), waitsForRelay: false };
  }
  const waits = byFallback || ofServer !== null;
  // It was to wait for a mail server that is well again meanwhile.
  if (waits && mailServer.downSince === null) {
    const endedAt = new Date(last.startedAt.getTime() + outcome.durationMs);
    return { state: "pending", error, nextAttemptAt: endedAt, waitsForRelay: false };
  }
  return { state: "pending", error, nextAttemptAt: next, waitsForRelay: waits };
}

/** What went wrong; of several ways with each. */
function errorOf(attempts: readonly Attempted[]): string {
  const errors = attempts.flatMap(({ way, outcome }) => (outcome.kind === "accepted" ? [] : [{ way, ...outcome }]));
  if (errors.length === 1) return errors[0]?.error ?? "";
  return errors.map(({ way, error }) => `${way.replace("fallback-", "")}: ${error}`).join("; ");
}

/** When a mail that could not leave may try again, by whatever way; null where its time is over. */
function behindMailServer(mailServer: RelayState, leaving: Leaving, at: Date): Date | null {
  const way = wayOut(mailServer, leaving, at);
  switch (way.kind) {
    case "give up":
      return null;
    case "wait":
      return way.until;
    case "fallback":
      return at;
    case "relay":
      return new Date(at.getTime() + AGAIN_AFTER_MS);
  }
}

function lastOf(attempts: readonly [...Attempted[], Attempted]): Attempted {
  return attempts.at(-1) as Attempted;
}
