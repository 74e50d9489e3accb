/**
 * What the use cases need from the world. Adapters implement these; tests use the real adapters.
 */
import type { Invite } from "../domain/invite.ts";
import type { Snapshot, Whereabouts } from "../domain/snapshot.ts";
import type { Trouble } from "../domain/trouble.ts";

export type Clock = { readonly now: () => Date };

/** Reads a user's invitations; cannot answer one. */
export type InviteSource = {
  /** One poll of the whole list. Never rejects for what the API or the network did: that is in the snapshot. */
  fetchSnapshot(signal: AbortSignal): Promise<Snapshot>;
  /**
   * Asks for invites that a complete snapshot did not list, one after the other.
   *
   * Every id asked for has an entry in the answer. The memberships are read once, and only if needed.
   */
  locate(invites: readonly Invite[], signal: AbortSignal): Promise<ReadonlyMap<string, Whereabouts>>;
};

/** A composed mail: what is frozen before the first attempt. */
export type Message = {
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly date: Date;
  readonly text: string;
  readonly html: string;
  /** Further headers, name to value. */
  readonly headers: Readonly<Record<string, string>>;
  readonly attachments: readonly Attachment[];
};

export type Attachment = {
  readonly filename: string;
  /** With its parameters: `text/calendar; charset=utf-8; method=PUBLISH`. */
  readonly contentType: string;
  readonly content: string;
};

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
     * of the mail server or the mail. The others are the relay's trouble with everybody, some of them perhaps.
     */
    | {
        readonly kind: "failed";
        readonly cause: "unreachable" | "tls" | "unknown" | "stopped" | Exclude<Trouble, "recipient" | "message">;
        readonly error: string;
      }
  );

export type MailTransport = {
  /** The exact bytes that will be sent, CRLF line ends. */
  compose(message: Message): Promise<Buffer>;
  /** Runs the work around a `send` once a connection will soon be free for it. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** One SMTP transaction for one recipient. Never rejects. */
  send(mime: Buffer, envelope: { readonly from: string; readonly to: string }): Promise<DeliveryOutcome>;
  /** Whether a mail is being sent, or waits for its answer. */
  isSending(): boolean;
  /** Connects, secures and logs in, without sending. Rejects with a sentence that says what to do. */
  verify(): Promise<void>;
  /**
   * Lets nobody in turn any more, and ends what is still being sent after so long, as `stopped` or `unknown`. Resolves
   * once nothing is being sent.
   */
  stop(graceMs: number): Promise<void>;
  close(): Promise<void>;
};
