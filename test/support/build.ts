/**
 * Builders of the domain's shapes: what a test does not say is plain and the same every time.
 *
 * An invite that is built twice from the same words has the same fingerprint.
 */
import { type DiffInput, NO_ACQUAINTANCE } from "../../src/domain/diff.ts";
import type { Event, EventDataByType, EventType } from "../../src/domain/event.ts";
import type { ExpiryRules, Threshold } from "../../src/domain/expiry.ts";
import { type Invite, inviteJson, type ListedInvite } from "../../src/domain/invite.ts";
import type { Notification } from "../../src/domain/notification.ts";
import type { Route, RouteMatch } from "../../src/domain/routing.ts";
import type { Silence } from "../../src/domain/silence.ts";
import type { CompleteSnapshot, FailedSnapshot, IncompleteSnapshot, Shortfall } from "../../src/domain/snapshot.ts";
import { DAY, HOUR, MINUTE } from "./durations.ts";

/** The present of every test that turns no clock. */
export const NOW = new Date("2026-03-02T10:00:00.000Z");

/** The instant so many ms from `NOW`. */
export function after(ms: number, from = NOW): Date {
  return new Date(from.getTime() + ms);
}

/** 72h, 24h, 6h and 25%, polled every 15 minutes: the defaults. */
export const RULES: ExpiryRules = {
  thresholds: [lead("72h", 72 * HOUR), lead("24h", 24 * HOUR), lead("6h", 6 * HOUR), share("25%", 0.25)],
  intervalMs: 15 * MINUTE,
};

export function lead(name: string, ms: number): Threshold {
  return { kind: "lead", name, ms };
}

export function share(name: string, part: number): Threshold {
  return { kind: "share", name, share: part };
}

const PLAIN = {
  id: "a",
  apiStatus: "pending" as string | null,
  organizationId: "org",
  organizationName: "Acme",
  organizationEnforcesTwoFactor: false,
  invitedMemberId: null,
  invitedMemberEmail: "you@example.com",
  invitedBy: "amara@acme.example",
  roles: ["Administrator"],
  invitedAt: after(-HOUR),
  expiresAt: after(10 * DAY),
  extra: null,
};

/** A pending invite as the API lists it, invited an hour ago and ending in ten days. */
export function listed(overrides: Partial<ListedInvite> = {}): ListedInvite {
  const said = Object.keys(PLAIN).map((key) => ({ ...PLAIN, ...overrides })[key as keyof typeof PLAIN]);
  return { ...PLAIN, oddities: [], fingerprint: JSON.stringify(said), ...overrides };
}

/** An invite as known since an hour ago, of which no alert has been given. */
export function invite(overrides: Partial<Invite> = {}): Invite {
  const fields = listed(overrides);
  return {
    watch: "default",
    status: fields.apiStatus ?? "pending",
    firstSeenAt: after(-HOUR),
    lastChangedAt: after(-HOUR),
    listed: true,
    alertedLeadMs: null,
    missingSince: null,
    acknowledgedAt: null,
    cautions: [],
    calendarSequence: 0,
    ...fields,
    ...overrides,
  };
}

/** A snapshot that was proved to be complete. */
export function complete(invites: readonly ListedInvite[], takenAt = NOW): CompleteSnapshot {
  return { kind: "complete", takenAt, pages: 1, totalCount: invites.length, clockSkewMs: null, invites };
}

type Short = { readonly reason?: string; readonly takenAt?: Date };

/** A snapshot of which nobody knows whether it is all. */
export function incomplete({
  invites = [],
  reason = "page 2: HTTP 502",
  takenAt = NOW,
}: Short & { readonly invites?: readonly ListedInvite[] } = {}): IncompleteSnapshot {
  return {
    kind: "incomplete",
    takenAt,
    pages: 1,
    totalCount: null,
    clockSkewMs: null,
    invites,
    shortfall: shortfall({ reason }),
  };
}

/** A poll that read nothing. */
export function failed({ reason = "HTTP 502", takenAt = NOW }: Short = {}): FailedSnapshot {
  return {
    kind: "failed",
    takenAt,
    pages: 0,
    totalCount: null,
    clockSkewMs: null,
    invites: [],
    shortfall: shortfall({ reason }),
  };
}

