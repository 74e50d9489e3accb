/**
 * What happened between what is known and what a poll returned.
 *
 * Pure: known state, snapshot, whereabouts and the clock in; events and the changed invites out.
 * Only a complete snapshot reaches the code that can conclude that an invite is gone.
 */
import { isFuture } from "./elapsed.ts";
import type { EventDraft, StatusSource } from "./event.ts";
import { dueAlert, type ExpiryRules, hasEnded, isAlertedTooSoon } from "./expiry.ts";
import { changesBetween, type Invite, inviteJson, type ListedInvite } from "./invite.ts";
import type { CompleteSnapshot, Snapshot, Whereabouts } from "./snapshot.ts";
import { suspicionsOf } from "./suspicion.ts";

/** Whom the watch knows already, as a measure of what is unusual about a new invite. */
export type Acquaintance = {
  /** Domains of those who invited before, in lower case. */
  readonly inviterDomains: ReadonlySet<string>;
  /** How many organizations sent their first invite within the last 24 h, the new ones of now included. */
  readonly organizationsLately: number;
};

export const NO_ACQUAINTANCE: Acquaintance = { inviterDomains: new Set(), organizationsLately: 0 };

export type DiffInput = {
  readonly watch: string;
  /** Invites by id. May leave out those of `unchanged`. */
  readonly known: ReadonlyMap<string, Invite>;
  /** Ids whose listing says nothing new and for which the clock has nothing due; passed over. */
  readonly unchanged: ReadonlySet<string>;
  readonly snapshot: Snapshot;
  /** What is known of pending invites that a complete snapshot does not list, by id. */
  readonly whereabouts: ReadonlyMap<string, Whereabouts>;
  /** Organizations, by id, of which this user is known to have had an invite before. */
  readonly invitedBefore: ReadonlySet<string>;
  readonly acquainted: Acquaintance;
  /** Whether the watch has had its first complete snapshot. */
  readonly hasBaseline: boolean;
  readonly rules: ExpiryRules;
  readonly now: Date;
};

export type Diff = {
  /** The baseline first, then by invite id: the order of the list does not matter. */
  readonly events: readonly EventDraft[];
  /** Every invite that is new or has to be written anew. */
  readonly invites: readonly Invite[];
};

type Step = { readonly invite: Invite; readonly events: readonly EventDraft[] };

/** The events since `known`, and the invites as they now are. Equal states give neither. */
export function diff(input: DiffInput): Diff {
  const { known, snapshot, unchanged } = input;
  const listed = new Map(snapshot.invites.map((invite) => [invite.id, invite]));
  const baseline = snapshot.kind === "complete" && !input.hasBaseline ? baselineEvent(snapshot, input.now) : null;

  const events: EventDraft[] = baseline === null ? [] : [baseline];
  const invites: Invite[] = [];
  const ids = [...new Set([...known.keys(), ...listed.keys()])].filter((id) => !unchanged.has(id)).sort();
  for (const id of ids) {
    const before = known.get(id);
    const observed = observe(before, listed.get(id), input, baseline !== null);
    const { invite, events: clocked } = applyClock(observed.invite, input);
    events.push(...observed.events, ...clocked);
    if (invite !== before) invites.push(before === undefined ? invite : inCalendar(before, invite));
  }
  return { events, invites };
}

/** The invite with its calendar entry counted on where what it shows is not what it showed before. */
function inCalendar(before: Invite, invite: Invite): Invite {
  const same = before.status === invite.status && before.expiresAt?.getTime() === invite.expiresAt?.getTime();
  return same ? invite : { ...invite, calendarSequence: before.calendarSequence + 1 };
}

/** Our word for the API's status; null where the API said none. */
export function statusOf(apiStatus: string | null): string | null {
  if (apiStatus === null) return null;
  const lower = apiStatus.toLowerCase();
  return ["pending", "accepted", "rejected", "expired"].includes(lower) ? lower : apiStatus;
}

function baselineEvent(snapshot: CompleteSnapshot, now: Date): EventDraft<"watch.baseline"> {
  const pending = snapshot.invites.filter(
    (invite) => (statusOf(invite.apiStatus) ?? "pending") === "pending" && !hasEnded(invite, now),
  );
  return {
    type: "watch.baseline",
    inviteId: null,
    occurredAt: snapshot.takenAt,
    data: { invites: snapshot.invites.length, pending: pending.length },
  };
}

