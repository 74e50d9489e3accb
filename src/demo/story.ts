/**
 * The demo's story: what happens to two users' invitations, step by step, and the mails that it brings.
 *
 * Played live, an act comes every few seconds of real time. Played at speed, on a clock that is turned on, hours and a
 * night pass too: the steps that need them are in story-hours.ts.
 */

import { type Cast, castAt, DAY, HOUR, inMs } from "./cast.ts";
import { badGateway, failureWith200 } from "./cloudflare-answers.ts";
import { type Act, lookAgain, type Step } from "./step.ts";
import { hourSteps } from "./story-hours.ts";

/**
 * The steps in their order.
 *
 * @param stepMs the usual stretch between two acts, by the clock of whoever plays them
 */
export function story(startedAt: Date, stepMs: number): readonly Step[] {
  const cast = castAt(startedAt);
  return [
    ...arrivals(cast, stepMs),
    ...changes(cast),
    ...outcomes(cast),
    ...failures(),
    ...surprises(cast),
    ...hourSteps(cast),
  ];
}

function arrivals(cast: Cast, stepMs: number): readonly Step[] {
  const { northwind, woodgrove, contoso, coho, contosoRetail, hostile, fabrikam, tailwind, adatum } = cast;
  return [
    {
      title:
        "invitewatch looks for the first time, at two users. Yours has two invitations pending, one of them for 20 more hours, and accepted one long ago; the team lead's has one.",
      acts: [
        ({ api, lead }) => {
          api.invites.replaceAll([northwind, woodgrove, contoso]);
          lead.invites.put(coho);
        },
      ],
      mails: ["inventory", "inventory lead@example.com"],
    },
    {
      title: "Contoso, which is known from before, invites you to its retail branch.",
      acts: [({ api }) => api.invites.put(contosoRetail)],
      mails: ["invite.received"],
    },
    {
      title:
        "Somebody whom nobody knows names an organization so as to hurt whoever reads the mail: the name arrives disarmed, with a caution.",
      acts: [({ api }) => api.invites.put(hostile)],
      mails: ["invite.received"],
      worthReading: true,
    },
    {
      title:
        "Three invitations arrive at once: Fabrikam's, Tailwind's with little more than six hours left, Adatum's in its last moments.",
      acts: [
        ({ api }, now) => {
          api.invites.put(fabrikam);
          api.invites.put({ ...tailwind, expires_on: inMs(now, 6 * HOUR + stepMs) });
          api.invites.put({ ...adatum, expires_on: inMs(now, 2 * stepMs) });
        },
      ],
      mails: ["invite.expiring"],
    },
    {
      title: "Tailwind's invitation comes to its last six hours: a reminder, from the clock alone.",
      acts: [lookAgain],
      mails: ["invite.expiring"],
      worthReading: true,
    },
    {
      title: "Nobody answered Adatum: its invitation has ended.",
      acts: [lookAgain],
      mails: ["invite.expired"],
    },
  ];
}

function changes({ tailwind, hostile, contosoRetail }: Cast): readonly Step[] {
  return [
    {
      title: "Tailwind extends its invitation by ten days: the new end is told, and the calendar entry moves.",
      acts: [({ api }, now) => api.invites.update(tailwind.id, { expires_on: inMs(now, 10 * DAY) })],
      mails: ["invite.changed"],
    },
    {
      title:
        "The one whom nobody knows offers more rights than before. A route tells a second person, who has retired: the mail server refuses the address for good.",
      acts: [({ api }) => api.invites.update(hostile.id, { roles: ["Super Administrator - All Privileges"] })],
      mails: ["invite.changed"],
    },
    {
      title:
        "You accept Contoso's invitation, which stays listed. The mail that tells so also tells of the one that could not be delivered.",
      acts: [({ api }) => api.invites.accept(contosoRetail.id)],
      mails: ["invite.status_changed"],
    },
  ];
}

function outcomes({ fabrikam, tailwind, woodgrove }: Cast): readonly Step[] {
  return [
    {
      title: "You accept Fabrikam's, which vanishes from the list: your memberships tell what became of it.",
      acts: [
        ({ api }) => {
          api.invites.accept(fabrikam.id);
          api.invites.remove(fabrikam.id);
        },
      ],
      mails: ["invite.status_changed"],
    },
    {
      title: "You reject Tailwind's: its calendar entry is cancelled.",
      acts: [({ api }) => api.invites.update(tailwind.id, { status: "rejected" })],
      mails: ["invite.status_changed"],
    },
    {
      title:
        "Woodgrove's invitation vanishes too, and no membership explains it. One look proves nothing; after a second complete one it counts as withdrawn.",
      acts: [({ api }) => api.invites.remove(woodgrove.id), lookAgain],
      mails: ["invite.withdrawn"],
    },
    {
      title: "Woodgrove's invitation is listed again.",
      acts: [({ api }) => api.invites.put(woodgrove)],
      mails: ["invite.returned"],
    },
  ];
}

function failures(): readonly Step[] {
  return [
    {
      title:
        "Cloudflare's edge answers 502 with a page of HTML. Nothing was read, so nothing is reported gone, and once is no reason for a mail.",
      acts: [({ api }) => api.fail({ kind: "answer", answer: badGateway })],
      mails: [],
    },
    {
      title:
        "Now it answers 200 with an empty list, and success: false in small print: the trap. Still nothing is gone. After the third look in vain both watches are called blind.",
      acts: [
        ({ api }) => {
          api.clearFailures();
          api.fail({ kind: "answer", answer: failureWith200 });
        },
        lookAgain,
      ],
      mails: ["watch.blind", "watch.blind lead@example.com"],
    },
    {
      title: "The API is well again.",
      acts: [({ api }) => api.clearFailures()],
      mails: ["watch.recovered", "watch.recovered lead@example.com"],
    },
  ];
}

function surprises({ litware, woodgrove, trey }: Cast): readonly Step[] {
  const turnTo =
    (status: string): Act =>
    ({ api }) =>
      api.invites.update(trey.id, { status });
  return [
    {
      title: "Litware invites you. A route sends its invitations to the lawyers as well.",
      acts: [({ api }) => api.invites.put(litware)],
      mails: ["invite.received", "invite.received legal@example.com"],
    },
    {
      title: "Litware's invitation takes a status that no documentation knows: it is kept as it is, and told.",
      acts: [({ api }) => api.invites.update(litware.id, { status: "under_review" })],
      mails: ["invite.status_changed", "invite.status_changed legal@example.com"],
    },
    {
      title: "Woodgrove's invitation says that it was sent “last Tuesday”, which is no date: that is told too.",
      acts: [({ api }) => api.invites.update(woodgrove.id, { invited_on: "last Tuesday" })],
      mails: ["invite.unrecognised"],
    },
    {
      title: "Trey Research invites you.",
      acts: [({ api }) => api.invites.put(trey)],
      mails: ["invite.received"],
    },
    {
      title:
        "Its invitation goes back and forth between accepted and pending. Two turns are told at once; further ones wait until it has stood still for an hour.",
      acts: ["accepted", "pending", "accepted", "pending", "accepted"].map(turnTo),
      mails: ["invite.status_changed", "invite.status_changed"],
    },
  ];
}