export function shortfall(overrides: Partial<Shortfall> = {}): Shortfall {
  return { reason: "HTTP 502", cause: "server", httpStatus: 502, code: null, cfRay: null, ...overrides };
}

/** A diff's input in which nothing is known, an empty complete snapshot was taken, and the baseline is past. */
export function diffInput(
  overrides: Partial<Omit<DiffInput, "known">> & { readonly known?: readonly Invite[] } = {},
): DiffInput {
  const { known = [], ...rest } = overrides;
  return {
    watch: "default",
    known: new Map(known.map((one) => [one.id, one])),
    unchanged: new Set(),
    snapshot: complete([]),
    whereabouts: new Map(),
    invitedBefore: new Set(),
    acquainted: NO_ACQUAINTANCE,
    hasBaseline: true,
    rules: RULES,
    now: NOW,
    ...rest,
  };
}

/** A recorded event; its hashes are not those of a chain. */
export function event<T extends EventType>(type: T, data: EventDataByType[T], overrides: Partial<Event> = {}): Event {
  const recorded = { watch: "default", seq: 1, recordedAt: NOW, syncId: null, prevHash: "", hash: "" };
  return {
    ...recorded,
    id: `event ${overrides.seq ?? 1}`,
    type,
    inviteId: "a",
    occurredAt: NOW,
    data,
    ...overrides,
  } as Event;
}

export function received(overrides: Partial<Event> = {}, about: Partial<Invite> = {}): Event<"invite.received"> {
  const told = inviteJson(invite({ id: overrides.inviteId ?? "a", ...about }));
  return event(
    "invite.received",
    { invite: told, baseline: false, reinvited: false },
    overrides,
  ) as Event<"invite.received">;
}

/** A reminder of an end, as `invite()` has it. */
export function expiring(overrides: Partial<Event> = {}, endsAt = after(10 * DAY)): Event<"invite.expiring"> {
  const data = { threshold: "24h", expiresAt: endsAt.toISOString(), covers: [] };
  return event("invite.expiring", data, overrides) as Event<"invite.expiring">;
}

export function statusChanged(to: string, overrides: Partial<Event> = {}): Event<"invite.status_changed"> {
  return event(
    "invite.status_changed",
    { from: to === "pending" ? "accepted" : "pending", to, source: "list" },
    overrides,
  ) as Event<"invite.status_changed">;
}

export function blind(atRisk: readonly string[] = [], overrides: Partial<Event> = {}): Event<"watch.blind"> {
  const data = { reason: "HTTP 403", since: after(-HOUR).toISOString(), until: null, atRisk };
  return event("watch.blind", data, { inviteId: null, ...overrides }) as Event<"watch.blind">;
}

/** A silence of the organization Acme until tomorrow. */
export function silence(overrides: Partial<Silence> = {}): Silence {
  return {
    id: "s1",
    watch: null,
    inviteId: null,
    organization: "Acme",
    until: after(DAY),
    reason: "a move",
    by: "ops",
    createdAt: after(-HOUR),
    endedAt: null,
    ...overrides,
  };
}

/** A route that takes everything to the lawyers in place of the watch's own people. */
export function route(match: Partial<RouteMatch> = {}, overrides: Partial<Route> = {}): Route {
  const any = { watch: null, organization: null, inviter: null, role: null, type: null };
  return { name: "routes[0]", match: { ...any, ...match }, to: ["legal@example.com"], also: false, ...overrides };
}

/** A mail to ops that is owed now and was never held. */
export function notification(overrides: Partial<Notification> = {}): Notification {
  return {
    id: "n1",
    watch: "default",
    recipient: "ops@example.com",
    kind: "invite.received",
    subject: null,
    messageId: "n1@example.com",
    state: "pending",
    reason: null,
    heldBy: null,
    rules: ["default"],
    coveredBy: null,
    attempts: 0,
    createdAt: NOW,
    deliveredAt: null,
    response: null,
    error: null,
    nextAttemptAt: NOW,
    releasedAt: null,
    usefulUntil: null,
    maybeAccepted: false,
    syncId: "sync",
    eventSeqs: [1],
    ...overrides,
  };
}
