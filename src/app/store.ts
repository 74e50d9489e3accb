/** What the use cases need of the database. */
import type { ChainHead } from "../domain/chain.ts";
import type { Acquaintance } from "../domain/diff.ts";
import type { Event } from "../domain/event.ts";
import type { ExpiryRules } from "../domain/expiry.ts";
import type { Invite } from "../domain/invite.ts";
import type { Notification } from "../domain/notification.ts";
import type { PlanContext, Suppression } from "../domain/plan.ts";
import type { BlindStretch, Sight } from "../domain/sight.ts";
import type { Snapshot } from "../domain/snapshot.ts";
import type { Sync } from "../domain/sync.ts";

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
