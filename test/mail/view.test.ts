import assert from "node:assert/strict";
import { test } from "node:test";
import { type Invite, inviteJson } from "../../src/domain/invite.ts";
import type { ItemView, MailInput, MailView } from "../../src/mail/model.ts";
import { buildMailView } from "../../src/mail/view.ts";
import { chainHead, event, expiring, inHours, invite, mailInput, received } from "./samples.ts";

test("everything about one invitation in one sync is one item", () => {
  const acme = invite({ expiresAt: inHours(5) });

  const view = buildMailView(mailInput([received(1, acme), expiring(2, acme, "6h", ["72h", "24h"])], [acme]));

  assert.equal(itemsOf(view).length, 1);
  assert.equal(factOf(view, "Reference"), "ops/1, ops/2");
  assert.equal(factOf(view, "Reminder"), "due 6h before the end; stands for 72h, 24h too");
});

test("an invitation is told with everything that helps to decide", () => {
  const acme = invite();

  const view = buildMailView(mailInput([received(12, acme)], [acme]));

  assert.equal(
    view.lead,
    "It can be accepted or rejected until Wed 25 Nov 2026, 17:00 CET (16:00 UTC), in 3 days 3 hours.",
  );
  assert.deepEqual(Object.fromEntries(itemsOf(view)[0]?.facts.map(({ label, value }) => [label, value]) ?? []), {
    Organization: "“Acme”",
    Ends: "Wed 25 Nov 2026, 17:00 CET (16:00 UTC), in 3 days 3 hours",
    Status: "pending",
    "Invited by": "“amara[.]okafor[at]acme[.]example”",
    "Invited address": "“you[at]example[.]com”",
    Roles: "“Administrator”, “DNS”",
    "Two-factor": "required by the organization",
    Invited: "Sat 21 Nov 2026, 10:12 CET (09:12 UTC)",
    "Organization id": "4735819e4cb0a3f2c07f8e1b2d5a6c91",
    "Invitation id": "023e105f4ecef8ad9ca31a8372d0c353",
    Reference: "ops/12",
  });
});

test("an invitation of which the API says next to nothing is still told", () => {
  const blank = invite({
    organizationName: "\u200b",
    organizationId: null,
    organizationEnforcesTwoFactor: null,
    invitedMemberEmail: null,
    invitedBy: null,
    roles: [],
    invitedAt: null,
    expiresAt: null,
    apiStatus: null,
    oddities: ["expires_on is missing"],
  });

  const view = buildMailView(mailInput([received(1, blank)], [blank]));

  assert.equal(view.title, "New invitation from an organization without a name");
  assert.equal(factOf(view, "Ends"), "no date given");
  assert.equal(factOf(view, "Unclear"), "expires_on is missing");
});

test("an event of an invite that nobody knows is told with what there is", () => {
  const gone = invite();

  const view = buildMailView(mailInput([event("invite.withdrawn", 3, gone, { evidence: "404" })], []));

  assert.equal(view.title, "Invitation from an organization without a name was withdrawn");
});

test("the most urgent invitation stands first", () => {
  const ids = "abcdefghi".split("").map((letter) => letter.repeat(32));
  const named = (index: number, name: string, more = {}) =>
    invite({ id: ids[index] ?? "", organizationName: name, ...more });
  const late = named(0, "in a day", { expiresAt: inHours(23) });
  const soon = named(1, "soon", { expiresAt: inHours(5) });
  const last = named(2, "last chance", { expiresAt: inHours(6) });
  const fresh = named(3, "new, later");
  const fresher = named(4, "new, sooner", { expiresAt: inHours(40) });
  const back = named(5, "back");
  const over = named(6, "accepted", { status: "accepted" });
  const altered = named(7, "changed");
  const strange = named(8, "strange");
  const events = [
    event("invite.unrecognised", 1, strange, { reason: "odd", raw: null }),
    event("invite.changed", 2, altered, { changes: { roles: { from: [], to: ["DNS"] } } }),
    event("invite.status_changed", 3, over, { from: "pending", to: "accepted", source: "list" }),
    event("invite.returned", 4, back, { invite: inviteJson(back) }),
    received(5, fresh),
    received(6, fresher),
    expiring(7, late),
    expiring(8, last, "last-chance"),
    expiring(9, soon, "6h"),
  ];

  const view = buildMailView(mailInput(events, [late, soon, last, fresh, fresher, back, over, altered, strange]));

  const names = itemsOf(view).map((item) => item.facts.find(({ label }) => label === "Organization")?.value);
  assert.deepEqual(names, [
    "“last chance”",
    "“soon”",
    "“in a day”",
    "“new, sooner”",
    "“new, later”",
    "“back”",
    "“accepted”",
    "“changed”",
    "“strange”",
  ]);
});

