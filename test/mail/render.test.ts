import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../../src/domain/event.ts";
import { type Invite, inviteJson } from "../../src/domain/invite.ts";
import { renderMail } from "../../src/mail/render.ts";
import { buildMailView, type MailInput } from "../../src/mail/view.ts";
import {
  chainHead,
  event,
  expiring,
  hostileTexts,
  invite,
  linksIn,
  mailInput,
  oneLine,
  received,
  statementsOf,
  visibleText,
} from "./samples.ts";

const publicUrl = "https://invites.example.org/app/";
/** What may be clicked: the dashboard, our own page, and our own addresses. */
const ALLOWED = ["https://dash.cloudflare.com/", publicUrl, "reader@example.org"];

for (const [name, input] of Object.entries(mailsOf("Acme"))) {
  test(`the text and the HTML part state the same facts (${name})`, () => {
    const statements = statementsOf(buildMailView(input));

    const { text, html } = renderMail(input);

    for (const statement of statements) {
      assert.ok(oneLine(text).includes(oneLine(statement)), `text lacks: ${statement}`);
      assert.ok(visibleText(html).includes(oneLine(statement)), `HTML lacks: ${statement}`);
    }
  });
}

for (const { name, text: hostile } of hostileTexts()) {
  test(`a stranger's text puts nothing clickable into any mail (${name})`, () => {
    const { several, inventory } = mailsOf(hostile);
    for (const input of [several, inventory] as MailInput[]) {
      const { subject, text, html, headers } = renderMail(input);

      assert.deepEqual(linksIn(subject), []);
      assert.deepEqual(
        linksIn(text).filter((link) => !ALLOWED.includes(link)),
        [],
      );
      assert.deepEqual(
        linksIn(visibleText(html)).filter((link) => !ALLOWED.includes(link)),
        [],
      );
      assert.deepEqual(
        [...html.matchAll(/href="([^"]*)"/g)].map((match) => match[1]),
        ALLOWED.slice(0, 2),
      );
      assert.deepEqual(elementsOf(html), elementsOf(renderMail({ ...input, invites: harmless(input) }).html));
      assert.doesNotMatch(text, /[^\P{Cc}\n]/u);
      assert.ok(Object.values(headers).every((value) => /^[\x20-\x7e]+$/.test(value)));
    }
  });
}

