/**
 * One attempt to deliver one mail: let it through, render once, freeze, send, write the receipt.
 *
 * The bytes are kept before the first attempt, so that every attempt sends the same ones.
 */
import type { HoldCause } from "../domain/hold.ts";
import type { Notification } from "../domain/notification.ts";
import type { QuietHours } from "../domain/quiet-hours.ts";
import { releaseOf } from "../domain/release.ts";
import { nextAttemptAt } from "../domain/retry.ts";
import { renderMail } from "../mail/render.ts";
import type { MailInput } from "../mail/view.ts";
import type { Clock, DeliveryOutcome, MailTransport } from "./ports.ts";
import type { OutboxStore, OwedMail, Receipt, Released } from "./store.ts";

export type DeliverPorts = {
  readonly outbox: OutboxStore;
  readonly transport: MailTransport;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
  readonly newId: () => string;
};

/** How mails are made and when they may go: the same for all watches but for what is asked by name. */
export type MailSettings = {
  readonly from: string;
  readonly publicUrl: string | null;
  /** Zone of the times shown; of a mail of several watches where the name is null. */
  readonly timezoneOf: (watch: string | null) => string;
  readonly quietHoursOf: (watch: string) => QuietHours | null;
  /** Mails per recipient and hour. */
  readonly floodCap: number;
  /** The stable Message-ID of a notification, without angle brackets. */
  readonly messageId: (notificationId: string, recipient: string) => string;
};

/** What came of a mail whose time had come: it was attempted, or there is a reason why not. */
export type Attempt =
  | Exclude<Released, { readonly kind: "send" }>
  | {
      readonly kind: "attempted";
      readonly notification: Notification;
      readonly outcome: DeliveryOutcome;
      readonly receipt: Receipt;
    };

/** Tries the mail, if it is owed and its time has come, and writes the receipt. Rejects only where the database fails. */
export async function deliver(notificationId: string, settings: MailSettings, ports: DeliverPorts): Promise<Attempt> {
  const { outbox, transport, clock } = ports;
  const released = await release(notificationId, settings, ports);
  if (released.kind !== "send") return released;
  const { owed } = released;
  const mime = owed.mime ?? (await freeze(owed, settings, ports));
  if (!(await outbox.begin(notificationId, clock.now()))) return { kind: "idle" };

  const outcome = await transport.send(mime, { from: settings.from, to: owed.notification.recipient });
  const receipt = receiptOf(outcome, { ...owed.notification, attempts: owed.notification.attempts + 1 }, ports);
  await outbox.receive(notificationId, receipt);
  return { kind: "attempted", notification: owed.notification, outcome, receipt };
}

/** What becomes of the mail, now that its time has come. */
function release(id: string, settings: MailSettings, { outbox, clock, newId }: DeliverPorts): Promise<Released> {
  const now = clock.now();
  const { quietHoursOf, floodCap, messageId } = settings;
  return outbox.release(
    id,
    now,
    (question) => releaseOf({ ...question, quietHoursOf, floodCap, now }),
    (recipient) => {
      const summaryId = newId();
      return { id: summaryId, messageId: messageId(summaryId, recipient) };
    },
  );
}

const HELD_BECAUSE: Readonly<Record<HoldCause, string>> = {
  silence: "a silence",
  flapping: "a status that went back and forth",
  "quiet-hours": "quiet hours",
  flood: "the limit of mails per hour",
};

/** The mail as rendered from what is owed. */
export function renderOwed(owed: OwedMail, settings: MailSettings, now: Date) {
  const { notification, events, invites, chainHead, heldBy, earlier } = owed;
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
    heldBecause: heldBy.map((cause) => HELD_BECAUSE[cause]),
    earlier,
  };
  return renderMail(input);
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
  { attempts, createdAt, releasedAt }: Notification,
  { clock, chance }: DeliverPorts,
): Receipt {
  const at = clock.now();
  switch (outcome.kind) {
    case "accepted":
      return { state: "delivered", at, response: outcome.response };
    case "refused":
      return { state: "dead", at, error: outcome.error, reason: "the mail server refused it for good" };
    case "failed": {
      const next = nextAttemptAt(attempts, at, releasedAt ?? createdAt, chance());
      if (next !== null) return { state: "pending", error: outcome.error, nextAttemptAt: next };
      return { state: "dead", at, error: outcome.error, reason: "no attempt succeeded within five days" };
    }
  }
}
