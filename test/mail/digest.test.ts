import assert from "node:assert/strict";
import { test } from "node:test";
import type { Gap } from "../../src/domain/coverage.ts";
import { buildDigestView, renderDigest } from "../../src/mail/digest.ts";
import type { DigestInput, DigestWatch } from "../../src/mail/digest-model.ts";
import type { MailView } from "../../src/mail/model.ts";
import { chainHead, hostileTexts, invite, linksIn, now, oneLine, statementsOf, visibleText } from "./samples.ts";

const HOUR_MS = 3_600_000;
const inHours = (hours: number): Date => new Date(now.getTime() + hours * HOUR_MS);

/** A watch of whose week there is nothing to tell. */
function watch(overrides: Partial<DigestWatch> = {}): DigestWatch {
  return {
    name: "ops",
    pending: [],
    pendingCount: 0,
    happened: [],
    syncs: { complete: 672, fellShort: 0 },
    coverage: 1,
    gaps: [],
    blindSince: null,
    silenced: 0,
    head: { seq: 12, hash: chainHead },
    ...overrides,
  };
}

function mail(overrides: Partial<DigestInput["mail"]> = {}): DigestInput["mail"] {
  return { owed: 0, oldestOwedAt: null, dead: [], deadCount: 0, delivered: 0, ...overrides };
}

function digest(overrides: Partial<DigestInput> = {}): DigestInput {
  return {
    recipient: "reader@example.org",
    from: "Invitewatch <invites@example.org>",
    timezone: "Europe/Berlin",
    now,
    since: inHours(-168),
    watches: [watch()],
    mail: mail(),
    ...overrides,
  };
}

function gap(overrides: Partial<Gap> = {}): Gap {
  return {
    watch: "ops",
    since: inHours(-50),
    until: inHours(-49.5),
    reason: "page 2: HTTP 502",
    syncs: 2,
    ...overrides,
  };
}

const pending = [invite({ id: "1".repeat(32), expiresAt: inHours(51) }), invite({ id: "2".repeat(32) })];
const blind = watch({
  blindSince: inHours(-20),
  gaps: [gap({ since: inHours(-20), until: null, reason: "HTTP 403, code 9109. Make a new token." })],
});

function factsOf(view: MailView, title: RegExp): Record<string, string> {
  const facts = view.sections.find((section) => title.test(section.title ?? ""))?.items[0]?.facts ?? [];
  return Object.fromEntries(facts.map(({ label, value, more = [] }) => [label, [value, ...more].join("\n")]));
}

/** A mail that was given up. */
const LOST = { recipient: "a@b.example", organizations: ["Acme"], invites: 1, at: now };

test("a quiet week is told in a few lines, with the chain's head", () => {
  const { subject, text } = renderDigest(digest());

  assert.equal(subject, "Digest: all quiet, nothing pending");
  assert.match(
    text,
    /Nothing happened since Sun 15 Nov 2026, 14:00 CET \(13:00 UTC\)\. All 672 syncs\nwere complete\./,
  );
  assert.match(text, new RegExp(`ops/12\\n +${chainHead}`));
  assert.ok(text.split("\n").length < 30);
});

test("the subject says what is pending and when the first of it ends", () => {
  const subjectOf = (some: Partial<DigestWatch>) => buildDigestView(digest({ watches: [watch(some)] })).subject;

  assert.equal(subjectOf({ pending, pendingCount: 3 }), "Digest: 3 pending, the first ends in 2 days 3 hours");
  assert.equal(
    subjectOf({ pending: pending.slice(0, 1), pendingCount: 1 }),
    "Digest: 1 pending, which ends in 2 days 3 hours",
  );
  assert.equal(subjectOf({ pending: [invite({ expiresAt: null })], pendingCount: 1 }), "Digest: 1 pending");
  assert.equal(subjectOf({ happened: [{ type: "invite.received", count: 1 }] }), "Digest: nothing pending");
  assert.equal(subjectOf({ gaps: [gap(), gap()] }), "Digest: nothing pending, 2 gaps");
});

