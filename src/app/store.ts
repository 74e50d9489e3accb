/** What the use cases need of the database. */
import type { ChainHead } from "../domain/chain.ts";
import type { Acquaintance } from "../domain/diff.ts";
import type { Event } from "../domain/event.ts";
import type { ExpiryRules } from "../domain/expiry.ts";
import type { Hold, HoldCause } from "../domain/hold.ts";
import type { Invite } from "../domain/invite.ts";
import type { Notification } from "../domain/notification.ts";
import type { PlanContext, Suppression } from "../domain/plan.ts";
import type { Outage, RelayState, WayOut } from "../domain/relay.ts";
import type { OwedNews, Release } from "../domain/release.ts";
import type { BlindStretch, Sight } from "../domain/sight.ts";
import type { Silence } from "../domain/silence.ts";
import type { Snapshot } from "../domain/snapshot.ts";
import type { Sync } from "../domain/sync.ts";
import type { DeliveryOutcome } from "./ports.ts";

/** What is known of a watch, as far as a snapshot and the clock make it relevant. */
export type Known = {
  readonly head: ChainHead;
  readonly hasBaseline: boolean;
  /** Since when the watch is known to be blind; null while it sees. */
  readonly blindSince: Date | null;
  /**
   * When the newest recorded snapshot was taken; null before the first. What was recorded in what is now the future was
   * taken under a wrong clock, and does not count.
   */
  readonly lastTakenAt: Date | null;
  /** Invites of which the list says something new or nothing at all, or for which the clock has something due. */
  readonly invites: ReadonlyMap<string, Invite>;
  /** Listed ids that are known, with nothing new and nothing due. */
  readonly unchanged: ReadonlySet<string>;
  /** Organizations of the new invites that invited this user before. */
  readonly invitedBefore: ReadonlySet<string>;
  /** What makes a new invite unusual; empty where none is new. */
  readonly acquainted: Acquaintance;
};

/** Everything that one sync adds, to be recorded at once or not at all. */
export type Recording = {
  readonly sync: Sync;
  /** Not recorded before. */
  readonly newInvites: readonly Invite[];
  /** To take the place of what is recorded. */
  readonly changedInvites: readonly Invite[];
  readonly events: readonly Event[];
  readonly notifications: readonly Notification[];
  readonly suppressions: readonly Suppression[];
  /** Invites that a blind watch puts at risk, which its mail names; nothing is recorded of them. */
  readonly atRisk: readonly Invite[];
};

/** What is recorded of one watch, as far as a sync asks. */
export type Ledger = {
  know(snapshot: Snapshot, rules: ExpiryRules, now: Date): Promise<Known>;
  /** The syncs since the last complete one. */
  sight(known: Pick<Known, "blindSince">): Promise<Sight>;
  /** Invites that end inside the stretch, or while it lasts may do so; the first to end first, a hundred at most. */
  atRisk(stretch: BlindStretch): Promise<readonly Invite[]>;
  planContext(events: readonly Event[], now: Date): Promise<PlanContext>;
};

/** When the complete sync of a watch began that was recorded last, and the one of any outcome; null where there is none. */
export type LastSyncs = { readonly completeAt: Date | null; readonly anyAt: Date | null };

export type SyncStore = {
  /** By watch, in one statement. */
  lastSyncs(watches: readonly string[]): Promise<ReadonlyMap<string, LastSyncs>>;
  /** Pending invites that the list lacks. */
  missing(watch: string, listedIds: readonly string[]): Promise<readonly Invite[]>;
  /** For reading alone. */
  ledger(watch: string): Ledger;
  /**
   * Records what is decided under the watch's lock, in one transaction with the queue jobs. A new watch is made known.
   *
   * @param decide reads the ledger and nothing else; called once
   */
  record(watch: string, decide: (ledger: Ledger) => Promise<Recording>): Promise<Recording>;
};

/** A notification with all that its mail is made from. */
export type OwedMail = {
  readonly notification: Notification;
  /** The frozen bytes; null before the first attempt. */
  readonly mime: Buffer | null;
  /** Of a summary: those of all mails that it covers. */
  readonly events: readonly Event[];
  /** As now known: those that the events concern, and those that a blind watch puts at risk. */
  readonly invites: readonly Invite[];
  /** Hash of the newest event of the mail's sync. */
  readonly chainHead: string;
  /** What it and the mails that it covers had to wait for. */
  readonly heldBy: readonly HoldCause[];
  /** Message-IDs of earlier mails to this recipient about the one invite that this is about, oldest first. */
  readonly earlier: readonly string[];
  /** Attempts that failed since it was let through, other than for reasons of the relay alone. */
  readonly ownFailures: number;
};

/** What is known when the time of a mail has come that was never attempted. */
export type ReleaseQuestion = {
  readonly mail: OwedNews;
  /** The recipient's other held mails. */
  readonly others: readonly OwedNews[];
  readonly inviteOf: (watch: string, id: string) => Invite | null;
  /** In force. */
  readonly silences: readonly Silence[];
  /** When mails to the recipient were released within the last hour, oldest first. */
  readonly releasedAt: readonly Date[];
  /** The long outage whose mails become one per recipient; null where there was none. */
  readonly outage: Outage | null;
};

