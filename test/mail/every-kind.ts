/** A mail of each sort, for the tests of what holds for all of them. */
import type { Event } from "../../src/domain/event.ts";
import { type Invite, inviteJson } from "../../src/domain/invite.ts";
import type { MailInput } from "../../src/mail/model.ts";
import { event, expiring, inHours, invite, mailInput, received } from "./samples.ts";

/** Every event type alone, and every sort of mail about several, in which `foreign` stands wherever others can write. */
export function mailsOf(foreign: string): Readonly<Record<string, MailInput>> {
  const known = invitesOf(foreign);
  const { acme, strange, over, soon, elsewhere } = known;
  const all = Object.values(known);
  const events = eventsOf(known, foreign);
  const baseline = event("watch.baseline", 30, null, { invites: 5, pending: 2 });
  const mail = (list: readonly Event[], overrides: Partial<MailInput> = {}): MailInput =>
    mailInput(list, all, overrides);
  return {
    ...Object.fromEntries(events.map((one) => [`${one.type} ${one.seq}`, mail([one])])),
    several: mail(events),
    inventory: mail([baseline, ...events.filter(({ type }) => type.startsWith("invite."))], { kind: "inventory" }),
    "last chance and blind": mail([expiring(1, soon, "last-chance"), ...events.filter(({ seq }) => seq === 12)]),
    held: mail([expiring(1, soon)], { heldBecause: ["quiet hours"], earlier: ["a@example.org"] }),
    "summary of one": mail(flapping(acme), { kind: "summary", heldBecause: ["quiet hours"] }),
    "summary of several": mail([...events, ...flapping(acme), received(1, elsewhere)], {
      watch: null,
      kind: "summary",
      heldBecause: ["quiet hours", `the silence “${foreign}” until 2026-11-22T12:00:00.000Z`],
    }),
    "outcomes of several": mail([received(1, over), event("invite.withdrawn", 2, strange, { evidence: foreign })]),
  };
}

/** Seven changes of status within 39 minutes. */
export function flapping(about: Invite): readonly Event[] {
  return Array.from({ length: 7 }, (_, index) => {
    const [from, to] = index % 2 === 0 ? ["pending", "accepted"] : ["accepted", "pending"];
    const change = event("invite.status_changed", 20 + index, about, { from, to, source: "list" } as const);
    return { ...change, occurredAt: new Date(Date.parse("2026-11-22T09:02:00Z") + index * 390_000) };
  });
}

function invitesOf(foreign: string) {
  const written = {
    organizationName: foreign,
    organizationId: foreign,
    invitedMemberEmail: foreign,
    invitedBy: foreign,
    roles: [foreign, "DNS"],
    apiStatus: foreign,
    oddities: [`role is not a text: ${foreign}`],
    cautions: [`the name holds ${foreign}`, "it is a test"],
  };
  return {
    acme: invite(written),
    soon: invite({ ...written, id: "5".repeat(32), expiresAt: inHours(1), acknowledgedAt: inHours(-2) }),
    strange: invite({ ...written, id: foreign, status: foreign }),
    over: invite({ ...written, id: "c".repeat(32), status: "withdrawn", expiresAt: inHours(-1) }),
    elsewhere: invite({ ...written, watch: foreign || "lab" }),
  };
}

function eventsOf({ acme, strange, over, soon }: ReturnType<typeof invitesOf>, foreign: string): readonly Event[] {
  const changes = {
    roles: { from: [foreign], to: [] },
    organizationName: { from: "Acme", to: foreign },
    [foreign]: { from: null, to: { [foreign]: foreign } },
  };
  const dead = { by: "invitewatch", reason: `550 ${foreign}`, notificationId: "n", recipient: foreign };
  const reason = `HTTP 403, “${foreign}”: check the token`;
  const gap = { reason, since: "2026-11-22T09:15:00.000Z", atRisk: [acme.id, over.id, soon.id, foreign, strange.id] };
  const silence = { by: foreign, reason: foreign, silenceId: "s", organization: foreign, inviteId: null };
  return [
    received(1, acme),
    event("invite.status_changed", 2, strange, { from: "pending", to: foreign, source: "detail" }),
    event("invite.changed", 3, acme, { changes }),
    expiring(4, acme),
    event("invite.expired", 5, over, { expiresAt: "2026-11-22T12:00:00.000Z" }),
    event("invite.withdrawn", 6, over, { evidence: `gone, said ${foreign}` }),
    event("invite.returned", 7, acme, { invite: inviteJson(acme) }),
    event("invite.unrecognised", 8, acme, { reason: `status is ${foreign}`, raw: { status: foreign } }),
    event("notification.dead", 9, null, dead),
    event("invite.acknowledged", 10, soon, { by: foreign, reason: foreign }),
    event("watch.recovered", 11, null, {
      ...gap,
      since: "2026-11-21T08:00:00.000Z",
      until: "2026-11-21T11:05:00.000Z",
    }),
    event("watch.blind", 12, null, { ...gap, until: null }),
    event("silence.created", 13, null, { ...silence, until: "2026-11-23T09:00:00.000Z" }),
    event("silence.ended", 14, null, silence),
    event("silence.created", 15, soon, { ...silence, inviteId: soon.id, until: "2026-11-23T09:00:00.000Z" }),
    event("silence.ended", 16, soon, { ...silence, inviteId: soon.id }),
  ];
}