test("what changed is told from and to", () => {
  const acme = invite();
  const changes = {
    expiresAt: { from: "2026-11-24T16:00:00.000Z", to: "2026-11-25T16:00:00.000Z" },
    roles: { from: ["DNS"], to: ["Administrator", "DNS"] },
    organizationEnforcesTwoFactor: { from: null, to: true },
    "evil.com": { from: { a: 1 }, to: "https://evil.com" },
  };

  const view = buildMailView(mailInput([event("invite.changed", 5, acme, { changes })], [acme]));

  const changed = itemsOf(view)[0]?.facts.filter(({ label }) => label === "Changed");
  assert.deepEqual(
    changed?.map(({ value }) => value),
    [
      "end from Tue 24 Nov 2026, 17:00 CET (16:00 UTC) to Wed 25 Nov 2026, 17:00 CET (16:00 UTC)",
      "roles from “DNS” to “Administrator”, “DNS”",
      "two-factor from nothing to yes",
      "“evil[.]com” from “{'a':1}” to “hxxps[://]evil[.]com”",
    ],
  );
});

test("evidence is told in the recipient's time", () => {
  const acme = invite({ status: "withdrawn" });
  const evidence = "no such invite (404); not listed since 2026-11-22T12:45:00.000Z";

  const view = buildMailView(mailInput([event("invite.withdrawn", 5, acme, { evidence })], [acme]));

  assert.equal(
    factOf(view, "Evidence"),
    "no such invite (404); not listed since Sun 22 Nov 2026, 13:45 CET (12:45 UTC)",
  );
  assert.equal(factOf(view, "Status"), "withdrawn (Cloudflare said last: pending)");
});

test("a mail that is written after the invitation was answered does not ask for an answer", () => {
  const acme = invite({ status: "accepted", apiStatus: "accepted" });

  const view = buildMailView(mailInput([expiring(4, acme)], [acme]));

  assert.equal(view.lead, "It cannot be answered any more, and no reminders will follow.");
  assert.match(view.action, /^Nothing needs to be done/);
});