test("a trouble stands first in the subject, and every trouble in the mail", () => {
  const unread = watch({ name: "web", syncs: { complete: 0, fellShort: 3 }, gaps: [gap({ until: null })] });
  const troubled = digest({
    watches: [watch({ pending, pendingCount: 2 }), { ...blind, name: "lab" }, unread],
    mail: mail({ owed: 5, oldestOwedAt: inHours(-3), deadCount: 4 }),
  });

  const view = buildDigestView(troubled);

  assert.equal(view.subject, "Digest: “lab” is blind, 3 more troubles, 2 pending, the first ends in 2 days 3 hours");
  assert.match(view.title, /^“lab” is blind, “web” was not read, 4 mails undeliverable, 5 mails late, 2 pending/);
  assert.deepEqual(
    view.sections.map(({ title }) => title),
    ["Needs attention", "Pending (2)", "Watches (3)"],
  );
  assert.deepEqual(
    view.sections[0]?.items.map(({ headline }) => headline),
    ["“lab” is blind", "“web” was not read", "4 mails could not be delivered", "5 mails are late"],
  );
});

test("the watch that was never given a name is not called by one", () => {
  const input = digest({ watches: [{ ...blind, name: "default" }] });

  assert.equal(buildDigestView(input).subject, "Digest: the watch is blind, nothing pending");
});

test("a blind watch is told with since when, the cause and what is unseen", () => {
  const facts = factsOf(buildDigestView(digest({ watches: [blind] })), /attention/);

  assert.deepEqual(facts, {
    Since: "Sat 21 Nov 2026, 18:00 CET (17:00 UTC), 20 hours ago",
    Cause: "HTTP 403, code 9109. Make a new token.",
    Unseen: "new invitations and answers; reminders of ends that are known still come",
  });
});

test("an undeliverable mail is told with its recipient, its subject, its invitations and the reason", () => {
  const dead = [
    {
      recipient: "gone@example.com",
      subject: "2 invitations need attention",
      organizations: ["Acme", null],
      invites: 7,
      at: inHours(-30),
      why: "550 no mailbox",
    },
  ];

  const facts = factsOf(buildDigestView(digest({ mail: mail({ dead, deadCount: 3 }) })), /attention/);

  assert.equal(
    facts.To,
    "gone[at]example[.]com\n“2 invitations need attention” about the invitations from “Acme”, an organization without a name (and 5 more), Sat 21 Nov 2026, 08:00 CET (07:00 UTC)\n“550 no mailbox”",
  );
  assert.equal(facts.More, '(and 2 more; "invitewatch notifications" lists them all)');
});

test("mail that has just been written is not late", () => {
  const input = digest({ mail: mail({ owed: 1, oldestOwedAt: inHours(-0.1) }) });

  assert.equal(buildDigestView(input).subject, "Digest: all quiet, nothing pending");
  assert.match(buildDigestView(input).lead, /No mail was delivered, 1 is still owed\./);
});

test("what happened is counted by kind, over all watches and for each", () => {
  const watches = [
    watch({
      happened: [
        { type: "invite.expiring", count: 1 },
        { type: "invite.received", count: 2 },
      ],
    }),
    watch({ name: "lab", happened: [{ type: "invite.received", count: 1000 }] }),
  ];

  const view = buildDigestView(digest({ watches, mail: mail({ delivered: 9 }) }));

  assert.equal(
    view.lead,
    "Since Sun 15 Nov 2026, 14:00 CET (13:00 UTC): 1,002 new invitations, 1 reminder. All 1,344 syncs were complete. 9 mails were delivered and none is owed.",
  );
  assert.equal(factsOf(view, /Watches/).Happened, "2 new invitations, 1 reminder");
});

test("coverage is never rounded up to all, and the latest gaps are named", () => {
  const gaps = Array.from({ length: 7 }, (_, index) =>
    gap({ since: inHours(-80 + index), until: inHours(-79.5 + index) }),
  );
  const syncs = { complete: 670, fellShort: 2 };

  const view = buildDigestView(digest({ watches: [watch({ coverage: 0.99999, gaps, syncs, silenced: 2 })] }));

  const facts = factsOf(view, /Watch “ops”/);
  assert.match(view.lead, /670 of 672 syncs were complete\./);
  assert.equal(facts.Coverage, "99.99 % of the time");
  assert.match(facts.Gaps ?? "", /^Thu 19 Nov, 08:00 to 08:30 CET \(30 minutes\): page 2: HTTP 502\n/);
  assert.match(facts.Gaps ?? "", /\n\(and 2 more; "invitewatch gaps" lists them all\)$/);
  assert.equal(facts.Silenced, '2 alerts; "invitewatch silences" says why');
});

