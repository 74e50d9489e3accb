/** Invitations and memberships as the Cloudflare API words them, well-formed and realistic, for the demo, tests and benchmarks. */
import { createHash } from "node:crypto";

/**
 * One invitation on the wire; for a malformed one, spread it into an object of another type.
 *
 * @see https://developers.cloudflare.com/api/resources/user/subresources/invites/
 */
export type ApiInvite = {
  readonly id: string;
  readonly invited_member_id: string | null;
  readonly invited_member_email: string;
  readonly organization_id: string;
  readonly organization_name: string;
  readonly organization_is_enforcing_twofactor: boolean;
  readonly roles: readonly string[];
  readonly invited_by: string;
  readonly invited_on: string;
  readonly expires_on: string;
  /** pending, accepted, rejected, expired; the API may know more. */
  readonly status: string;
};

/** One membership on the wire: an account that the user belongs to. */
export type ApiMembership = {
  readonly id: string;
  readonly code: string;
  readonly status: string;
  readonly account: {
    readonly id: string;
    readonly name: string;
    readonly type: string;
    readonly settings: { readonly enforce_twofactor: boolean };
  };
  readonly roles: readonly string[];
  readonly permissions: { readonly [scope: string]: { readonly read: boolean; readonly write: boolean } };
};

const organizations = [
  "Northwind Traders",
  "Contoso Ltd",
  "Fabrikam, Inc.",
  "Adatum Corporation",
  "Tailwind Traders",
  "Woodgrove Bank",
  "Litware GmbH",
  "Proseware & Söhne",
  "Wingtip Toys",
  "Trey Research",
  "Graphic Design Institute",
  "Coho Winery",
];
const inviters = ["amara.okafor", "jonas.weber", "mei.tanaka", "lucia.ferrari", "sam.novak", "priya.raman", "ole.lund"];
const roleSets = [
  ["Administrator"],
  ["Administrator Read Only"],
  ["DNS", "Cache Purge"],
  ["Super Administrator - All Privileges"],
  ["Billing"],
];
const dayMs = 86_400_000;

let lastNumber = 0;

/**
 * A pending invitation that ends in three days, with what `overrides` says in its place.
 *
 * @param number decides the id, the names and the roles; by default one more than the last time
 */
export function sampleInvite(overrides: Partial<ApiInvite> = {}, number = ++lastNumber): ApiInvite {
  const round = Math.floor(number / organizations.length);
  const organization = pick(organizations, number) + (round === 0 ? "" : ` ${round + 1}`);
  const name = overrides.organization_name ?? organization;
  return {
    id: hexId(`invite ${number}`),
    invited_member_id: null,
    invited_member_email: "you@example.com",
    organization_id: hexId(`organization ${name}`),
    organization_name: name,
    organization_is_enforcing_twofactor: number % 3 === 0,
    roles: pick(roleSets, number),
    invited_by: `${pick(inviters, number)}@${hostName(name)}.example`,
    invited_on: apiInstant(Date.now() - dayMs),
    expires_on: apiInstant(Date.now() + 3 * dayMs),
    status: "pending",
    ...overrides,
  };
}

/** The membership that accepting the invitation brings about. */
export function membershipOf(invite: ApiInvite): ApiMembership {
  return {
    id: hexId(`membership ${invite.organization_id}`),
    code: hexId(`code ${invite.id} 1`) + hexId(`code ${invite.id} 2`),
    status: "accepted",
    account: {
      id: invite.organization_id,
      name: invite.organization_name,
      type: "standard",
      settings: { enforce_twofactor: invite.organization_is_enforcing_twofactor },
    },
    roles: invite.roles,
    permissions: { analytics: { read: true, write: false }, zones: { read: true, write: true } },
  };
}

/** The instant as the API writes it: UTC, in whole seconds, rounded up. */
export function apiInstant(epochMs: number): string {
  return new Date(Math.ceil(epochMs / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** 32 hexadecimal digits, the same for the same seed. */
export function hexId(seed: string): string {
  return createHash("sha256").update(seed).digest("hex").slice(0, 32);
}

function hostName(organization: string): string {
  const dashed = organization
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, "-")
    .slice(0, 40);
  return dashed.replaceAll(/^-|-$/g, "") || "organization";
}

function pick<T>(from: readonly T[], number: number): T {
  return from[number % from.length] as T;
}