test("past 20 invitations a mail says how many there are more", () => {
  const many = Array.from({ length: 23 }, (_, index) => invite({ id: index.toString(16).padStart(32, "0") }));

  const view = buildMailView(
    mailInput(
      many.map((one, index) => received(index + 1, one)),
      many,
    ),
  );

  assert.equal(itemsOf(view).length, 20);
  assert.match(view.sections[0]?.more ?? "", /^\(and 3 more;/);
});

test("the inventory puts what is urgent first and counts what is over", () => {
  const urgent = invite({ id: "a".repeat(32), expiresAt: inHours(5) });
  const pending = invite({ id: "b".repeat(32) });
  const accepted = invite({ id: "c".repeat(32), status: "accepted" });
  const expired = invite({ id: "d".repeat(32), status: "expired", expiresAt: inHours(-50) });
  const all = [accepted, expired, pending, urgent];
  const events = [
    event("watch.baseline", 1, null, { invites: 4, pending: 2 }),
    ...all.map((one, index) => received(index + 2, one, true)),
    expiring(6, urgent, "6h"),
  ];

  const view = buildMailView(mailInput(events, all, { kind: "inventory" }));

  assert.deepEqual(
    view.sections.map(({ title, summary, items }) => [title, summary, items.map((item) => item.headline)]),
    [
      ["Urgent (1)", null, ["Invitation from “Acme” — ends in 5 hours"]],
      ["Pending (1)", null, ["Invitation from “Acme” — ends in 3 days 3 hours"]],
      [
        "Already answered or over (2)",
        "1 accepted, 1 expired",
        ["Invitation from “Acme” was accepted", "Invitation from “Acme” has expired"],
      ],
    ],
  );
  assert.ok(view.footer.some(({ label, value }) => label === "Chain head" && value === chainHead));
});

test("the inventory lists 20 invitations in all, and counts every one", () => {
  const pending = Array.from({ length: 15 }, (_, index) => invite({ id: index.toString(16).padStart(32, "a") }));
  const over = Array.from({ length: 15 }, (_, index) =>
    invite({ id: index.toString(16).padStart(32, "b"), status: "accepted" }),
  );
  const all = [...over, ...pending];
  const events = all.map((one, index) => received(index + 1, one, true));

  const view = buildMailView(mailInput(events, all, { kind: "inventory" }));

  assert.deepEqual(
    view.sections.map(({ title, items }) => [title, items.length]),
    [
      ["Pending (15)", 15],
      ["Already answered or over (15)", 5],
    ],
  );
  assert.match(view.sections[1]?.more ?? "", /^\(and 10 more;/);
});

test("a mail that could not be delivered is told beside the other news", () => {
  const acme = invite();
  const dead = {
    by: "invitewatch",
    reason: "550 5.1.1 user unknown",
    notificationId: "n",
    recipient: "gone@example.com",
  };

  const view = buildMailView(mailInput([received(1, acme), event("notification.dead", 2, null, dead)], [acme]));

  assert.deepEqual(view.notes, [
    "A mail to gone[at]example[.]com could not be delivered: “550 5.1.1 user unknown” (ops/2)",
  ]);
});

test("a mail that could not be delivered is told with the invitations that it was about", () => {
  const about = ["Acme", "Globex", "Initech", "Umbrella", "Hooli"].map((organizationName, nth) =>
    invite({ id: `i${nth}`, organizationName }),
  );
  const dead = { by: "invitewatch", reason: "550 5.1.1 user unknown", notificationId: "n", recipient: "a@b.example" };
  const one = event("notification.dead", 1, null, { ...dead, inviteIds: ["i0"], invites: 1 });
  const many = event("notification.dead", 2, null, { ...dead, inviteIds: about.map(({ id }) => id), invites: 1_200 });

  const { notes } = buildMailView(mailInput([one, many], about));

  assert.deepEqual(notes, [
    "A mail to a[at]b[.]example about the invitation from “Acme” could not be delivered: “550 5.1.1 user unknown” (ops/1)",
    "A mail to a[at]b[.]example about the invitations from “Acme”, “Globex”, “Initech”, “Umbrella”, “Hooli” (and 1,195 more) could not be delivered: “550 5.1.1 user unknown” (ops/2)",
  ]);
});

test("the same id in two watches is two invitations, and each names its watch", () => {
  const ops = invite({ organizationName: "Acme" });
  const lab = invite({ organizationName: "Globex", watch: "lab", expiresAt: inHours(5) });

  const view = buildMailView(mailInput([received(1, ops), received(7, lab)], [ops, lab], { watch: null }));

  assert.deepEqual(
    itemsOf(view).map(({ headline, facts }) => [headline, facts[0]?.value, facts.at(-1)?.value]),
    [
      ["New invitation from “Globex” — ends in 5 hours", "“lab”", "lab/7"],
      ["New invitation from “Acme” — ends in 3 days 3 hours", "“ops”", "ops/1"],
    ],
  );
  assert.deepEqual(
    view.footer.filter(({ label }) => ["Why you get this", "Events"].includes(label)).map(({ value }) => value),
    ["the address that it was sent to is a recipient of several watches: “lab”, “ops”", "lab/7, ops/1"],
  );
});

test("a mail that was held says why", () => {
  const acme = invite();
  const leadOf = (kind: MailInput["kind"], heldBecause: readonly string[]): string =>
    buildMailView(mailInput([received(1, acme)], [acme], { kind, heldBecause })).lead;

  assert.doesNotMatch(leadOf("invite.received", []), /held/);
  assert.match(leadOf("invite.received", ["quiet hours"]), / This mail was held because of quiet hours\.$/);
  assert.match(
    leadOf("summary", ["quiet hours", "the silence until 2026-11-22T12:00:00.000Z"]),
    / Mail was held because of quiet hours and the silence until Sun 22 Nov 2026, 13:00 CET \(12:00 UTC\): this one tells/,
  );
  assert.match(leadOf("summary", ["a", "b", "c", "d", "e"]), /because of a and b and c \(and 2 more\):/);
});

test("a summary is short of what needs nothing any more", () => {
  const [open, over] = [invite(), invite({ id: "b".repeat(32), status: "accepted" })];

  const view = buildMailView(mailInput([received(1, open), received(2, over)], [open, over], { kind: "summary" }));

  assert.deepEqual(
    itemsOf(view)[1]?.facts.map(({ label }) => label),
    ["Invited address", "End", "Status", "First seen", "Reference"],
  );
});

test("a mail with a calendar file says what it is for", () => {
  const [open, other, over] = [
    invite(),
    invite({ id: "b".repeat(32) }),
    invite({ id: "c".repeat(32), status: "accepted" }),
  ];
  const file = (method: string) => ({ filename: "a.ics", contentType: `text/calendar; method=${method}`, content: "" });
  const actionOf = (invites: readonly Invite[], ...methods: readonly string[]): string => {
    const events = invites.map((one, index) => received(index + 1, one));
    return buildMailView(mailInput(events, invites), methods.map(file)).action;
  };

  assert.doesNotMatch(actionOf([open]), /calendar/);
  assert.match(actionOf([open], "PUBLISH"), / The attached calendar file holds the deadline\.$/);
  assert.match(actionOf([open, other], "PUBLISH"), / The attached calendar file holds the deadlines\.$/);
  assert.match(
    actionOf([over], "CANCEL"),
    /^The attached calendar file takes out of your calendar what no longer applies\./,
  );
  assert.match(actionOf([open, over], "PUBLISH", "CANCEL"), /deadline\. A second one takes out of your calendar/);
});

test("a silence is told by what it covers, until when, by whom and why", () => {
  const silence = { by: "lee", reason: "moving house", silenceId: "s", inviteId: null, organization: "Acme*" };
  const until = "2026-11-23T09:00:00.000Z";

  const view = buildMailView(
    mailInput([event("silence.ended", 2, null, silence), event("silence.created", 1, null, { ...silence, until })], []),
  );

  assert.equal(view.title, "A silence of alerts has ended");
  assert.deepEqual(view.notes, [
    "Alerts of organizations like “Acme*” are silenced until Mon 23 Nov 2026, 10:00 CET (09:00 UTC) by “lee”: “moving house” (ops/1)",
    "The silence of organizations like “Acme*” was ended by “lee”: “moving house” (ops/2)",
  ]);
});

test("past 20 mails that could not be delivered a mail says how many there are more", () => {
  const dead = { by: "invitewatch", reason: "550", notificationId: "n", recipient: "gone@example.com" };
  const events = Array.from({ length: 23 }, (_, index) => event("notification.dead", index + 1, null, dead));

  const { notes, title } = buildMailView(mailInput(events, []));

  assert.equal(title, "23 mails could not be delivered");
  assert.equal(notes.length, 21);
  assert.match(notes.at(-1) ?? "", /^\(and 3 more;/);
});

function itemsOf(view: MailView): readonly ItemView[] {
  return view.sections.flatMap(({ items }) => items);
}

function factOf(view: MailView, label: string): string | undefined {
  return itemsOf(view)[0]?.facts.find((fact) => fact.label === label)?.value;
}
