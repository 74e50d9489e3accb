/** One mail owed to one recipient: the outbox row and its receipt. */
import type { EventType } from "./event.ts";
import type { HoldCause } from "./hold.ts";

export type NotificationState = "pending" | "sending" | "delivered" | "dead" | "cancelled";

/** The type of the most urgent event in the mail, or what sort of overview it is. */
export type NotificationKind = EventType | "inventory" | "digest" | "summary" | "test";

/** Mail that has been due for longer is overdue. */
export const OVERDUE_AFTER_MS = 30 * 60_000;

/** Since when the mail might have been sent: from when it was let through, or else from when it was owed or held until. */
export function owedSinceOf({ releasedAt, createdAt }: Notification): Date {
  return releasedAt ?? createdAt;
}

export type Notification = {
  readonly id: string;
  /** Null where the mail tells of several watches. */
  readonly watch: string | null;
  readonly recipient: string;
  readonly kind: NotificationKind;
  /** Null until the mail is rendered. */
  readonly subject: string | null;
  /** Without angle brackets; stable for ever. */
  readonly messageId: string;
  readonly state: NotificationState;
  /** Why it is held, dead or cancelled. */
  readonly reason: string | null;
  /** What it waits for or waited for; null where it never had to. */
  readonly heldBy: HoldCause | null;
  /** Why this recipient: the rules that chose it. */
  readonly rules: readonly string[];
  /** Id of the mail that tells in place of this one. */
  readonly coveredBy: string | null;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly deliveredAt: Date | null;
  /** The mail server's answer to the delivered mail, with its queue id. */
  readonly response: string | null;
  /** What went wrong at the latest attempt. */
  readonly error: string | null;
  readonly nextAttemptAt: Date | null;
  /** When it was let through to be sent; null while it waits, and where it never may. */
  readonly releasedAt: Date | null;
  /** When it is of no use any more; null where it always is, and before it is let through. */
  readonly usefulUntil: Date | null;
  /** Whether an attempt sent the whole mail and heard no answer: it may have been accepted. */
  readonly maybeAccepted: boolean;
  readonly syncId: string | null;
  /** Of `watch`; a summary tells those of the mails that it covers. */
  readonly eventSeqs: readonly number[];
};
