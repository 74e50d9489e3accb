/**
 * One attempt to deliver one mail: render once, freeze, send, write the receipt.
 *
 * The bytes are kept before the first attempt, so that every attempt sends the same ones.
 */

import type { Notification } from "../domain/notification.ts";
import { nextAttemptAt } from "../domain/retry.ts";
import { renderMail } from "../mail/render.ts";
import type { MailInput } from "../mail/view.ts";
import type { Clock, DeliveryOutcome, MailTransport } from "./ports.ts";
import type { OutboxStore, OwedMail, Receipt } from "./store.ts";

export type DeliverPorts = {
  readonly outbox: OutboxStore;
  readonly transport: MailTransport;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
};

/** How mails are made: whom they come from, and what a watch's times are shown in. */
export type MailSettings = {
  readonly from: string;
  readonly publicUrl: string | null;
  readonly timezoneOf: (watch: string) => string;
};

/** What an attempt came to. `idle`: the mail is not owed, or not yet due. */
export type Attempt =
  | { readonly kind: "idle" }
  | {
      readonly kind: "attempted";
      readonly notification: Notification;
      readonly outcome: DeliveryOutcome;
      readonly receipt: Receipt;
    };

/** Tries the mail, if it is owed and due, and writes the receipt. Rejects only where the database fails. */
export async function deliver(notificationId: string, settings: MailSettings, ports: DeliverPorts): Promise<Attempt> {
  const { outbox, transport, clock } = ports;
  const owed = await outbox.load(notificationId);
  if (owed === null || !isDue(owed.notification, clock.now())) return { kind: "idle" };
  const mime = owed.mime ?? (await freeze(owed, settings, ports));
  if (!(await outbox.begin(notificationId, clock.now()))) return { kind: "idle" };

  const outcome = await transport.send(mime, { from: settings.from, to: owed.notification.recipient });
  const receipt = receiptOf(outcome, { ...owed.notification, attempts: owed.notification.attempts + 1 }, ports);
  await outbox.receive(notificationId, receipt);
  return { kind: "attempted", notification: owed.notification, outcome, receipt };
}

/** The mail as rendered from what is owed. */
export function renderOwed(owed: OwedMail, settings: MailSettings, now: Date) {
  const { notification, events, invites, chainHead } = owed;
  const input: MailInput = {
    watch: notification.watch,
    kind: notification.kind as MailInput["kind"],
    timezone: settings.timezoneOf(notification.watch),
    now,
    recipient: notification.recipient,
    from: settings.from,
    events,
    invites,
    chainHead,
    publicUrl: settings.publicUrl,
  };
  return renderMail(input);
}

/** A mail that was being sent when its process died is due; one that waits for its next attempt is not. */
function isDue(notification: Notification, now: Date): boolean {
  if (notification.state === "sending") return true;
  return notification.state === "pending" && (notification.nextAttemptAt === null || notification.nextAttemptAt <= now);
}

async function freeze(
  owed: OwedMail,
  settings: MailSettings,
  { outbox, transport, clock }: DeliverPorts,
): Promise<Buffer> {
  const { id, messageId, recipient } = owed.notification;
  const now = clock.now();
  const rendered = renderOwed(owed, settings, now);
  const mime = await transport.compose({ ...rendered, messageId, from: settings.from, to: recipient, date: now });
  return outbox.freeze(id, { subject: rendered.subject, mime });
}

function receiptOf(
  outcome: DeliveryOutcome,
  { attempts, createdAt }: Notification,
  { clock, chance }: DeliverPorts,
): Receipt {
  const at = clock.now();
  switch (outcome.kind) {
    case "accepted":
      return { state: "delivered", at, response: outcome.response };
    case "refused":
      return { state: "dead", at, error: outcome.error, reason: "the mail server refused it for good" };
    case "failed": {
      const next = nextAttemptAt(attempts, at, createdAt, chance());
      if (next !== null) return { state: "pending", error: outcome.error, nextAttemptAt: next };
      return { state: "dead", at, error: outcome.error, reason: "no attempt succeeded within five days" };
    }
  }
}