/** What the API says of one invite: listed, not listed, or not listed where that proves nothing. */
function observe(
  before: Invite | undefined,
  listed: ListedInvite | undefined,
  input: DiffInput,
  baseline: boolean,
): Step {
  if (listed !== undefined) {
    if (before === undefined) return receive(listed, input, baseline);
    return relist(before, listed, { listed: true, source: "list", takenAt: input.snapshot.takenAt, input });
  }
  if (before === undefined) throw new Error("an id comes from the known invites or from the list");
  if (input.snapshot.kind !== "complete") return { invite: before, events: [] };
  return vanish(before, input.snapshot, input);
}

/** An id not seen before. */
function receive(listed: ListedInvite, input: DiffInput, baseline: boolean): Step {
  const takenAt = input.snapshot.takenAt;
  const received: Invite = {
    ...listed,
    watch: input.watch,
    status: statusOf(listed.apiStatus) ?? "pending",
    firstSeenAt: takenAt,
    lastChangedAt: takenAt,
    listed: true,
    alertedLeadMs: null,
    missingSince: null,
    acknowledgedAt: null,
    cautions: [],
    calendarSequence: 0,
  };
  // At the baseline everybody is a stranger.
  const invite = baseline ? received : { ...received, cautions: suspicionsOf(received, input.acquainted) };
  const reinvited = listed.organizationId !== null && input.invitedBefore.has(listed.organizationId);
  return {
    invite,
    events: [
      {
        type: "invite.received",
        inviteId: invite.id,
        occurredAt: takenAt,
        data: { invite: inviteJson(invite), baseline, reinvited },
      },
      ...unrecognised(invite, [], takenAt),
    ],
  };
}

type Relisting = {
  readonly listed: boolean;
  readonly source: StatusSource;
  readonly takenAt: Date;
  readonly input: DiffInput;
};

/** A known invite of which the API spoke again, in the list or by its id. */
function relist(before: Invite, listing: ListedInvite, { listed, source, takenAt, input }: Relisting): Step {
  const sameAsBefore =
    before.listed === listed && before.fingerprint === listing.fingerprint && !endedTooSoon(before, input.now);
  if (sameAsBefore && before.missingSince === null && before.status !== "withdrawn")
    return { invite: before, events: [] };

  const changes = changesBetween(before, listing);
  const status = nextStatus(before, listing, input.now);
  const returned = before.status === "withdrawn";
  const reopened = status === "pending" && before.status !== "pending";
  const changed = Object.keys(changes).length > 0 || status !== before.status;
  const invite: Invite = {
    ...before,
    ...listing,
    status,
    listed,
    missingSince: null,
    lastChangedAt: changed || returned ? later(takenAt, before.lastChangedAt) : before.lastChangedAt,
    alertedLeadMs: returned || endsLater(before, listing) ? null : before.alertedLeadMs,
    acknowledgedAt: returned || reopened ? null : before.acknowledgedAt,
  };
  const about = { inviteId: before.id, occurredAt: takenAt };
  const events: EventDraft[] = [];
  if (returned) events.push({ type: "invite.returned", ...about, data: { invite: inviteJson(invite) } });
  else {
    if (Object.keys(changes).length > 0) events.push({ type: "invite.changed", ...about, data: { changes } });
    if (status !== before.status) {
      events.push({ type: "invite.status_changed", ...about, data: { from: before.status, to: status, source } });
    }
  }
  return { invite, events: [...events, ...unrecognised(invite, before.oddities, takenAt)] };
}

/**
 * The status after a listing. Silence of the API changes nothing; where the clock has passed the end,
 * neither "pending" nor "expired" adds to what the clock says.
 */
function nextStatus(before: Invite, listing: ListedInvite, now: Date): string {
  const stated = statusOf(listing.apiStatus);
  if (before.status === "withdrawn") return stated ?? "pending";
  if (stated === null) {
    return before.status === "expired" && endsLater(before, listing) && !hasEnded(listing, now)
      ? "pending"
      : before.status;
  }
  const endedByClock = hasEnded(listing, now);
  if (endedByClock && stated === "pending" && before.status === "expired") return "expired";
  if (endedByClock && stated === "expired" && before.status === "pending") return "pending";
  return stated;
}

