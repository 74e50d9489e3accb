/** Names and values of an invitation's fields in words for people. */
import { spellInstantsBy } from "../domain/instants.ts";
import type { Json } from "../domain/json.ts";
import { defang, isolate, quote } from "./defang.ts";
import type { Times } from "./times.ts";

const LABELS: ReadonlyMap<string, string> = new Map([
  ["apiStatus", "Status at Cloudflare"],
  ["organizationId", "Organization id"],
  ["organizationName", "Organization"],
  ["organizationEnforcesTwoFactor", "Two-factor"],
  ["invitedMemberId", "Member id"],
  ["invitedMemberEmail", "Invited address"],
  ["invitedBy", "Invited by"],
  ["roles", "Roles"],
  ["invitedAt", "Invited"],
  ["expiresAt", "End"],
]);
const INSTANTS: ReadonlySet<string> = new Set(["invitedAt", "expiresAt"]);
/** The statuses that are our own words. */
const STATUSES: ReadonlySet<string> = new Set(["pending", "accepted", "rejected", "expired", "withdrawn", "unknown"]);
const ID = /^[0-9a-f]{32}$/;

/** "Two-factor" for `organizationEnforcesTwoFactor`; undefined for a field that we have no name for. */
export function fieldLabel(field: string): string | undefined {
  return LABELS.get(field);
}

/** The value of a field of an invitation, quoted where others wrote it; "nothing" for null. */
export function fieldValue(field: string, value: Json, times: Times): string {
  if (value === null) return "nothing";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" && INSTANTS.has(field) && !Number.isNaN(Date.parse(value))) {
    return times.absolute(new Date(value));
  }
  if (typeof value === "string") return idOrQuote(value, 100);
  if (field === "roles" && Array.isArray(value)) return roleList(value.map(String));
  return quote(JSON.stringify(value), 120);
}

/** The roles in quotation marks, the first ten. */
export function roleList(roles: readonly string[]): string {
  if (roles.length === 0) return "none given";
  const shown = roles.slice(0, 10).map((role) => quote(role, 60));
  return shown.join(", ") + (roles.length > shown.length ? ` (and ${roles.length - shown.length} more)` : "");
}

/** A status in words: ours as it is, any other quoted. */
export function statusName(status: string): string {
  return STATUSES.has(status) ? status : quote(status, 24);
}

/** "was accepted": to be put behind the invitation that it is said of. */
export function statusPhrase(status: string): string {
  if (status === "accepted" || status === "rejected" || status === "withdrawn") return `was ${status}`;
  if (status === "expired") return "has expired";
  return status === "pending" ? "is open again" : `has the status ${statusName(status)}`;
}

/** An id of Cloudflare's as it is, so that it can be copied; anything else defanged and quoted. */
export function idOrQuote(text: string, maxLength: number): string {
  return ID.test(text) ? text : quote(text, maxLength);
}

/**
 * Text of our own that may hold text of others, made safe, with instants in the words that the mail uses.
 *
 * @param maxLength in graphemes
 */
export function foreign(text: string, times: Times, maxLength = 300): string {
  return isolate(defang(spellInstants(text, times), maxLength));
}

/** The text with instants in RFC 3339 put into the words that the mail uses; the rest untouched. */
export function spellInstants(text: string, times: Times): string {
  return spellInstantsBy(text, times.absolute);
}
