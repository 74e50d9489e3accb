/**
 * What the use cases need from the world. Adapters implement these; tests use the real adapters.
 */
import type { DeliveryOutcome } from "../domain/delivery/attempt.ts";
import type { Invite } from "../domain/invite.ts";
import type { Snapshot, Whereabouts } from "../domain/snapshot.ts";

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

/**
 * A composed mail in two parts: the header fields of its own, and the rest.
 *
 * @property common the same object for mails that have it in common, so that it is kept and written once for all
 */
export type ComposedMail = { readonly own: Buffer; readonly common: Buffer };

export type Attachment = {
  readonly filename: string;
  /** With its parameters: `text/calendar; charset=utf-8; method=PUBLISH`. */
  readonly contentType: string;
  readonly content: string;
};

export type MailTransport = {
  /** Of each message the exact bytes that will be sent, CRLF line ends. What several have in common is encoded once. */
  compose(messages: readonly Message[]): Promise<readonly ComposedMail[]>;
  /** One SMTP transaction for one recipient, once a connection is free for it. Never rejects. */
  send(mime: Buffer, envelope: { readonly from: string; readonly to: string }): Promise<DeliveryOutcome>;
  /** Whether a mail is being sent, or waits for its answer. */
  isSending(): boolean;
  /** Connects, secures and logs in, without sending. Rejects with a sentence that says what to do. */
  verify(): Promise<void>;
  /**
   * Ends what is still being sent after so long, as `stopped` or `unknown`. Resolves once nothing is being sent.
   */
  stop(graceMs: number): Promise<void>;
  close(): Promise<void>;
};
