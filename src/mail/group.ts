/**
 * Puts the events of one mail together per invite, the most urgent invite first.
 */
import type { Event } from "../domain/event.ts";
import { hasEnded, LAST_CHANCE } from "../domain/expiry.ts";
import type { Invite } from "../domain/invite.ts";

/** All that one mail tells of one invite. */
export type InviteNews = {
  /** As now known; blank but for its id where nothing is. */
  readonly invite: Invite;
  /** By `seq`; at least one. */
  readonly events: readonly Event[];
  /** The one that says most: it decides the headline and the place in the mail. */
  readonly topic: Event;
  /** Whether it can still be answered. */
  readonly open: boolean;
};

/** The order of urgency; lower comes first. */
const RANK = { lastChance: 0, expiring: 1, received: 2, returned: 3, outcome: 4, changed: 5, other: 6 } as const;

/**
 * One entry per invite that the events concern, most urgent first; events without an invite are left out.
 *
 * @param invites as now known, by id
 */
export function groupByInvite(
  events: readonly Event[],
  invites: ReadonlyMap<string, Invite>,
  now: Date,
): readonly InviteNews[] {
  const eventsById = new Map<string, Event[]>();
  for (const event of events) {
    if (event.inviteId === null) continue;
    const known = eventsById.get(event.inviteId);
    if (known) known.push(event);
    else eventsById.set(event.inviteId, [event]);
  }

  return [...eventsById]
    .map(([id, own]) => newsOf(invites.get(id) ?? blankInvite(id, own[0] as Event), own, now))
    .map((news) => ({ news, rank: rankOf(news.topic, news.open), end: news.invite.expiresAt?.getTime() ?? Infinity }))
    .sort((a, b) => a.rank - b.rank || compareEnds(a, b) || a.news.topic.seq - b.news.topic.seq)
    .map(({ news }) => news);
}

function newsOf(invite: Invite, events: readonly Event[], now: Date): InviteNews {
  const open = invite.status === "pending" && !hasEnded(invite, now);
  const bySeq = events.toSorted((a, b) => a.seq - b.seq);
  const topic = bySeq.reduce((best, event) => (rankOf(event, open) <= rankOf(best, open) ? event : best));
  return { invite, events: bySeq, topic, open };
}

function rankOf(event: Event, open: boolean): number {
  switch (event.type) {
    case "invite.expiring":
      if (!open) return RANK.outcome;
      return event.data.threshold === LAST_CHANCE ? RANK.lastChance : RANK.expiring;
    case "invite.received":
      return open ? RANK.received : RANK.outcome;
    case "invite.returned":
      return open ? RANK.returned : RANK.outcome;
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
function compareEnds(a: { rank: number; end: number }, b: { rank: number; end: number }): number {
  return a.rank === RANK.outcome || a.end === b.end ? 0 : a.end - b.end;
}

function blankInvite(id: string, event: Event): Invite {
  return {
    id,
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
  };
}
