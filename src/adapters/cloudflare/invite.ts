/**
 * Reads one invite of the API: unknown JSON in, a ListedInvite out.
 *
 * Tolerant by design: nothing that the API says of an invite may hide the invite. What was not
 * understood becomes a sentence in `oddities` and is kept, under the API's name, in `extra`.
 *
 * @see https://developers.cloudflare.com/api/resources/user/subresources/invites/
 */
import { hash } from "node:crypto";
import type { InviteFields, ListedInvite } from "../../domain/invite.ts";
import type { Json, JsonObject } from "../../domain/json.ts";
import { oneLine } from "../../domain/one-line.ts";
import { parseInstant } from "./instant.ts";
import { idText, isObject, type RawObject } from "./json.ts";
import { keyText, LONGEST_KEY, quote, storable } from "./text.ts";

/** The start of an id that is ours because the API gave none; such an id cannot be asked for. */
export const SURROGATE_PREFIX = "surrogate-";

const KNOWN_STATUSES = new Set(["pending", "accepted", "rejected", "expired"]);

/** Deeper nesting than this is not kept: recursing readers (Postgres, JSON.stringify) have their limits. */
const MAX_DEPTH = 64;

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  "id",
  "status",
  "organization_id",
  "organization_name",
  "organization_is_enforcing_twofactor",
  "invited_member_id",
  "invited_member_email",
  "invited_by",
  "roles",
  "invited_on",
  "expires_on",
]);

type Reading = {
  readonly raw: RawObject;
  readonly oddities: string[];
  /** API names of the known fields whose raw value is kept in `extra`. */
  readonly misread: string[];
};

/**
 * The invite that a JSON value describes, or null where the value is no object.
 *
 * Any field may be missing, null or of a wrong type. No text of the answer holds NUL characters or
 * lone surrogates.
 */
export function parseInvite(raw: unknown): ListedInvite | null {
  if (!isObject(raw)) return null;

  const reading: Reading = { raw, oddities: [], misread: [] };
  const organizationId = readId(reading, "organization_id");
  const invitedMemberId = readId(reading, "invited_member_id");
  const invitedMemberEmail = readText(reading, "invited_member_email");
  const givenId = readId(reading, "id");
  const fields: InviteFields = {
    id: givenId ?? surrogateId(organizationId, invitedMemberEmail ?? invitedMemberId, raw.invited_on),
    apiStatus: readStatus(reading),
    organizationId,
    organizationName: readText(reading, "organization_name"),
    organizationEnforcesTwoFactor: readFlag(reading, "organization_is_enforcing_twofactor"),
    invitedMemberId,
    invitedMemberEmail,
    invitedBy: readText(reading, "invited_by"),
    roles: readRoles(reading),
    invitedAt: readInstant(reading, "invited_on"),
    expiresAt: readInstant(reading, "expires_on"),
  };
  const extra = readExtra(reading);
  return { ...fields, fingerprint: fingerprintOf(fields, extra), extra, oddities: reading.oddities };
}

function misread(reading: Reading, name: string, problem: string): null {
  reading.oddities.push(`${name} ${problem}: ${quote(reading.raw[name])}`);
  reading.misread.push(name);
  return null;
}

function readId(reading: Reading, name: string): string | null {
  const value = reading.raw[name];
  if (value === undefined || value === null || value === "") return null;
  noteLength(reading, name);
  return idText(value) ?? misread(reading, name, "is neither a text nor a number");
}

/** What is too long for a key is kept in full beside it. */
function noteLength({ raw, oddities, misread }: Reading, name: string): void {
  const value = raw[name];
  if (typeof value !== "string" || value.length <= LONGEST_KEY) return;
  oddities.push(`${name} has ${value.length} characters: it goes by its beginning and a hash`);
  misread.push(name);
}

function readText(reading: Reading, name: string): string | null {
  const value = reading.raw[name];
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return storable(value);
  return misread(reading, name, "is not a text");
}

function readFlag(reading: Reading, name: string): boolean | null {
  const value = reading.raw[name];
  if (value === undefined || value === null) return null;
  return typeof value === "boolean" ? value : misread(reading, name, "is not true or false");
}

function readStatus(reading: Reading): string | null {
  noteLength(reading, "status");
  const text = readText(reading, "status");
  const status = text === null ? null : keyText(text);
  if (status === null) {
    if (!reading.misread.includes("status")) reading.oddities.push("status missing: the invite is taken for pending");
  } else if (!KNOWN_STATUSES.has(status.toLowerCase())) {
    reading.oddities.push(`status is none that we know: ${quote(status)}`);
  }
  return status;
}

function readInstant(reading: Reading, name: string): Date | null {
  const value = reading.raw[name];
  if (value === undefined || value === null) return null;
  const at = typeof value === "string" ? parseInstant(value) : null;
  return at ?? misread(reading, name, "is not a date");
}

/** Role names; the whole list is kept beside them where any role is more, or other, than a name. */
function readRoles(reading: Reading): string[] {
  const value = reading.raw.roles;
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    misread(reading, "roles", "is not a list");
    return [];
  }
  const names = value
    .map((role) => (isObject(role) ? role.name : role))
    .filter((name) => typeof name === "string")
    .map(storable);
  const nameless = value.length - names.length;
  if (nameless > 0) reading.oddities.push(`roles holds ${nameless} of ${value.length} without a name`);
  if (value.some((role) => typeof role !== "string")) reading.misread.push("roles");
  return names;
}

function readExtra({ raw, misread }: Reading): JsonObject | null {
  const kept: [string, unknown][] = [];
  for (const name in raw) {
    if (!KNOWN_FIELDS.has(name) || misread.includes(name)) kept.push([name, raw[name]]);
  }
  return kept.length === 0 ? null : (keep(Object.fromEntries(kept), 0) as JsonObject);
}

/**
 * A copy of a JSON value that can be stored and hashed: sorted keys, clean text, finite numbers.
 *
 * Object.fromEntries defines properties, so that a key called `__proto__` stays a key.
 */
function keep(value: unknown, depth: number): Json {
  if (typeof value === "string") return storable(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "boolean") return value;
  if (typeof value !== "object" || value === null) return null;
  if (depth === MAX_DEPTH) return "(nested too deeply to be kept)";
  if (Array.isArray(value)) return value.map((item) => keep(item, depth + 1));
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [storable(name), keep((value as RawObject)[name], depth + 1)]));
}

function surrogateId(organizationId: string | null, invited: string | null, invitedOn: unknown): string {
  const invitedAt =
    typeof invitedOn === "string" ? (parseInstant(invitedOn)?.toISOString() ?? oneLine(invitedOn, 100)) : null;
  const digest = hash("sha256", JSON.stringify([organizationId, invited, invitedAt]), "hex");
  return SURROGATE_PREFIX + digest.slice(0, 32);
}

function fingerprintOf(fields: InviteFields, extra: JsonObject | null): string {
  const { invitedAt, expiresAt } = fields;
  const said = [
    fields.id,
    fields.apiStatus,
    fields.organizationId,
    fields.organizationName,
    fields.organizationEnforcesTwoFactor,
    fields.invitedMemberId,
    fields.invitedMemberEmail,
    fields.invitedBy,
    fields.roles,
    // As numbers: the dates' toJSON would cost more than all the rest.
    invitedAt === null ? null : invitedAt.getTime(),
    expiresAt === null ? null : expiresAt.getTime(),
    extra,
  ];
  return hash("sha256", JSON.stringify(said), "base64url");
}
