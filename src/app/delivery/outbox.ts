/** What delivery needs of the outbox. Everything is asked for and answered in lists, for a batch of mails at a time. */

import type { Attempted, Receipt } from "../../domain/delivery/attempt.ts";
import type { Conclusion, EndedAttempt, SentMail } from "../../domain/delivery/conclude.ts";
import type { Decision, DeliveryJob, Dispatch, DispatchInput } from "../../domain/delivery/dispatch.ts";
import type { Event } from "../../domain/event.ts";
import type { HoldCause } from "../../domain/hold.ts";
import type { Invite } from "../../domain/invite.ts";
import type { RelayState } from "../../domain/relay.ts";
import type { ComposedMail } from "../ports.ts";

/** What a mail is made from. */
export type MailContent = {
  /** Its own events, and those of the mails that it covers. */
  readonly events: readonly Event[];
  /** As now known: those that the events concern, and those that a blind watch puts at risk. */
  readonly invites: readonly Invite[];
  /** Hash of the newest event of the mail's sync. */
  readonly chainHead: string;
  /** What it and the mails that it covers had to wait for. */
  readonly heldBy: readonly HoldCause[];
  /** Message-IDs of earlier mails to this recipient about the one invite that this is about, oldest first. */
  readonly earlier: readonly string[];
};

type Send = Extract<Decision, { readonly kind: "send" }>;

/** What became of the mail of a job; of one that is to be sent all that it is made from, or the bytes that are kept. */
export type Claimed =
  | Exclude<Decision, Send>
  | (Send & { readonly content: MailContent; readonly mime: null })
  | (Send & { readonly content: null; readonly mime: Buffer });

/** What is written about a mail before an attempt. */
export type AttemptStart = ComposedMail & {
  readonly id: string;
  /** How many there were when the mail was claimed. */
  readonly attempts: number;
  readonly at: Date;
  /** Not where the mail server went down since the mail was claimed. */
  readonly onlyIfWell: boolean;
  readonly subject: string;
};

/** A mail that was due and not delivered, and why; null where an attempt is under way. */
export type Undelivered = { readonly recipient: string; readonly state: string; readonly why: string | null };

/** One for each item, in their order: what the database refuses of one concerns no other. */
export type Settled<T> = readonly PromiseSettledResult<T>[];

export type OutboxStore = {
  /**
   * Decides under the locks of the recipients what becomes of the mails, and writes that, in one transaction.
   *
   * @param decide pure
   */
  claim(jobs: readonly DeliveryJob[], now: Date, decide: (input: DispatchInput) => Dispatch): Promise<Settled<Claimed>>;
  /**
   * Notes of each mail that an attempt starts: one more attempt, state sending. With it the bytes and the subject are
   * kept, unless some are kept already.
   *
   * @param starts of different mails
   * @returns the bytes that are kept; null where it does not start: the mail is no longer owed, somebody else has
   *   started meanwhile, or the mail server is down
   */
  startAttempts(starts: readonly AttemptStart[]): Promise<Settled<Buffer | null>>;
  /** Whether the mail server can be reached, as last known. */
  mailServer(): Promise<RelayState>;
  /**
   * Writes the attempts and what comes of them; a mail that is tried again gets its next job in the same transaction.
   *
   * A process that was paused may be heard of after another took the mail over. That a mail was accepted counts whatever
   * else became of it, and the first acceptance stays. Any other receipt counts only while the mail is being sent by the
   * last of its attempts; else these are written down and nothing comes of them. Nor do they say anything of the mail
   * server where another attempt has started since. Where it is well again, the mails that waited for it are due.
   *
   * @param conclude pure; asked about those that count
   */
  record(
    sent: readonly SentMail[],
    conclude: (ended: readonly EndedAttempt[], mailServer: RelayState) => readonly Conclusion[],
  ): Promise<Settled<Conclusion>>;
  /** Mails not delivered: tried or given up at or after the instant, or waiting for the mail server. Oldest first. */
  undeliveredSince(at: Date): Promise<readonly Undelivered[]>;
  /** How many mails are being tried, or may be tried now. */
  countDue(now: Date): Promise<number>;
  /** Gives a job to each mail that is due and has none any more, or waits too long as the clock was set back; how many there were. */
  requeueForgotten(now: Date): Promise<number>;
  /** Has one mail try a mail server that is down before its next probe is due; since when it is down, null where nothing is tried. */
  probeNow(now: Date): Promise<Date | null>;
};

/** What came of a mail whose time had come: it was attempted, or there is a reason why not. */
export type Attempt =
  | Exclude<Decision, Send>
  | {
      readonly kind: "attempted";
      readonly notification: Send["mail"]["notification"];
      /** In their order: several where one way out after the other was tried. */
      readonly attempts: readonly Attempted[];
      /** Null where it is another attempt's to say what becomes of the mail: this one was taken for lost. */
      readonly receipt: Receipt | null;
      /** The state of the mail server from now on; null where the attempts say nothing new of it. */
      readonly mailServer: RelayState | null;
    };
