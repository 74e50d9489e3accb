/** The invitations of the demo's story, and the users who receive them. */
import type { StandIn, User } from "./cloudflare.ts";
import type { Accepted } from "./cloudflare-access.ts";
import { type ApiInvite, apiInstant, hexId, sampleInvite } from "./sample-invite.ts";

/** The second watch's credentials, as in demo.yaml. */
export const leadCredentials: Accepted = {
  token: "demo-token-that-the-second-watch-does-not-use",
  email: "lead@example.com",
  key: "43210fedcba9876543210fedcba9876543210",
};

/** Where the story is played: the stand-in is also the first watch's user. */
export type Scene = { readonly api: StandIn; readonly lead: User };

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Ids of the story's invitations, for commands that name one. */
export const NORTHWIND = idOf("Northwind Traders");
export const TREY = idOf("Trey Research");

/** The invitations whose ends do not depend on when their step is played. */
export function castAt(now: Date) {
  const inTenDays = inMs(now, 10 * DAY);
  const fresh = { invited_on: ago(now, 0), expires_on: inTenDays };
  return {
    northwind: invitation("Northwind Traders", { invited_on: ago(now, 76), expires_on: inMs(now, 20 * HOUR) }),
    woodgrove: invitation("Woodgrove Bank", { invited_on: ago(now, 10), expires_on: inTenDays }),
    contoso: invitation("Contoso Ltd", { invited_on: ago(now, 900), expires_on: ago(now, 804), status: "accepted" }),
    coho: invitation("Coho Winery", { invited_on: ago(now, 76), expires_on: inMs(now, 21 * HOUR) }),
    contosoRetail: invitation("Contoso Retail", { invited_by: "mei.tanaka@contoso-ltd.example", ...fresh }),
    fabrikam: invitation("Fabrikam, Inc.", fresh),
    tailwind: invitation("Tailwind Traders", { invited_on: ago(now, 90) }),
    adatum: invitation("Adatum Corporation", { invited_on: ago(now, 95) }),
    litware: invitation("Litware GmbH", fresh),
    trey: invitation("Trey Research", fresh),
    wingtip: invitation("Wingtip Toys", fresh),
    // Markup, a link, text that runs backwards (U+202E), a mail header of its own, a telephone number.
    hostile: invitation(
      '<a href="https://evil.example/login">Verify</a> \u202Eknab\u202C\r\nBcc: all@evil.example +1 555 010 9999',
      { invited_by: "security@cloudflare-billing.example", roles: ["Administrator"], ...fresh },
    ),
  };
}

export type Cast = ReturnType<typeof castAt>;

/** One invitation of those that come in crowds. */
export function extra(organization: string, now: Date): ApiInvite {
  return invitation(organization, { invited_on: ago(now, 0), expires_on: inMs(now, 10 * DAY) });
}

/** The instant so many ms later, as the API writes it. */
export function inMs(now: Date, ms: number): string {
  return apiInstant(now.getTime() + ms);
}

function ago(now: Date, hours: number): string {
  return inMs(now, -hours * HOUR);
}

function invitation(organization: string, overrides: Partial<ApiInvite>): ApiInvite {
  const more = { id: idOf(organization), organization_name: organization, roles: ["DNS", "Cache Purge"] };
  return sampleInvite({ ...more, ...overrides }, organization.length);
}

function idOf(organization: string): string {
  return hexId(`story ${organization}`);
}
