/** What reading commands and pages ask of the database; every list is read by keyset and can be streamed. */
import type { EventJson } from "../domain/chain.ts";
import type { Asked, Outage, WatchSpan } from "../domain/coverage.ts";
import type { Event } from "../domain/event.ts";
import type { Invite } from "../domain/invite.ts";
import type { Notification, NotificationKind, NotificationState } from "../domain/notification.ts";
import type { Sync, SyncOutcome } from "../domain/sync.ts";

export type Order = "asc" | "desc";

export type Paging = {
  readonly order: Order;
  /** Where an earlier answer ended; null from the beginning. */
  readonly cursor: string | null;
  /** How many rows will be taken; null for all of them. */
  readonly limit: number | null;
};

/** The rows of an answer, read as they are taken, and one past the limit so that its end can be told. */
export type Listing<Row> = {
  readonly rows: AsyncIterable<Row>;
  /** Continues after this row. */
  readonly cursorOf: (row: Row) => string;
};

/** Null or empty: no condition. Texts are looked for as they are, upper and lower case alike. */
export type InviteFilter = {
  readonly watches: readonly string[] | null;
  readonly status: string | null;
  /** Part of the organization's name, or its exact id. */
  readonly organization: string | null;
  /** The end lies after the first instant and not after the second. */
  readonly expiring: { readonly after: Date; readonly until: Date } | null;
};

export type EventFilter = {
  readonly watches: readonly string[] | null;
  /** Of `occurredAt`, inclusive. */
  readonly since: Date | null;
  /** Of `occurredAt`, exclusive. */
  readonly until: Date | null;
  readonly types: readonly string[] | null;
  readonly inviteId: string | null;
  /** Of the invite as now known: part of the organization's name, or its exact id. */
  readonly organization: string | null;
  /** Part of the invited address. */
  readonly email: string | null;
  /** Part of who invited. */
  readonly inviter: string | null;
  /** The invite's status as now known. */
  readonly status: string | null;
  /** Part of any value in the event's data, or of the organization's name as now known. */
  readonly text: string | null;
};

export type SyncFilter = {
  readonly watches: readonly string[] | null;
  /** Of `startedAt`, inclusive. */
  readonly since: Date | null;
  /** Of `startedAt`, exclusive. */
  readonly until: Date | null;
  readonly outcome: SyncOutcome | null;
};

export type NotificationFilter = {
  readonly watches: readonly string[] | null;
  readonly states: readonly NotificationState[] | null;
  /** Mails with an event of this invite. */
  readonly inviteId: string | null;
  /** The whole address, upper and lower case alike. */
  readonly recipient: string | null;
  readonly kind: NotificationKind | null;
  /** Of `createdAt`, inclusive. */
  readonly since: Date | null;
  /** Of `createdAt`, exclusive. */
  readonly until: Date | null;
};

/**
 * A notification, and whether it waits for the mail server to be reached again. While it does, `reason` says so, and
 * where that is down, `error` is what it said last and `nextAttemptAt` when it is tried next.
 */
export type ListedMail = Notification & { readonly waitsForRelay: boolean };

/** An event, and the name of its invite's organization as now known. */
export type HistoryEntry = { readonly event: Event; readonly organizationName: string | null };

/** The ledger of some watches as far as coverage needs it. */
export type Ledger = { readonly spans: readonly WatchSpan[]; readonly outages: readonly Outage[] };

export type MiscountedSync = {
  readonly id: string;
  /** How many events it recorded. */
  readonly recorded: number;
  /** How many there are. */
  readonly found: number;
};

/** What a watch's row says of its chain, and the seq of the newest event that is really there. */
export type ChainEnd = {
  readonly watch: string;
  readonly headSeq: number;
  readonly headHash: string;
  readonly newestSeq: number;
};

export type WatchStatus = {
  readonly watch: string;
  /** When the last complete snapshot was taken; null before the first. */
  readonly lastCompleteAt: Date | null;
  /** The longest stretch between two runs, as of that sync. */
  readonly intervalMs: number | null;
  /** The newest sync that was not superseded. */
  readonly lastSync: { readonly startedAt: Date; readonly outcome: SyncOutcome; readonly reason: string | null } | null;
  /** Since when it is known to be blind; null while it sees. */
  readonly blindSince: Date | null;
  readonly pending: number;
  /** The pending invite whose end is the next to come. */
  readonly nextExpiry: {
    readonly inviteId: string;
    readonly organizationName: string | null;
    readonly expiresAt: Date;
  } | null;
  readonly head: { readonly seq: number; readonly hash: string };
  /** By how much our clock was ahead of the API's at the last sync, in ms; null where that is not known. */
  readonly clockSkewMs: number | null;
};

