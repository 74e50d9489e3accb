/**
 * The demo's story: what happens to one user's invitations, step by step, and what invitewatch makes of it.
 *
 * One sync after each step shows all of it. Played live, a step comes when the clock says; played at speed,
 * the next step follows the sync at once, apart from the two that must wait until an hour strikes.
 */

import type { StandIn } from "./cloudflare.ts";
import { badGateway, failureWith200 } from "./cloudflare-answers.ts";
import { type ApiInvite, apiInstant, hexId, sampleInvite } from "./sample-invite.ts";

export type StoryStep = {
  /** When it happens, in ms since the story began. */
  readonly at: number;
  /** One sentence for the screen. */
  readonly title: string;
  act(standIn: StandIn, now: Date): void;
  /** The instant from which a sync can see it, where that is not at once. */
  visibleAt?(standIn: StandIn): Date;
};

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * The steps in their order, `stepMs` apart.
 *
 * Two invitations are short-lived in real time: one comes to its last six hours one `stepMs` after it
 * arrived, the other ends after two. A story played at speed therefore takes a small `stepMs`.
 */
export function story(now: Date, stepMs = 12_000): readonly StoryStep[] {
  const { northwind, woodgrove, proseware, contoso, fabrikam, litware, hostile } = castAt(now);
  const tailwind = invitation("Tailwind Traders", { invited_on: ago(now, 90) });
  const adatum = invitation("Adatum Corporation", { invited_on: ago(now, 95) });

  const steps: readonly Omit<StoryStep, "at">[] = [
    {
      title:
        "Two invitations are pending when invitewatch first looks, one of them for 20 more hours; a third was accepted long ago.",
      act: ({ invites }) => invites.replaceAll([northwind, woodgrove, proseware]),
    },
    {
      title: "Contoso invites you.",
      act: ({ invites }) => invites.put(contoso),
    },
    {
      title:
        "Three invitations arrive at once: Fabrikam's, Tailwind's with little more than six hours left, Adatum's with seconds.",
      act({ invites }, at) {
        invites.put(fabrikam);
        invites.put({ ...tailwind, expires_on: inMs(at, 6 * hourMs + stepMs) });
        invites.put({ ...adatum, expires_on: inMs(at, 2 * stepMs) });
      },
    },
    {
      title: "Tailwind's invitation comes to its last six hours: a reminder, from the clock alone.",
      act() {},
      visibleAt: (standIn) => new Date(endOf(standIn, tailwind.id).getTime() - 6 * hourMs),
    },
    {
      title: "Nobody answered Adatum: its invitation ends.",
      act() {},
      visibleAt: (standIn) => endOf(standIn, adatum.id),
    },
    {
      title: "Tailwind extends its invitation by two days: the new end is told, and reminders start afresh.",
      act({ invites }, at) {
        invites.update(tailwind.id, { expires_on: inMs(at, 2 * dayMs) });
      },
    },
    {
      title: "Contoso offers other roles than before.",
      act: ({ invites }) => invites.update(contoso.id, { roles: ["Super Administrator - All Privileges"] }),
    },
    {
      title: "You accept Contoso's invitation, which stays listed as accepted.",
      act: ({ invites }) => invites.accept(contoso.id),
    },
    {
      title: "You accept Fabrikam's, which vanishes from the list: your memberships tell what became of it.",
      act({ invites }) {
        invites.accept(fabrikam.id);
        invites.remove(fabrikam.id);
      },
    },
    {
      title: "Woodgrove's invitation vanishes too, and no membership explains it: one look proves nothing yet.",
      act: ({ invites }) => invites.remove(woodgrove.id),
    },
    {
      title: "A second complete look without it: Woodgrove has withdrawn its invitation.",
      act() {},
    },
    {
      title: "Cloudflare's edge answers 502 with a page of HTML: nothing was read, so nothing is reported gone.",
      act: (standIn) => standIn.fail({ kind: "answer", answer: badGateway }),
    },
    {
      title:
        "Now it answers 200 with an empty list, and success: false in small print: the trap, and nothing is reported gone.",
      act(standIn) {
        standIn.clearFailures();
        standIn.fail({ kind: "answer", answer: failureWith200 });
      },
    },
    {
      title: "The API is well again, with an invitation from Litware that arrived meanwhile.",
      act(standIn) {
        standIn.clearFailures();
        standIn.invites.put(litware);
      },
    },
    {
      title: "Somebody names an organization so as to hurt whoever reads the mail: the name arrives disarmed.",
      act: ({ invites }) => invites.put(hostile),
    },
    {
      title: "Litware's invitation takes a status that no documentation knows: it is kept as it is, and you are told.",
      act: ({ invites }) => invites.update(litware.id, { status: "under_review" }),
    },
  ];
  return steps.map((step, index) => ({ at: index * stepMs, ...step }));
}

/** The invitations that do not depend on when their step is played. */
function castAt(now: Date) {
  const inFourDays = inMs(now, 4 * dayMs);
  return {
    northwind: invitation("Northwind Traders", { invited_on: ago(now, 76), expires_on: inMs(now, 20 * hourMs) }),
    woodgrove: invitation("Woodgrove Bank", { invited_on: ago(now, 10), expires_on: inMs(now, 3.5 * dayMs) }),
    proseware: invitation("Proseware & Söhne", {
      invited_on: ago(now, 900),
      expires_on: ago(now, 804),
      status: "accepted",
    }),
    contoso: invitation("Contoso Ltd", { invited_on: ago(now, 0), expires_on: inFourDays }),
    fabrikam: invitation("Fabrikam, Inc.", { invited_on: ago(now, 1), expires_on: inFourDays }),
    litware: invitation("Litware GmbH", { invited_on: ago(now, 2), expires_on: inFourDays }),
    // Markup, a link, text that runs backwards (U+202E), a mail header of its own, a telephone number.
    hostile: invitation(
      '<a href="https://evil.example/login">Verify</a> \u202Eknab\u202C\r\nBcc: all@evil.example +1 555 010 9999',
      { invited_by: "security@cloudflare-billing.example", invited_on: ago(now, 0), expires_on: inFourDays },
    ),
  };
}

function invitation(organization: string, overrides: Partial<ApiInvite>): ApiInvite {
  const more = { id: hexId(`story ${organization}`), organization_name: organization, roles: ["Administrator"] };
  return sampleInvite({ ...more, ...overrides }, organization.length);
}

function endOf(standIn: StandIn, id: string): Date {
  return new Date(String(standIn.invites.get(id)?.expires_on));
}

function ago(now: Date, hours: number): string {
  return apiInstant(now.getTime() - hours * hourMs);
}

function inMs(now: Date, ms: number): string {
  return apiInstant(now.getTime() + ms);
}
