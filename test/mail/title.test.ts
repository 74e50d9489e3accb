import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../../src/domain/event.ts";
import { type Invite, inviteJson } from "../../src/domain/invite.ts";
import type { MailInput } from "../../src/mail/model.ts";
import { buildMailView } from "../../src/mail/view.ts";
import { event, expiring, hostileTexts, inHours, invite, linksIn, mailInput, received } from "./samples.ts";

const soon = invite({ expiresAt: inHours(5) });
const open = invite();
const accepted = invite({ status: "accepted" });
const again = event("invite.received", 1, open, { invite: inviteJson(open), baseline: false, reinvited: true });
const becomes = (to: string): Event => event("invite.status_changed", 1, open, { from: "pending", to, source: "list" });
const moved = { changes: { expiresAt: { from: null, to: "2026-11-25T16:00:00.000Z" }, roles: { from: [], to: [] } } };

const singles: readonly (readonly [string, readonly Event[], Invite])[] = [
  ["New invitation from “Acme” — ends in 3 days 3 hours", [received(1, open)], open],
  ["New invitation from “Acme” — ends in 5 hours", [received(1, soon), expiring(2, soon)], soon],
  ["New invitation from “Acme”", [received(1, invite({ expiresAt: null }))], invite({ expiresAt: null })],
  ["New invitation from “Acme” was accepted", [received(1, accepted)], accepted],
  ["New invitation from “Acme” — ended 2 hours ago", [received(1, open)], invite({ expiresAt: inHours(-2) })],
  ["Another invitation from “Acme” — ends in 3 days 3 hours", [again], open],
  ["Ends in 5 hours: invitation from “Acme”", [expiring(1, soon)], soon],
  ["Last chance, ends in 5 hours: invitation from “Acme”", [expiring(1, soon, "last-chance")], soon],
  ["Invitation from “Acme” was accepted", [expiring(1, soon)], accepted],
  ["Invitation from “Acme” was accepted", [becomes("accepted")], accepted],
  ["Invitation from “Acme” was rejected", [becomes("rejected")], invite({ status: "rejected" })],
  ["Invitation from “Acme” is open again — ends in 3 days 3 hours", [becomes("pending")], open],
  ["Invitation from “Acme” has the status “evil[.]com”", [becomes("evil.com")], invite({ status: "evil.com" })],
  [
    "Invitation from “Acme” has expired",
    [event("invite.expired", 1, open, { expiresAt: "2026-11-22T12:00:00.000Z" })],
    invite({ status: "expired" }),
  ],
  [
    "Invitation from “Acme” was withdrawn",
    [event("invite.withdrawn", 1, open, { evidence: "404" })],
    invite({ status: "withdrawn" }),
  ],
  [
    "Invitation from “Acme” is listed again — ends in 3 days 3 hours",
    [event("invite.returned", 1, open, { invite: inviteJson(open) })],
    open,
  ],
  ["Invitation from “Acme” has changed: end, roles", [event("invite.changed", 1, open, moved)], open],
  [
    "Invitation from “Acme” holds something unknown",
    [event("invite.unrecognised", 1, open, { reason: "odd", raw: null })],
    open,
  ],
];

for (const [subject, events, known] of singles) {
  test(`one invitation has a subject of its own: ${subject}`, () => {
    assert.equal(subjectOf(events, [known], { watch: "default" }), subject);
  });
}

test("a watch with a name of its own stands in front", () => {
  assert.equal(subjectOf([received(1, open)], [open]), "[ops] New invitation from “Acme” — ends in 3 days 3 hours");
});

test("several invitations are counted, with the first end", () => {
  const other = invite({ id: "b".repeat(32) });

  const subject = subjectOf([received(1, other), received(2, soon)], [soon, other]);

  assert.equal(subject, "[ops] 2 invitations need a look: the first ends in 5 hours");
});

test("among outcomes the ones that are still open are pointed out", () => {
  const other = invite({ id: "b".repeat(32), status: "accepted" });

  const subject = subjectOf([received(1, other), received(2, soon)], [soon, other]);

  assert.equal(subject, "[ops] 2 invitations with news: 1 open, ends in 5 hours");
});

