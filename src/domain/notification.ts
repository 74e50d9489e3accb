/** One mail owed to one recipient: the outbox row and its receipt. */
import type { EventType } from "./event.ts";

export type NotificationState = "pending" | "sending" | "delivered" | "dead" | "cancelled";

/** The type of the most urgent event in the mail, or what sort of overview it is. */
export type NotificationKind = EventType | "inventory" | "digest" | "summary" | "test";

export type Notification = {
  readonly id: string;
  readonly watch: string;
  readonly recipient: string;
  readonly kind: NotificationKind;
  /** Null until the mail is rendered. */
  readonly subject: string | null;
  /** Without angle brackets; stable for ever. */
  readonly messageId: string;
  readonly state: NotificationState;
  /** Why it is dead or cancelled. */
  readonly reason: string | null;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly deliveredAt: Date | null;
  /** The mail server's answer to the delivered mail, with its queue id. */
  readonly response: string | null;
  /** What went wrong at the latest attempt. */
  readonly error: string | null;
  readonly nextAttemptAt: Date | null;
  readonly syncId: string | null;
  readonly eventSeqs: readonly number[];
};
