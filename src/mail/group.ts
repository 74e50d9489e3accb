/**
 * Puts the events of one mail together per invite, the most urgent invite first.
 */
import type { Event } from "../domain/event.ts";
import { hasEnded, LAST_CHANCE } from "../domain/expiry.ts";
import { type Invite, inviteKey } from "../domain/invite.ts";

/** All that one mail tells of one invite. */
export type InviteNews = {
  /** As now known; blank but for watch and id where nothing is. */
  readonly invite: Invite;
  /** By `seq`; at least one. */
  readonly events: readonly Event[];
  /** The one that says most: it decides the headline and the place in the mail. */
  readonly topic: Event;
  /** Whether it can still be answered. */
  readonly open: boolean;
  /** The place of the topic in `RANK`. */
  readonly rank: number;
};

/** The order of urgency; lower comes first. */
export const RANK = {
  lastChance: 0,
  blind: 1,
  expiring: 2,
  received: 3,
  returned: 4,
  recovered: 5,
  outcome: 6,
  changed: 7,
  other: 8,
} as const;

/**
 * One entry per invite that the events concern, most urgent first; events without an invite are left out.
 *
 * @param events of any watch; two watches may have invites of the same id
 * @param invites as now known
 */
export function groupByInvite(events: readonly Event[], invites: readonly Invite[], now: Date): readonly InviteNews[] {
  const known = new Map(invites.map((invite) => [inviteKey(invite), invite]));
  const eventsByKey = new Map<string, [Event, ...Event[]]>();
  for (const event of events) {
    if (event.inviteId === null) continue;
    const key = inviteKey({ watch: event.watch, id: event.inviteId });
    const others = eventsByKey.get(key);
    if (others) others.push(event);
    else eventsByKey.set(key, [event]);
  }

  return [...eventsByKey]
    .map(([key, own]) => newsOf(known.get(key) ?? blankInvite(own[0]), own, now))
    .sort((a, b) => a.rank - b.rank || compareEnds(a, b) || compareRecorded(a.topic, b.topic));
}

/** The order in which events were recorded, over all watches; within one it is that of the chain. */
export function compareRecorded(a: Event, b: Event): number {
  if (a.watch === b.watch) return a.seq - b.seq;
  return a.recordedAt.getTime() - b.recordedAt.getTime() || (a.watch < b.watch ? -1 : 1);
}

function newsOf(invite: Invite, events: readonly Event[], now: Date): InviteNews {
  const open = invite.status === "pending" && !hasEnded(invite, now);
  const bySeq = events.toSorted((a, b) => a.seq - b.seq);
  const topic = bySeq.reduce((best, event) => (rankOf(event, open) <= rankOf(best, open) ? event : best));
  return { invite, events: bySeq, topic, open, rank: rankOf(topic, open) };
}

function rankOf(event: Event, open: boolean): number {
  switch (event.type) {
    case "invite.expiring":
      if (!open) return RANK.outcome;
      return event.data.threshold === LAST_CHANCE ? RANK.lastChance : RANK.expiring;
    case "invite.received":
      return open ? RANK.received : RANK.outcome;
    case "invite.returned":
    case "invite.status_changed":
      return open ? RANK.returned : RANK.outcome;
    case "invite.expired":
    case "invite.withdrawn":
      return RANK.outcome;
    case "invite.changed":
      return RANK.changed;
    default:
      return RANK.other;
  }
}

/** Outcomes stand in the order in which they happened; everything else by what ends first. */
function compareEnds(a: InviteNews, b: InviteNews): number {
  if (a.rank === RANK.outcome) return 0;
  const first = a.invite.expiresAt?.getTime() ?? Infinity;
  const second = b.invite.expiresAt?.getTime() ?? Infinity;
  return first === second ? 0 : first - second;
}

function blankInvite(event: Event): Invite {
  return {
    id: event.inviteId ?? "",
    watch: event.watch,
    status: "unknown",
    apiStatus: null,
    organizationId: null,
    organizationName: null,
    organizationEnforcesTwoFactor: null,
    invitedMemberId: null,
    invitedMemberEmail: null,
    invitedBy: null,
    roles: [],
    invitedAt: null,
    expiresAt: null,
    fingerprint: "",
    extra: null,
    oddities: [],
    firstSeenAt: event.recordedAt,
    lastChangedAt: event.recordedAt,
    listed: false,
    alertedLeadMs: null,
    missingSince: null,
    acknowledgedAt: null,
    calendarSequence: 0,
    cautions: [],
  };
}
