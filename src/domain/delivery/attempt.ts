/** One attempt to deliver a mail: how far it came, how it ended, and what is written about it. */
import type { Trouble } from "../trouble.ts";

/** How far an attempt came: what was under way when it ended. */
export type DeliveryStage = "connect" | "greeting" | "tls" | "login" | "sender" | "recipient" | "data" | "answer";

/** What is kept of every attempt. Texts are free of credentials and of line breaks. */
export type Exchange = {
  readonly stage: DeliveryStage;
  /** The reply code that ended it, such as 250 or 451; null where the server said nothing. */
  readonly code: number | null;
  /** The enhanced status code in the reply, such as `4.2.1`. @see https://www.rfc-editor.org/rfc/rfc3463 */
  readonly enhancedCode: string | null;
  /** Under which name the server took the mail, where its answer says so. */
  readonly queueId: string | null;
  readonly durationMs: number;
};

/** How one attempt at delivery ended. */
export type DeliveryOutcome = Exchange &
  (
    | { readonly kind: "accepted"; readonly response: string }
    /** For good: no retry can help. */
    | { readonly kind: "refused"; readonly what: "recipient" | "message"; readonly error: string }
    /**
     * Worth another try. `temporary` may be this mail's trouble alone; with `unknown` the whole mail was sent and no
     * answer came: it may have been accepted; with `stopped` we were told to stop before that, so that it says nothing
     * of the mail server or the mail. The others are the mail server's trouble with everybody, some of them perhaps.
     */
    | {
        readonly kind: "failed";
        readonly cause: "unreachable" | "tls" | "unknown" | "stopped" | Exclude<Trouble, "recipient" | "message">;
        readonly error: string;
      }
  );

/** One attempt as it is kept. */
export type Attempted = {
  /** 1, 2, 3 … per mail, as begun: one more than there were. */
  readonly number: number;
  readonly startedAt: Date;
  readonly way: "smtp" | "fallback-smtp" | "fallback-webhook";
  readonly outcome: DeliveryOutcome;
};

/** What is written about a mail after an attempt. */
export type Receipt =
  | { readonly state: "delivered"; readonly at: Date; readonly response: string }
  | {
      readonly state: "pending";
      readonly error: string;
      readonly nextAttemptAt: Date;
      /** Whether it is due as soon as the mail server is well again. */
      readonly waitsForRelay: boolean;
    }
  | { readonly state: "dead"; readonly at: Date; readonly error: string; readonly reason: string };
