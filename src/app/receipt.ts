/** What comes of an attempt: the receipt of its mail, and what it says of the relay. */
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
} from "../domain/relay.ts";
import { nextAttemptAt } from "../domain/retry.ts";
import type { Attempt, DeliverPorts } from "./delivery-ports.ts";
import type { Attempted, OwedMail, Receipt, Way } from "./store.ts";

/** Another mail has reached the relay meanwhile, or is to: this one tries it soon after. */
const AGAIN_AFTER_MS = 15_000;

/** Writes the receipt, and what the attempts say of the relay. @param attempts at least one; the last one decides */
export async function conclude(
  attempts: readonly Attempted[],
  { owed, way }: { readonly owed: OwedMail; readonly way: Way },
  ports: DeliverPorts,
): Promise<Extract<Attempt, { readonly kind: "attempted" }>> {
  const { notification } = owed;
  const relay = await relayAfter(attempts, way, ports);
  const receipt = await receiptOf(attempts, owed, relay, ports);
  const counts = await ports.outbox.receive(notification.id, receipt, attempts, relay);
  const told = counts ? { receipt, relay } : { receipt: null, relay: null };
  return { kind: "attempted", notification, attempts, ...told };
}

/** What an attempt says of the relay; null where it says nothing new. Only a probe finds out that it is well again. */
async function relayAfter(
  [first]: readonly Attempted[],
  way: Way,
  { outbox, clock, chance }: DeliverPorts,
): Promise<RelayState | null> {
  if (way.kind === "fallback" || first === undefined) return null;
  const { outcome } = first;
  const inTrouble = outcome.kind === "failed" && isRelayTrouble(outcome.cause);
  if (!inTrouble && !way.probe) return null;
  const state = await outbox.relay();
  // Nothing was found out: the next mail may do so at once.
  if (outcome.kind === "failed" && outcome.cause === "stopped") return { ...state, probingUntil: null };
  if (!inTrouble) return afterContact(state, clock.now());
  // Of several mails that were under way when it went down, the first counts.
  if (!way.probe && state.downSince !== null) return null;
  return afterFailure(state, { error: outcome.error, at: clock.now(), ofMail: isLikelyOfMail(outcome) }, chance());
}

async function receiptOf(
  attempts: readonly Attempted[],
  { notification, events, ownFailures }: OwedMail,
  relayNow: RelayState | null,
  { outbox, clock, chance, fallbacks }: DeliverPorts,
): Promise<Receipt> {
  const at = clock.now();
  const { way, outcome } = attempts.at(-1) as Attempted;
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
  const leaving = leavingOf(notification, events, !byFallback && fallbacks.length > 0);
  const ofRelay = !byFallback && outcome.kind === "failed" && isRelayTrouble(outcome.cause) ? outcome : null;
  const ofMail = nextAttemptAt(ownFailures + 1, at, leaving, chance());
  const next = byFallback || ofRelay !== null ? behindRelay(relayNow ?? (await outbox.relay()), leaving, at) : ofMail;
  if (next === null) return { state: "dead", at, error, reason: "no attempt succeeded within five days" };
  if (ofRelay !== null && mayBeOfMail(ofRelay) && next > at) {
    // Were it always the first to try again, and woken with the others, no other mail would ever get through.
    const afterOthers = Math.max(next.getTime() + AGAIN_AFTER_MS, ofMail?.getTime() ?? 0);
    return { state: "pending", error, nextAttemptAt: new Date(afterOthers), waitsForRelay: false };
  }
  return { state: "pending", error, nextAttemptAt: next, waitsForRelay: byFallback || ofRelay !== null };
}

/** What went wrong; of several ways with each. */
function errorOf(attempts: readonly Attempted[]): string {
  const errors = attempts.flatMap(({ way, outcome }) => (outcome.kind === "accepted" ? [] : [{ way, ...outcome }]));
  if (errors.length === 1) return errors[0]?.error ?? "";
  return errors.map(({ way, error }) => `${way.replace("fallback-", "")}: ${error}`).join("; ");
}

/** When a mail that could not leave may try again, by whatever way; null where its time is over. */
function behindRelay(relay: RelayState, leaving: Leaving, at: Date): Date | null {
  const way = wayOut(relay, leaving, at);
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
