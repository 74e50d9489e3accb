/** What a delivery is given, and what comes of it. */
import type { Notification } from "../domain/notification.ts";
import type { QuietHours } from "../domain/quiet-hours.ts";
import type { RelayState } from "../domain/relay.ts";
import type { FallbackChannel } from "./fallback.ts";
import type { Clock, MailTransport } from "./ports.ts";
import type { Attempted, OutboxStore, Receipt, Released } from "./store.ts";

export type DeliverPorts = {
  readonly outbox: OutboxStore;
  readonly transport: MailTransport;
  /** Further ways out, tried in this order; empty where there is none. */
  readonly fallbacks: readonly FallbackChannel[];
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
  readonly newId: () => string;
};

export type DeliveryJob = {
  readonly notificationId: string;
  /** Whether an earlier run of the same job came to no end: a mail that it was sending is sent again. */
  readonly takeOver?: boolean;
};

/** How mails are made and when they may go: the same for all watches but for what is asked by name. */
export type MailSettings = {
  readonly from: string;
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
      /** In their order: several where one way out after the other was tried. */
      readonly attempts: readonly Attempted[];
      /** Null where it is another attempt's to say what becomes of the mail: this one was taken for lost. */
      readonly receipt: Receipt | null;
      /** The state of the mail server from now on; null where the attempts say nothing new of it. */
      readonly relay: RelayState | null;
    };
