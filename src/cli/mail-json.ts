/** Mails and their attempts in their public form. */
import type { DeliveryAttempt, Mail } from "../app/explain.ts";
import type { Notification } from "../domain/notification.ts";
import type { JsonRow } from "./format.ts";

/** As lists have it. */
export function notificationJson(notification: Notification): JsonRow {
  return {
    id: notification.id,
    watch: notification.watch,
    recipient: notification.recipient,
    kind: notification.kind,
    subject: notification.subject,
    messageId: notification.messageId,
    state: notification.state,
    reason: notification.reason,
    attempts: notification.attempts,
    createdAt: notification.createdAt.toISOString(),
    deliveredAt: notification.deliveredAt?.toISOString() ?? null,
    response: notification.response,
    error: notification.error,
    eventSeqs: notification.eventSeqs,
  };
}

/** The same with what decided about it, where a mail is told by itself or as part of a story. */
export function mailJson(mail: Mail): JsonRow {
  return {
    ...notificationJson(mail),
    syncId: mail.syncId,
    rules: mail.rules,
    heldBy: mail.heldBy,
    coveredBy: mail.coveredBy,
    releasedAt: mail.releasedAt?.toISOString() ?? null,
    usefulUntil: mail.usefulUntil?.toISOString() ?? null,
    nextAttemptAt: mail.nextAttemptAt?.toISOString() ?? null,
    lastAttemptAt: mail.lastAttemptAt?.toISOString() ?? null,
  };
}

export function attemptJson({ startedAt, ...rest }: DeliveryAttempt): JsonRow {
  return { ...rest, startedAt: startedAt.toISOString() };
}
