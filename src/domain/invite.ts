/**
 * What an invite is: the fields that the API gives, and what we observed beside them.
 *
 * `expires_on` and `invited_on` keep the API's names only in the Cloudflare adapter.
 *
 * @see https://developers.cloudflare.com/api/resources/user/subresources/invites/
 */
import type { Json, JsonObject } from "./json.ts";

/** What the API says of one invite. Every field but `id` may be absent, which is `null` here. */
export type InviteFields = {
  /** Cloudflare's id, or a stable surrogate where the API gave none. */
  readonly id: string;
  /** The status in the API's own words: pending, accepted, rejected, expired, or one that we do not know. */
  readonly apiStatus: string | null;
  readonly organizationId: string | null;
  readonly organizationName: string | null;
  readonly organizationEnforcesTwoFactor: boolean | null;
  readonly invitedMemberId: string | null;
  readonly invitedMemberEmail: string | null;
  readonly invitedBy: string | null;
  /** Role names in the API's order; roles given as objects are known by their `name`. */
  readonly roles: readonly string[];
  readonly invitedAt: Date | null;
  readonly expiresAt: Date | null;
};

/** One invite as a snapshot lists it. */
export type ListedInvite = InviteFields & {
  /** Equal for two listings exactly when the API said the same of the invite. */
  readonly fingerprint: string;
  /** Fields that we do not know, kept as they came; `null` where there are none. */
  readonly extra: JsonObject | null;
  /** What we could not read, in words ("expires_on is not a date: …"); empty when all was understood. */
  readonly oddities: readonly string[];
};

/** One invite as last known. */
export type Invite = ListedInvite & {
  readonly watch: string;
  /** Ours: pending, accepted, rejected, expired (also by the clock), withdrawn, or what the API said. */
  readonly status: string;
  readonly firstSeenAt: Date;
  readonly lastChangedAt: Date;
  /** Whether the last complete snapshot held it. */
  readonly listed: boolean;
  /** Lead of the most urgent threshold recorded for the present end, in ms before it; null before the first. */
  readonly alertedLeadMs: number | null;
  /** When a complete snapshot was first without it and the API knew nothing of it; null while nothing is amiss. */
  readonly missingSince: Date | null;
  /** When somebody said that it is taken care of: no reminders since; null where nobody did. */
  readonly acknowledgedAt: Date | null;
  /** Reasons to look twice at it, each a clause, as of when it was received. */
  readonly cautions: readonly string[];
  /** How often what a calendar shows of it has changed: the SEQUENCE of its calendar entry. */
  readonly calendarSequence: number;
};

/** Unlike the id alone, unique over all watches. */
export function inviteKey({ watch, id }: Pick<Invite, "watch" | "id">): string {
  return `${watch}/${id}`;
}

/** The public JSON shape of an invite; its keys and their order are part of the contract. */
export type InviteJson = {
  readonly watch: string;
  readonly id: string;
  readonly status: string;
  readonly apiStatus: string | null;
  readonly organizationId: string | null;
  readonly organizationName: string | null;
  readonly organizationEnforcesTwoFactor: boolean | null;
  readonly invitedMemberId: string | null;
  readonly invitedMemberEmail: string | null;
  readonly invitedBy: string | null;
  readonly roles: readonly string[];
  readonly invitedAt: string | null;
  readonly expiresAt: string | null;
  readonly firstSeenAt: string;
  readonly lastChangedAt: string;
  readonly listed: boolean;
};

/** The invite in its public shape: instants as RFC 3339 UTC with milliseconds. */
export function inviteJson(invite: Invite): InviteJson {
  return {
    watch: invite.watch,
    id: invite.id,
    status: invite.status,
    apiStatus: invite.apiStatus,
    organizationId: invite.organizationId,
    organizationName: invite.organizationName,
    organizationEnforcesTwoFactor: invite.organizationEnforcesTwoFactor,
    invitedMemberId: invite.invitedMemberId,
    invitedMemberEmail: invite.invitedMemberEmail,
    invitedBy: invite.invitedBy,
    roles: invite.roles,
    invitedAt: invite.invitedAt?.toISOString() ?? null,
    expiresAt: invite.expiresAt?.toISOString() ?? null,
    firstSeenAt: invite.firstSeenAt.toISOString(),
    lastChangedAt: invite.lastChangedAt.toISOString(),
    listed: invite.listed,
  };
}

/** The keys whose change is an event of its own; the status has its own type of event. */
const COMPARED = [
  "organizationId",
  "organizationName",
  "organizationEnforcesTwoFactor",
  "invitedMemberId",
  "invitedMemberEmail",
  "invitedBy",
  "roles",
  "invitedAt",
  "expiresAt",
] as const;

type Changes = { [field: string]: { readonly from: Json; readonly to: Json } };

/** The fields that differ, in their public form. Roles are a set: their order says nothing. */
export function changesBetween(before: InviteFields, after: InviteFields): Changes {
  const changes: Changes = {};
  for (const field of COMPARED) {
    const from = publicForm(before[field]);
    const to = publicForm(after[field]);
    if (JSON.stringify(comparable(from)) !== JSON.stringify(comparable(to))) changes[field] = { from, to };
  }
  return changes;
}

function publicForm(value: InviteFields[(typeof COMPARED)[number]]): Json {
  return value instanceof Date ? value.toISOString() : value;
}

function comparable(value: Json): Json {
  return Array.isArray(value) ? [...value].sort() : value;
}