/** What became of a mail whose time has come. `idle`: it is not owed, or not yet due. */
export type Released =
  | { readonly kind: "idle" }
  | { readonly kind: "send"; readonly owed: OwedMail; readonly way: Way }
  /** The mail server is down, and another mail finds out when it is well again. */
  | { readonly kind: "waiting"; readonly notification: Notification; readonly until: Date; readonly reason: string }
  | { readonly kind: "given up"; readonly notification: Notification; readonly reason: string }
  | { readonly kind: "held"; readonly notification: Notification; readonly hold: Hold }
  | { readonly kind: "cancelled"; readonly notification: Notification; readonly reason: string }
  /** Another mail, owed now, tells in place of this one and others. */
  | { readonly kind: "folded"; readonly notification: Notification; readonly into: string; readonly count: number };

/** How the mail leaves: by the relay, perhaps as the one that finds out whether it is well again, or the other way. */
export type Way = Extract<WayOut, { readonly kind: "relay" | "fallback" }>;

/** What is written about a notification before an attempt. */
export type Beginning = {
  readonly id: string;
  /** How many there were when the mail was let through. */
  readonly attempts: number;
  readonly at: Date;
  /** Not where the relay went down since the mail was let through. */
  readonly onlyIfWell: boolean;
  readonly subject: string;
  readonly mime: Buffer;
};

/** What is written about a notification after an attempt. */
export type Receipt =
  | { readonly state: "delivered"; readonly at: Date; readonly response: string }
  | {
      readonly state: "pending";
      readonly error: string;
      readonly nextAttemptAt: Date;
      /** Whether it is due as soon as the relay is well again. */
      readonly waitsForRelay: boolean;
    }
  | { readonly state: "dead"; readonly at: Date; readonly error: string; readonly reason: string };

/** One attempt as it is kept. */
export type Attempted = {
  /** 1, 2, 3 … per mail, as begun: one more than there were. */
  readonly number: number;
  readonly startedAt: Date;
  readonly way: "smtp" | "fallback-smtp" | "fallback-webhook";
  readonly outcome: DeliveryOutcome;
};

/** A mail that was due and not delivered, and why; null where an attempt is under way. */
export type Undelivered = { readonly recipient: string; readonly state: string; readonly why: string | null };

/** What the decisions about a mail whose time has come are made with. */
export type Releasing = {
  readonly decide: (question: ReleaseQuestion) => Release;
  /** Id and Message-ID of the mail that takes the place of several. */
  readonly summary: (recipient: string) => Pick<Notification, "id" | "messageId">;
  /** Whether there is a second way out. */
  readonly hasFallback: boolean;
  /** Whether a mail that is being sent may be sent again: whoever was sending it is gone. */
  readonly takeOver: boolean;
};

export type OutboxStore = {
  /**
   * Decides under the recipient's lock what becomes of the mail, and writes that, in one transaction.
   *
   * A mail that was frozen is let through as it is. What is sent tells also of mails that were given up since.
   *
   * @param decide pure; not called for a mail that is not owed or not due
   */
  release(id: string, now: Date, given: Releasing): Promise<Released>;
  /**
   * Notes that an attempt begins: one more attempt, state sending. With it the bytes and the subject are kept, unless
   * some are kept already.
   *
   * @returns the bytes that are kept; null where it does not begin: the mail is no longer owed, somebody else has begun
   *   meanwhile, or the relay is down
   */
  begin(beginning: Beginning): Promise<Buffer | null>;
  /** Whether the mail server can be reached, as last known. */
  relay(): Promise<RelayState>;
  /**
   * Writes the attempts and what comes of them, in one transaction; a mail that is tried again gets its next job in it.
   *
   * Whoever was paused may be heard of after another took the mail over. That a mail was accepted counts whatever else
   * became of it, and the first acceptance stays. Any other receipt counts only while the mail is being sent by the last
   * of the attempts; else they are written down and nothing comes of them.
   *
   * @param attempts all have begun: one, or the last one and those by other ways that it followed
   * @param relay its state from now on; null where they say nothing of it. Where it is well again, the mails
   *   that waited for it are due. Not written where another attempt has begun since.
   * @returns whether the receipt counts
   */
  receive(id: string, receipt: Receipt, attempts: readonly Attempted[], relay: RelayState | null): Promise<boolean>;
  /** Mails not delivered: tried or given up at or after the instant, or waiting for the mail server. Oldest first. */
  undeliveredSince(at: Date): Promise<readonly Undelivered[]>;
  /** How many mails are being tried, or may be tried now. */
  countDue(now: Date): Promise<number>;
  /** Gives a job to each mail that is due and has none any more, or waits too long as the clock was set back; how many there were. */
  requeueForgotten(now: Date): Promise<number>;
  /** Has one mail try a mail server that is down before its next probe is due; since when it is down, null where nothing is tried. */
  probeNow(now: Date): Promise<Date | null>;
};