export type MailStatus = {
  /** Mails that are still to be delivered. */
  readonly owed: number;
  /** Those of them that wait on purpose: for the end of quiet hours, of a silence, of a flood. */
  readonly held: number;
  /** Those of them that have been due for too long. */
  readonly overdue: number;
  readonly oldestOwedAt: Date | null;
  /** Mails that were given up. */
  readonly dead: number;
  /** Those of the owed that the mail server was asked to take and did not yet, and why it did not take the latest. */
  readonly putOff: number;
  readonly putOffError: string | null;
  /** Since when the mail server cannot be reached, and what it or the connection said; null while it is well. */
  readonly relayDownSince: Date | null;
  readonly relayError: string | null;
  /** From when a mail tries it again. */
  readonly relayNextProbeAt: Date | null;
};

/** The latest digest that was to be made, where it failed. */
export type DigestTrouble = {
  readonly slotAt: Date;
  readonly error: string;
  /** Null where it was given up. */
  readonly nextTryAt: Date | null;
};

/** Finds which invites somebody means. */
export type InviteFinder = {
  /** Names of the watches, in alphabetical order. */
  watchNames(): Promise<readonly string[]>;
  /**
   * Invites with this id, or else those whose id begins so, by id and watch; at most so many.
   *
   * @param watches null for all
   */
  invitesNamed(text: string, watches: readonly string[] | null, limit: number): Promise<readonly Invite[]>;
};

export type Reader = InviteFinder & {
  /** The types of which there are events. */
  eventTypes(): Promise<readonly string[]>;
  /** Newest invitation first when descending. @throws CursorError */
  invites(filter: InviteFilter, paging: Paging): Listing<Invite>;
  /** By (recordedAt, watch, seq); holds what was recorded when the reading began. @throws CursorError */
  events(filter: EventFilter, paging: Paging): Listing<HistoryEntry>;
  /** By startedAt. @throws CursorError */
  syncs(filter: SyncFilter, paging: Paging): Listing<Sync>;
  /** By createdAt. @throws CursorError */
  notifications(filter: NotificationFilter, paging: Paging): Listing<ListedMail>;
  /** What fell short or came late in the time that is asked for. */
  ledger(watches: readonly string[] | null, asked: Asked): Promise<Ledger>;
  /** By how much this machine's clock is ahead of the database's, in ms. */
  clockSkewMs(): Promise<number>;
  chainEnds(watches: readonly string[] | null): Promise<readonly ChainEnd[]>;
  /** One watch's events in the order of its chain. */
  chain(watch: string): AsyncIterable<EventJson>;
  /** A sync of the watch with more or fewer events than it recorded; null where there is none. */
  miscountedSync(watch: string): Promise<MiscountedSync | null>;
  watchStatuses(now: Date): Promise<readonly WatchStatus[]>;
  /** @param overdueBefore what is due since before this is overdue */
  mailStatus(overdueBefore: Date): Promise<MailStatus>;
  /** Null where the latest digest was made, or there was none. */
  digestTrouble(): Promise<DigestTrouble | null>;
};

/** The cursor was not made by this list in this order. */
export class CursorError extends Error {
  override readonly name = "CursorError";
}

/** What a cursor says of the row that it continues after. @throws CursorError */
export function readCursor(cursor: string, list: string, order: Order): readonly unknown[] {
  const [name, itsOrder, ...values] = parseCursor(cursor);
  if (name !== list) throw new CursorError(`The cursor is not one of ${list}.`);
  if (itsOrder !== order)
    throw new CursorError(`The cursor continues an answer in the order ${itsOrder}, not ${order}.`);
  return values;
}

function parseCursor(cursor: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(parts)) return parts;
  } catch {}
  throw new CursorError("The cursor is not one that invitewatch gave.");
}

/** Up to `limit` rows, and the cursor of the rest, or null where there is none. */
export async function collect<Row>(
  listing: Listing<Row>,
  limit: number,
): Promise<{ readonly rows: readonly Row[]; readonly next: string | null }> {
  const rows: Row[] = [];
  for await (const row of listing.rows) {
    const last = rows.at(-1);
    if (rows.length === limit && last !== undefined) return { rows, next: listing.cursorOf(last) };
    rows.push(row);
  }
  return { rows, next: null };
}
