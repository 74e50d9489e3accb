/** Outcomes of attempts, for tests that do not speak SMTP. */
import type { DeliveryOutcome } from "../../src/domain/delivery/attempt.ts";

const EXCHANGE = { stage: "answer", code: null, enhancedCode: null, queueId: null, durationMs: 1 } as const;

export function accepted(response = "250 queued"): DeliveryOutcome {
  return { ...EXCHANGE, code: 250, kind: "accepted", response };
}

export function refused(what: "recipient" | "message" = "recipient", error = "550 gone"): DeliveryOutcome {
  return { ...EXCHANGE, stage: "recipient", code: 550, kind: "refused", what, error };
}

export function failed(
  cause: Extract<DeliveryOutcome, { readonly kind: "failed" }>["cause"] = "temporary",
  error = "451 later",
): DeliveryOutcome {
  return { ...EXCHANGE, kind: "failed", cause, error };
}
