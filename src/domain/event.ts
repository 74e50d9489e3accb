/** The immutable facts of the audit history, and the data that each type carries. */
import type { InviteJson } from "./invite.ts";
import type { Json } from "./json.ts";

/** Where a change of status was learnt. */
export type StatusSource = "list" | "detail" | "memberships";

/** Data of each event type; see the table "Events" of the README. */
export type EventDataByType = {
  "watch.baseline": { readonly invites: number; readonly pending: number };
  "invite.received": { readonly invite: InviteJson; readonly baseline: boolean; readonly reinvited: boolean };
  "invite.status_changed": { readonly from: string; readonly to: string; readonly source: StatusSource };
  "invite.changed": { readonly changes: { readonly [field: string]: { readonly from: Json; readonly to: Json } } };
  "invite.expiring": {
    /** As configured ("24h", "25%"), or "last-chance". */
    readonly threshold: string;
    readonly expiresAt: string;
    /** The less urgent thresholds that were crossed at the same time. */
    readonly covers: readonly string[];
  };
  "invite.expired": { readonly expiresAt: string };
  "invite.withdrawn": { readonly evidence: string };
  "invite.returned": { readonly invite: InviteJson };
  "invite.unrecognised": { readonly reason: string; readonly raw: Json };
  "watch.blind": Blindness & { readonly until: null };
  "watch.recovered": Blindness & { readonly until: string };
  "notification.dead": {
    readonly by: string;
    readonly reason: string;
    readonly notificationId: string;
    readonly recipient: string;
    /** Invites of this watch that the mail was about, the first twenty; not in events of early versions. */
    readonly inviteIds?: readonly string[];
    /** How many these are in all. */
    readonly invites?: number;
  };
  "notification.retried": MailDecision & { readonly reason: string | null };
  "notification.discarded": MailDecision & { readonly reason: string };
  "invite.acknowledged": { readonly by: string /** The note, if one was made. */; readonly reason: string | null };
  "silence.created": SilenceData & { readonly until: string };
  "silence.ended": SilenceData;
};

/** A stretch of time in which the watch had no complete snapshot. */
type Blindness = {
  /** Why its syncs fell short, and what to do about it. */
  readonly reason: string;
  /** The last complete snapshot before it, or the first sync where there was none. */
  readonly since: string;
  /** Ids of pending invites that end inside it, the first to end first; while it lasts, all that have an end. */
  readonly atRisk: readonly string[];
};

/** What somebody decided about mails that are owed or were given up. */
type MailDecision = { readonly by: string; readonly notificationIds: readonly string[] };

type SilenceData = {
  readonly by: string;
  readonly reason: string;
  readonly silenceId: string;
  /** What it covers: an invite, or organizations. */
  readonly inviteId: string | null;
  readonly organization: string | null;
};

export type EventType = keyof EventDataByType;

/** An event before it has its place in the chain. */
export type EventDraft<T extends EventType = EventType> = {
  [K in T]: {
    readonly type: K;
    readonly inviteId: string | null;
    /** When it happened as far as we can tell: the snapshot's time for what was observed, the instant itself for the clock's. */
    readonly occurredAt: Date;
    readonly data: EventDataByType[K];
  };
}[T];

/** A recorded event: a link of its watch's chain. */
export type Event<T extends EventType = EventType> = EventDraft<T> & {
  readonly id: string;
  readonly watch: string;
  /** 1, 2, 3 … per watch, without holes. */
  readonly seq: number;
  /** When the transaction that holds it was recorded; never earlier than the previous event's. */
  readonly recordedAt: Date;
  readonly syncId: string | null;
  readonly prevHash: string;
  readonly hash: string;
};