test("what ends first stands first, over all watches, and twenty are shown", () => {
  const ofWatch = (name: string, first: number) =>
    Array.from({ length: 20 }, (_, index) =>
      invite({ id: `${name} ${index}`, watch: name, expiresAt: inHours(first + 2 * index) }),
    );
  const watches = ["ops", "lab"].map((name, index) =>
    watch({ name, pending: ofWatch(name, index + 1), pendingCount: 30 }),
  );

  const view = buildDigestView(digest({ watches }));

  const section = view.sections[0];
  assert.equal(section?.title, "Pending (60)");
  assert.equal(section.items.length, 20);
  assert.deepEqual(
    section.items.slice(0, 3).map(({ headline }) => headline),
    ["“Acme” — ends in 1 hour", "“Acme” — ends in 2 hours", "“Acme” — ends in 3 hours"],
  );
  assert.equal(section.more, '(and 40 more; "invitewatch invites" lists them all)');
});

test("a pending invitation says whether reminders come, and one without an end says so", () => {
  const some = [invite({ acknowledgedAt: inHours(-3), alertedLeadMs: HOUR_MS }), invite({ expiresAt: null })];

  const view = buildDigestView(digest({ watches: [watch({ pending: some, pendingCount: 2 })] }));

  assert.equal(factsOf(view, /Pending/).Acknowledged, "Sun 22 Nov 2026, 11:00 CET (10:00 UTC), no reminders since");
  assert.deepEqual(
    view.sections[0]?.items.map(({ tone, headline }) => [tone, headline]),
    [
      ["urgent", "“Acme” — ends in 3 days 3 hours"],
      ["open", "“Acme” — no end is known"],
    ],
  );
});

test("both parts of a digest state the same, and mail programs show it whole", () => {
  const names = ["ops", "lab", "legal", "finance", "mobile", "web", "data", "infra", "security", "partners"];
  const gaps = [gap(), gap()];
  const many = Array.from({ length: 20 }, (_, index) => invite({ id: `${index}`.padStart(32, "0") }));
  const dead = Array.from({ length: 20 }, () => ({ ...LOST, subject: "S", why: "550" }));
  const input = digest({
    watches: names.map((name) => watch({ ...blind, name, gaps, pending: many, pendingCount: 20, silenced: 1 })),
    mail: mail({ owed: 5, oldestOwedAt: inHours(-3), dead, deadCount: 20, delivered: 9 }),
  });

  const { text, html } = renderDigest(input);

  for (const statement of statementsOf(buildDigestView(input))) {
    assert.ok(oneLine(text).includes(oneLine(statement)), statement);
    assert.ok(visibleText(html).includes(oneLine(statement)), statement);
  }
  assert.ok(Buffer.byteLength(html) < 102_000, "Gmail cuts off what is beyond 102 kB");
});

test("a digest says of itself that it is one, and of which watch", () => {
  const one = renderDigest(digest()).headers;
  const several = renderDigest(digest({ watches: [watch(), watch({ name: "lab" })] })).headers;

  assert.equal(one["X-Invitewatch-Kind"], "digest");
  assert.equal(one["List-Id"], "invitewatch ops <ops.invitewatch.example.org>");
  assert.equal(several["List-Id"], "invitewatch <invitewatch.example.org>");
});

test("a digest of no watch is still a digest", () => {
  assert.equal(buildDigestView(digest({ watches: [] })).subject, "Digest: nothing pending");
  assert.match(renderDigest(digest({ watches: [] })).text, /No sync ran\./);
});

for (const { name, text: hostile } of hostileTexts()) {
  test(`nothing in a digest can be clicked but the dashboard (${name})`, () => {
    const some = [invite({ id: hostile, organizationName: hostile, invitedBy: hostile, roles: [hostile] })];
    const gaps = [gap({ reason: hostile, until: null }), gap({ reason: hostile })];
    const watches = [watch({ name: hostile, pending: some, pendingCount: 1, gaps, blindSince: now }), watch()];
    const dead = [{ ...LOST, subject: hostile, organizations: [hostile], why: hostile }];

    const { subject, text, html } = renderDigest(digest({ watches, mail: mail({ dead, deadCount: 1 }) }));

    const links = ["https://dash.cloudflare.com/", "reader@example.org"];
    assert.deepEqual(linksIn(text), links);
    assert.deepEqual(linksIn(subject), []);
    assert.doesNotMatch(subject, /\p{Cc}/u);
    assert.ok(subject.length <= 120);
    assert.deepEqual(
      [...html.matchAll(/<a [^>]*href="([^"]*)"/g)].map((match) => match[1]),
      links.slice(0, 1),
    );
    assert.doesNotMatch(html, /<(?:script|img|iframe)/i);
  });
}
