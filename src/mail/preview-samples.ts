/** Invitations and events to show mails with: ordinary ones, and ones as strangers would write them to deceive. */
import type { Event, EventDataByType, EventType } from "../domain/event.ts";
import { type Invite, inviteJson } from "../domain/invite.ts";
import { suspicionsOf } from "../domain/suspicion.ts";

/** What others write into an invitation. */
type Texts = {
  readonly names: readonly [string, string, string, string, string];
  readonly inviter: string;
  readonly roles: readonly string[];
  readonly status: string;
  readonly reason: string;
};

export const ORDINARY: Texts = {
  names: ["Acme GmbH", "Müller & Söhne KG", "株式会社サンプル", "شركة المثال", "Northwind Traders"],
  inviter: "amara.okafor@acme.example",
  roles: ["DNS", "Billing"],
  status: "on_hold",
  reason: "HTTP 403, code 9109: Invalid access token. Make a new token and set CLOUDFLARE_API_TOKEN",
};

export const HOSTILE: Texts = {
  names: [
    "URGENT: verify at https://cloudflare.com.evil.example/login or call +1 (800) 555-0199",
    'Acme\r\nBcc: victim@example.com\r\n\r\n<script>alert("x")</script></td></table>',
    "\u202emoc.evil\u202c Сloudflare\u200b Support",
    "<a href='//evil.example'>Accept</a> [Accept](javascript:alert(1)) ” was accepted. “",
    `${"Wordwithoutanend".repeat(300)} ${"Z\u0301\u0302\u0303\u0304\u0305\u0306 👩‍👩‍👧".repeat(300)}`,
  ],
  inviter: "Cloudflare <support@xn--cludflare-7bj.example>",
  roles: [
    '=HYPERLINK("http://evil.example","Administrator")',
    "\u001b]8;;http://evil.example\u0007root\u001b]8;;\u0007",
  ],
  status: "<b>accepted</b>\r\nX-Evil: 1",
  reason: "HTTP 403: <h1>Blocked</h1> Call 0800 555 0199 or see http://evil.example/unblock",
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What is shown, as of an instant: the same each time for the same one. */
export type Samples = ReturnType<typeof createSamples>;

export function createSamples(texts: Texts, now: Date) {
  const inHours = (hours: number) => new Date(now.getTime() + hours * HOUR_MS);
  const invite = (index: number, given: Partial<Invite>): Invite => {
    const plain = plainInvite(index, texts, inHours);
    const background = { inviterDomains: new Set(["acme.example"]), organizationsLately: 1 };
    return { ...plain, cautions: suspicionsOf({ ...plain, ...given }, background), ...given };
  };
  const invites = {
    fresh: invite(0, {}),
    soon: invite(1, {
      roles: ["Super Administrator", ...texts.roles],
      expiresAt: inHours(22.5),
      alertedLeadMs: 24 * HOUR_MS,
    }),
    odd: invite(2, {
      status: texts.status,
      apiStatus: texts.status,
      oddities: [`status is not known: ${texts.status}`],
    }),
    over: invite(3, { status: "withdrawn", expiresAt: inHours(30), listed: false }),
    last: invite(4, { expiresAt: inHours(0.75), alertedLeadMs: HOUR_MS, calendarSequence: 2 }),
  };
  return { texts, now, inHours, invites, events: eventsOf(invites, texts, now, inHours) };
}

function plainInvite(index: number, { names, inviter, roles }: Texts, inHours: (hours: number) => Date): Invite {
  return {
    watch: "ops",
    id: (0x023e105f + index).toString(16).padStart(8, "0").repeat(4),
    status: "pending",
    apiStatus: "pending",
    organizationId: (0x4735819e + index).toString(16).repeat(4),
    organizationName: names[index] ?? null,
    organizationEnforcesTwoFactor: index % 2 === 0,
    invitedMemberId: null,
    invitedMemberEmail: "you@example.com",
    invitedBy: inviter,
    roles,
    invitedAt: inHours(-30),
    expiresAt: inHours(75),
    fingerprint: "",
    extra: null,
    oddities: [],
    firstSeenAt: inHours(-30),
    lastChangedAt: inHours(-1),
    listed: true,
    alertedLeadMs: null,
    missingSince: null,
    acknowledgedAt: null,
    cautions: [],
    calendarSequence: 0,
  };
}

type Invites = Readonly<Record<"fresh" | "soon" | "odd" | "over" | "last", Invite>>;

/** One event of each type that a mail can be about. */
function eventsOf({ fresh, soon, odd, over, last }: Invites, texts: Texts, now: Date, inHours: (h: number) => Date) {
  let seq = 40;
  const event = <T extends EventType>(type: T, about: Invite | null, data: EventDataByType[T]): Event => {
    seq += 1;
    const recorded = { id: `event-${seq}`, watch: "ops", seq, recordedAt: now, syncId: null, prevHash: "", hash: "" };
    return { ...recorded, type, inviteId: about?.id ?? null, occurredAt: now, data } as Event;
  };
  const expiring = (about: Invite, threshold: string, covers: readonly string[]) =>
    event("invite.expiring", about, { threshold, expiresAt: about.expiresAt?.toISOString() ?? "", covers });
  const blindness = { reason: texts.reason, since: inHours(-3).toISOString() };
  const changes = {
    expiresAt: { from: inHours(50).toISOString(), to: inHours(75).toISOString() },
    roles: { from: ["Billing"], to: [...texts.roles] },
  };
  const received = { baseline: false, reinvited: false };
  return {
    received: event("invite.received", fresh, { ...received, invite: inviteJson(fresh) }),
    receivedSoon: event("invite.received", soon, { ...received, invite: inviteJson(soon), reinvited: true }),
    accepted: event("invite.status_changed", { ...fresh }, { from: "pending", to: "accepted", source: "memberships" }),
    changed: event("invite.changed", fresh, { changes }),
    expiring: expiring(soon, "24h", ["72h"]),
    lastChance: expiring(last, "last-chance", []),
    expired: event("invite.expired", over, { expiresAt: inHours(-0.25).toISOString() }),
    withdrawn: event("invite.withdrawn", over, { evidence: "two complete lists did not hold it" }),
    returned: event("invite.returned", fresh, { invite: inviteJson(fresh) }),
    unrecognised: event("invite.unrecognised", odd, {
      reason: `status is not known: ${texts.status}`,
      raw: { status: texts.status, note: texts.names[0] },
    }),
    blind: event("watch.blind", null, { ...blindness, until: null, atRisk: [last.id, soon.id] }),
    recovered: event("watch.recovered", null, {
      ...blindness,
      until: inHours(-0.1).toISOString(),
      atRisk: [over.id],
    }),
    dead: event("notification.dead", null, {
      by: "invitewatch",
      reason: `550 5.1.1 no such mailbox: ${texts.names[0]}`,
      notificationId: "n",
      recipient: "former.colleague@example.com",
      inviteIds: [last.id, soon.id],
      invites: 2,
    }),
  };
}
