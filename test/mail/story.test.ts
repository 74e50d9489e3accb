import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Event } from "../../src/domain/event.ts";
import { type Invite, inviteJson } from "../../src/domain/invite.ts";
import type { Fact, MailInput } from "../../src/mail/model.ts";
import { buildMailView } from "../../src/mail/view.ts";
import { flapping } from "./every-kind.ts";
import { event, expiring, inHours, invite, linksIn, mailInput, received } from "./samples.ts";

const accepted = invite({ status: "accepted", apiStatus: "accepted" });
const becomes = (seq: number, from: string, to: string): Event =>
  event("invite.status_changed", seq, accepted, { from, to, source: "list" });

test("a status that went back and forth is one line with the count, the first, the last and how it stands", () => {
  assert.deepEqual(valuesOf(flapping(accepted), accepted, "Changed"), [
    "status went back and forth: 7 changes from 10:02 to 10:41 CET; now accepted",
  ]);
});

test("withdrawn and listed again count as changes of status", () => {
  const events = [
    event("invite.withdrawn", 1, accepted, { evidence: "404" }),
    event("invite.returned", 2, accepted, { invite: inviteJson(accepted) }),
    becomes(3, "pending", "accepted"),
  ];

  assert.match(valuesOf(events, accepted, "Changed")[0] ?? "", /^status went back and forth: 3 changes/);
  assert.deepEqual(valuesOf(events, accepted, "Evidence"), []);
});

test("two changes of status are told one by one", () => {
  const events = [becomes(1, "pending", "accepted"), becomes(2, "accepted", "pending")];

  assert.deepEqual(valuesOf(events, accepted, "Changed"), [
    "status from pending to accepted, known from the list of invitations",
    "status from accepted to pending, known from the list of invitations",
  ]);
});

test("what else happened stays beside a status that went back and forth", () => {
  const changes = { roles: { from: ["DNS"], to: ["Billing"] } };
  const events = [event("invite.changed", 1, accepted, { changes }), ...flapping(accepted)];

  assert.deepEqual(valuesOf(events, accepted, "Changed"), [
    "roles from “DNS” to “Billing”",
    "status went back and forth: 7 changes from 10:02 to 10:41 CET; now accepted",
  ]);
});

test("a summary tells what happened in its order and when", () => {
  const acme = invite();
  const at = (one: Event, hours: number): Event => ({ ...one, occurredAt: inHours(hours) });
  const events = [
    at(expiring(3, acme, "24h"), -1),
    at(received(1, acme), -20),
    at(event("invite.changed", 2, acme, { changes: { roles: { from: [], to: ["DNS"] } } }), -2),
  ];

  const facts = factsOf(events, acme, { kind: "summary", heldBecause: ["quiet hours"] });

  assert.deepEqual(
    facts.filter(({ label }) => ["First seen", "Changed", "Reminder"].includes(label)),
    [
      { label: "First seen", value: "Sat 21 Nov, 18:00 CET" },
      { label: "Changed", value: "12:00 CET — roles from none given to “DNS”" },
      { label: "Reminder", value: "13:00 CET — due 24h before the end" },
    ],
  );
});

test("reasons for caution are one sentence, and never in the subject", () => {
  const acme = invite();
  const cautions = ["the inviter's domain is new to this watch", "the name holds https://evil.example"];
  const suspect = invite({ cautions });

  assert.deepEqual(valuesOf([received(1, suspect)], suspect, "Caution"), [
    "Please look twice: the inviter's domain is new to this watch; the name holds hxxps[://]evil[.]example.",
  ]);
  const bare = buildMailView(mailInput([received(1, acme)], [acme]));
  assert.equal(buildMailView(mailInput([received(1, suspect)], [suspect])).subject, bare.subject);
  assert.deepEqual(valuesOf([received(1, acme)], acme, "Caution"), []);
});

test("an invitation that somebody takes care of says since when", () => {
  const acme = invite({ acknowledgedAt: inHours(-3) });
  const note = event("invite.acknowledged", 2, acme, { by: "lee", reason: "asked at www.acme.example" });

  assert.deepEqual(valuesOf([note], acme, "Acknowledged"), [
    "Sun 22 Nov 2026, 11:00 CET (10:00 UTC), no reminders since",
  ]);
  assert.deepEqual(valuesOf([note], acme, "Taken care of"), ["said by “lee”: “asked at www[.]acme[.]example”"]);
});

test("however often the status changes, a mail tells it in few lines, and all of it in one reference", () => {
  const statuses = fc.array(fc.constantFrom("pending", "accepted", "rejected", "evil.example"), { maxLength: 40 });

  fc.assert(
    fc.property(statuses, (some) => {
      const events = some.map((to, index) => becomes(index + 1, some[index - 1] ?? "pending", to));
      const facts = events.length === 0 ? [] : factsOf(events, accepted, {});

      const changed = facts.filter(({ label }) => label === "Changed");
      assert.equal(changed.length, some.length < 3 ? some.length : 1);
      assert.deepEqual(linksIn(changed.map(({ value }) => value).join("\n")), []);
    }),
  );
});

function factsOf(events: readonly Event[], about: Invite, overrides: Partial<MailInput>): readonly Fact[] {
  const view = buildMailView(mailInput(events, [about], overrides));
  return view.sections.flatMap(({ items }) => items)[0]?.facts ?? [];
}

function valuesOf(
  events: readonly Event[],
  about: Invite,
  label: string,
  overrides: Partial<MailInput> = {},
): readonly string[] {
  return factsOf(events, about, overrides)
    .filter((fact) => fact.label === label)
    .map(({ value }) => value);
}