test("an HTML part loads nothing and runs nothing", () => {
  for (const input of Object.values(mailsOf("Acme"))) {
    const { html } = renderMail(input);

    assert.match(html, /^<!DOCTYPE html>\n<html lang="en" dir="ltr">/);
    assert.match(html, /<title>[^<]+<\/title>/);
    assert.doesNotMatch(html, /<(?:script|img|link|iframe|object|form|svg|video)|url\(|@import|\son\w+=/i);
  }
});

test("an organization's markup is shown as it was written", () => {
  const acme = invite({ organizationName: `<b>"A" & 'B'</b>` });

  const { html } = renderMail(mailInput([received(1, acme)], [acme]));

  assert.ok(html.includes("“&lt;b&gt;&#39;A&#39; &amp; &#39;B&#39;&lt;/b&gt;”"));
});

test("a right-to-left name cannot turn its surroundings around", () => {
  const acme = invite({ organizationName: "شركة\u202e\u2067 المثال" });

  const { subject, text, html } = renderMail(mailInput([received(1, acme)], [acme]));

  assert.equal(subject, "[ops] New invitation from “شركة المثال” — ends in 3 days 3 hours");
  for (const part of [subject, text, html]) assert.doesNotMatch(part, /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
});

test("the lines of a text part are 78 columns at most", () => {
  for (const input of Object.values(mailsOf("Acme and Sons, Makers of Fine Things since 1848"))) {
    const longest = renderMail(input)
      .text.split("\n")
      .filter((line) => !line.includes(chainHead))
      .reduce((longest, line) => Math.max(longest, line.length), 0);

    assert.ok(longest <= 78, String(longest));
  }
});

test("the inventory carries the chain's head in full and in one piece", () => {
  const { text, html } = renderMail(mailsOf("Acme").inventory as MailInput);

  assert.ok(text.includes(chainHead));
  assert.ok(html.includes(chainHead));
});

test("the same input renders to the same bytes", () => {
  const input = mailsOf("Acme").several as MailInput;

  assert.deepEqual(renderMail(input), renderMail({ ...input, events: input.events.toReversed() }));
});

test("10,000 events make one short mail, quickly", () => {
  const many = Array.from({ length: 10_000 }, (_, index) =>
    invite({ id: index.toString(16).padStart(32, "0"), organizationName: `Organization ${index}` }),
  );
  const events = many.map((one, index) => received(index + 1, one, true));
  const input = mailInput(events, many, { kind: "inventory" });

  const { text, html, headers } = renderMail(input);
  const tookMs = Math.min(...[1, 2, 3].map(() => elapsedMs(() => renderMail(input))));

  assert.ok(tookMs < 200, `${tookMs} ms`);
  assert.ok(text.length < 20_000 && html.length < 80_000, `${text.length}, ${html.length}`);
  assert.ok(text.includes("(and 9,980 more;"));
  assert.equal(headers["X-Invitewatch-Event"], "ops/1-10000");
});

test("10,000 events of one invitation make one short mail, quickly", () => {
  const acme = invite();
  const changes = { roles: { from: ["DNS"], to: ["Billing"] } };
  const events = Array.from({ length: 10_000 }, (_, index) => event("invite.changed", index + 1, acme, { changes }));

  const { text } = renderMail(mailInput(events, [acme]));
  const tookMs = Math.min(...[1, 2, 3].map(() => elapsedMs(() => renderMail(mailInput(events, [acme])))));

  assert.ok(tookMs < 200, `${tookMs} ms`);
  assert.ok(text.length < 5_000);
  assert.ok(text.includes("(and 9988 more)"));
});

/** A mail of each sort, every event type among them, in which `foreign` stands wherever others can write. */
function mailsOf(foreign: string): Record<string, MailInput> {
  const written = {
    organizationName: foreign,
    organizationId: foreign,
    invitedMemberEmail: foreign,
    invitedBy: foreign,
    roles: [foreign, "DNS"],
    apiStatus: foreign,
    oddities: [`role is not a text: ${foreign}`],
  };
  const acme = invite(written);
  const strange = invite({ ...written, id: foreign, status: foreign });
  const over = invite({ ...written, id: "c".repeat(32), status: "withdrawn" });
  const changes = {
    roles: { from: [foreign], to: [] },
    organizationName: { from: "Acme", to: foreign },
    [foreign]: { from: null, to: { [foreign]: foreign } },
  };
  const dead = { by: "invitewatch", reason: `550 ${foreign}`, notificationId: "n", recipient: foreign };
  const events: Event[] = [
    received(1, acme),
    event("invite.status_changed", 2, strange, { from: "pending", to: foreign, source: "detail" }),
    event("invite.changed", 3, acme, { changes }),
    expiring(4, acme),
    event("invite.expired", 5, over, { expiresAt: "2026-11-22T12:00:00.000Z" }),
    event("invite.withdrawn", 6, over, { evidence: `gone, said ${foreign}` }),
    event("invite.returned", 7, acme, { invite: inviteJson(acme) }),
    event("invite.unrecognised", 8, acme, { reason: `status is ${foreign}`, raw: { status: foreign } }),
    event("notification.dead", 9, null, dead),
  ];
  const mail = (list: readonly Event[], known: readonly Invite[], overrides: Partial<MailInput> = {}): MailInput =>
    mailInput(list, known, { publicUrl, ...overrides });
  return {
    ...Object.fromEntries(events.map((one) => [one.type, mail([one], [acme, strange, over])])),
    several: mail(events, [acme, strange, over]),
    inventory: mail([event("watch.baseline", 10, null, { invites: 3, pending: 1 }), ...events], [acme, strange, over], {
      kind: "inventory",
    }),
  };
}

function elapsedMs(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

/** The same invites under a harmless name: what the structure of a mail has to be independent of. */
function harmless(input: MailInput): MailInput["invites"] {
  return new Map([...input.invites].map(([id, one]) => [id, { ...one, organizationName: "Acme" }]));
}

function elementsOf(html: string): readonly string[] {
  return [...html.matchAll(/<\/?([a-z0-9]+)[\s>]/gi)].map((match) => match[0]);
}