test("outcomes alone are counted by how they ended", () => {
  const all = ["accepted", "accepted", "expired"].map((status, index) => invite({ id: `${index}`.repeat(32), status }));

  const subject = subjectOf(
    all.map((one, index) => received(index + 1, one)),
    all,
  );

  assert.equal(subject, "[ops] 3 invitations: 2 accepted, 1 expired");
});

test("the inventory says what is pending and when the first ends", () => {
  const other = invite({ id: "b".repeat(32) });
  const events = [received(1, soon, true), received(2, other, true)];

  assert.equal(
    subjectOf(events, [soon, other], { kind: "inventory" }),
    "[ops] Now watching: 2 pending invitations, the first ends in 5 hours",
  );
  assert.equal(subjectOf([], [], { kind: "inventory" }), "[ops] Now watching: no pending invitations");
});

test("a summary says that mail was held", () => {
  const other = invite({ id: "b".repeat(32) });
  const over = invite({ id: "c".repeat(32), status: "accepted" });
  const summaryOf = (...invites: readonly Invite[]): string =>
    subjectOf(
      invites.map((one, index) => received(index + 1, one)),
      invites,
      { watch: null, kind: "summary" },
    );

  assert.equal(summaryOf(soon, other), "2 invitations with news while mail was held: the first ends in 5 hours");
  assert.equal(summaryOf(soon, over), "2 invitations with news while mail was held: 1 open, ends in 5 hours");
  assert.equal(
    summaryOf({ ...other, status: "expired" }, over),
    "2 invitations with news while mail was held: 1 expired, 1 accepted",
  );
  assert.equal(summaryOf(soon), "New invitation from “Acme” — ends in 5 hours");
});

test("a mail that comes late tells how the invitation stands now", () => {
  const withdrawn = event("invite.withdrawn", 1, open, { evidence: "404" });

  assert.match(subjectOf([becomes("accepted")], [open]), /is open again — ends in 3 days 3 hours$/);
  assert.match(subjectOf([withdrawn], [accepted]), /was accepted$/);
  assert.match(subjectOf([becomes("pending")], [invite({ expiresAt: inHours(-2) })]), / — ended 2 hours ago$/);
});

test("mail that could not be delivered is never in the subject of other news", () => {
  const dead = { by: "invitewatch", reason: "550", notificationId: "n", recipient: "gone@example.com" };
  const events = [received(1, open), event("notification.dead", 2, null, dead)];

  assert.equal(subjectOf(events, [open]), subjectOf([received(1, open)], [open]));
});

test("mails that could not be delivered have a subject when there is nothing else", () => {
  const dead = { by: "invitewatch", reason: "550", notificationId: "n", recipient: "gone@example.com" };

  assert.equal(subjectOf([event("notification.dead", 1, null, dead)], []), "[ops] 1 mail could not be delivered");
});

test("a subject is one line of 120 characters at most, without links, whatever the organization is called", () => {
  for (const { name, text } of hostileTexts()) {
    const hostile = invite({ organizationName: text });

    const subject = subjectOf([received(1, hostile)], [hostile], { watch: "a watch with a long name" });

    assert.ok(subject.length <= 120, `${name}: ${subject.length}`);
    assert.doesNotMatch(subject, /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u, name);
    assert.deepEqual(linksIn(subject), [], name);
    assert.match(subject, /New invitation from (?:“.*”|an organization without a name) — ends in/, name);
  }
});

test("a subject stays within 120 characters also when a hostile status or watch takes its room", () => {
  const hostile = invite({ organizationName: "W".repeat(100), status: "👩‍👩‍👧".repeat(30) });
  const to = hostile.status;
  const events = [event("invite.status_changed", 1, hostile, { from: "pending", to, source: "list" })];

  const subject = subjectOf(events, [hostile], { watch: "👩‍👩‍👧".repeat(30) });

  assert.ok(subject.length <= 120, String(subject.length));
});

function subjectOf(events: readonly Event[], invites: readonly Invite[], overrides: Partial<MailInput> = {}): string {
  return buildMailView(mailInput(events, invites, overrides)).subject;
}
