/** The attempts at a mail, in words: when, by which way, how far each came and what was said. */
import type { DeliveryAttempt, Mail } from "../app/explain.ts";
import type { Zone } from "./zone.ts";

const WAYS: Readonly<Record<DeliveryAttempt["way"], string>> = {
  smtp: "",
  "fallback-smtp": " by the second mail server",
  "fallback-webhook": " by the webhook",
};

/**
 * A title and a line for each attempt at the mail, oldest first.
 *
 * Where a process did not live to write down how one ended, that is told.
 */
export function attemptFacts({ state, attempts, deliveryAttempts }: Mail, zone: Zone): [title: string, text: string][] {
  // Mails that were tried before attempts were recorded have none.
  if (deliveryAttempts.length === 0) return [];
  return Array.from({ length: attempts }, (_, index) => {
    const number = index + 1;
    const attempt = deliveryAttempts.find((one) => one.number === number);
    const open = state === "sending" && number === attempts;
    const lost = open ? "is under way" : "nobody knows how it ended: it has no record";
    return [`attempt ${number}`, attempt === undefined ? lost : attemptText(attempt, zone)];
  });
}

function attemptText(attempt: DeliveryAttempt, zone: Zone): string {
  const { startedAt, durationMs, way, stage, outcome, cause, code, enhancedCode, queueId, said } = attempt;
  const how = outcome === "accepted" ? "accepted" : `${outcome}${cause === null ? "" : ` (${cause})`} at ${stage}`;
  // Most answers say their codes and the queue id themselves.
  const codes = [code, enhancedCode].filter((one) => one !== null && !said.includes(String(one)));
  const queued = queueId === null || said.includes(queueId) ? "" : `, queued as ${queueId}`;
  const seconds = `${(durationMs / 1000).toFixed(1)} s`;
  return `${zone.show(startedAt)}, ${seconds}: ${how}${WAYS[way]}${queued}: ${[...codes, said].join(" ")}`;
}