/** Whether it was taken to be over by a clock that ran ahead: the API still has it as pending, and its end is to come. */
function endedTooSoon({ status, apiStatus, expiresAt }: Invite, now: Date): boolean {
  return status === "expired" && statusOf(apiStatus) === "pending" && expiresAt !== null && isFuture(expiresAt, now);
}

/** A known invite that a complete snapshot does not list. */
function vanish(before: Invite, snapshot: CompleteSnapshot, input: DiffInput): Step {
  const unlisted: Invite = before.listed ? { ...before, listed: false } : before;
  if (before.status !== "pending") return { invite: unlisted, events: [] };
  const { takenAt } = snapshot;
  const found = input.whereabouts.get(before.id) ?? null;

  switch (found?.kind) {
    case "found":
      return relist(before, found.invite, { listed: false, source: "detail", takenAt, input });
    case "accepted":
      return {
        invite: {
          ...unlisted,
          status: "accepted",
          lastChangedAt: later(takenAt, before.lastChangedAt),
          missingSince: null,
        },
        events: [
          {
            type: "invite.status_changed",
            inviteId: before.id,
            occurredAt: takenAt,
            data: { from: before.status, to: "accepted", source: "memberships" },
          },
        ],
      };
    case "absent":
      if (before.missingSince === null || isFuture(before.missingSince, input.now))
        return { invite: { ...unlisted, missingSince: takenAt }, events: [] };
      // The snapshot that missed it first is no second one, however often it is told.
      if (takenAt <= before.missingSince) return { invite: unlisted, events: [] };
      return {
        invite: { ...unlisted, status: "withdrawn", lastChangedAt: later(takenAt, before.lastChangedAt) },
        events: [
          {
            type: "invite.withdrawn",
            inviteId: before.id,
            occurredAt: takenAt,
            data: { evidence: `${found.evidence}; not listed since ${before.missingSince.toISOString()}` },
          },
        ],
      };
    default:
      return { invite: unlisted, events: [] };
  }
}

/** What the clock alone says of a pending invite: that it ended, or that a threshold was crossed. */
function applyClock(invite: Invite, { rules, now }: DiffInput): Step {
  if (invite.status !== "pending" || invite.expiresAt === null) return { invite, events: [] };
  const expiresAt = invite.expiresAt.toISOString();
  if (hasEnded(invite, now)) {
    return {
      invite: { ...invite, status: "expired", lastChangedAt: later(invite.expiresAt, invite.lastChangedAt) },
      events: [{ type: "invite.expired", inviteId: invite.id, occurredAt: invite.expiresAt, data: { expiresAt } }],
    };
  }
  const due = dueAlert(invite, rules, now);
  if (due === null) {
    return { invite: isAlertedTooSoon(invite, now) ? { ...invite, alertedLeadMs: null } : invite, events: [] };
  }
  return {
    invite: { ...invite, alertedLeadMs: due.leadMs },
    events: [
      {
        type: "invite.expiring",
        inviteId: invite.id,
        occurredAt: due.crossedAt,
        data: { threshold: due.threshold, expiresAt, covers: due.covers },
      },
    ],
  };
}

/** One event for what we could not read, unless the same was said before. */
function unrecognised(invite: Invite, saidBefore: readonly string[], occurredAt: Date): readonly EventDraft[] {
  const news = invite.oddities.filter((oddity) => !saidBefore.includes(oddity));
  if (news.length === 0) return [];
  return [
    {
      type: "invite.unrecognised",
      inviteId: invite.id,
      occurredAt,
      data: { reason: news.join("; "), raw: { status: invite.apiStatus, ...invite.extra } },
    },
  ];
}

/** Whether the end moved to a later instant, or became known. */
function endsLater(before: Invite, listing: ListedInvite): boolean {
  return listing.expiresAt !== null && (before.expiresAt === null || listing.expiresAt > before.expiresAt);
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}
