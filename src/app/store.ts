/** What the use cases need of the database. */
import type { ChainHead } from "../domain/chain.ts";
import type { Event } from "../domain/event.ts";
import type { ExpiryRules } from "../domain/expiry.ts";
import type { Invite } from "../domain/invite.ts";
import type { Notification } from "../domain/notification.ts";
import type { Snapshot } from "../domain/snapshot.ts";
import type { Sync } from "../domain/sync.ts";

/** What is known of a watch, as far as a snapshot and the clock make it relevant. */
export type Known = {
  readonly head: ChainHead;
  readonly hasBaseline: boolean;
  /** When the newest recorded snapshot was taken; null before the first. */
  readonly lastTakenAt: Date | null;
  /** Invites of which the list says something new or nothing at all, or for which the clock has something due. */
  readonly invites: ReadonlyMap<string, Invite>;
  /** Listed ids that are known, with nothing new and nothing due. */
  readonly unchanged: ReadonlySet<string>;
  /** Organizations of the new invites that invited this user before. */
  readonly invitedBefore: ReadonlySet<string>;
};

/** Everything that one sync adds, to be recorded at once or not at all. */
export type Recording = {
  readonly sync: Sync;
  readonly invites: readonly Invite[];
  readonly events: readonly Event[];
  readonly notifications: readonly Notification[];
};

export type SyncStore = {
  /** Makes the watch known; no change where it is. */
  ensureWatch(name: string, now: Date): Promise<void>;
  /** When the newest complete sync began, and the newest of any outcome; null where there is none. */
  lastSyncs(watch: string): Promise<{ readonly completeAt: Date | null; readonly anyAt: Date | null }>;
  /** Pending invites that the list lacks. */
  missing(watch: string, listedIds: readonly string[]): Promise<readonly Invite[]>;
  /** What is known, read only. */
  know(watch: string, snapshot: Snapshot, rules: ExpiryRules, now: Date): Promise<Known>;
  /**
   * Decides under the watch's lock and records what was decided, in one transaction with the queue jobs.
   *
   * @param decide pure; called once with what is known under the lock
   */
  record(
    watch: string,
    snapshot: Snapshot,
    rules: ExpiryRules,
    now: () => Date,
    decide: (known: Known, now: Date) => Recording,
  ): Promise<Recording>;
};

/** A notification with all that its mail is made from. */
export type OwedMail = {
  readonly notification: Notification;
  /** The frozen bytes; null before the first attempt. */
  readonly mime: Buffer | null;
  readonly events: readonly Event[];
  /** The invites that the events concern, as now known. */
  readonly invites: ReadonlyMap<string, Invite>;
  /** Hash of the newest event of the mail's sync. */
  readonly chainHead: string;
};

/** What is written about a notification after an attempt. */
export type Receipt =
  | { readonly state: "delivered"; readonly at: Date; readonly response: string }
  | { readonly state: "pending"; readonly error: string; readonly nextAttemptAt: Date }
  | { readonly state: "dead"; readonly at: Date; readonly error: string; readonly reason: string };

export type Undelivered = { readonly recipient: string; readonly state: string; readonly error: string | null };

export type OutboxStore = {
  /** The notification and what its mail is made from; null where there is no such notification. */
  load(id: string): Promise<OwedMail | null>;
  /** Keeps the bytes and the subject unless some are kept already; the bytes that are kept. */
  freeze(id: string, frozen: { readonly subject: string; readonly mime: Buffer }): Promise<Buffer>;
  /** Notes that an attempt begins: one more attempt, state sending. False where it is no longer owed. */
  begin(id: string, at: Date): Promise<boolean>;
  /** Writes how the attempt ended; a mail that is tried again gets its next job in the same transaction. */
  receive(id: string, receipt: Receipt): Promise<void>;
  /** Mails that were tried at or after the instant and not accepted. */
  undeliveredSince(at: Date): Promise<readonly Undelivered[]>;
  /** How many mails are being tried, or may be tried now. */
  countDue(now: Date): Promise<number>;
};
