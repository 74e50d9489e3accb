import assert from "node:assert/strict";
import { test } from "node:test";
import type { MailInput } from "../../src/mail/model.ts";
import { renderAlike, renderMail } from "../../src/mail/render.ts";
import { buildMailView } from "../../src/mail/view.ts";
import { mailsOf } from "./every-kind.ts";
import {
  chainHead,
  event,
  hostileTexts,
  invite,
  linksIn,
  mailInput,
  oneLine,
  received,
  statementsOf,
  visibleText,
} from "./samples.ts";

/** What may be clicked: the dashboard and our own addresses. */
const ALLOWED = ["https://dash.cloudflare.com/", "reader@example.org"];

for (const [name, input] of Object.entries(mailsOf("Acme"))) {
  test(`the text and the HTML part state the same facts (${name})`, () => {
    const { text, html, attachments } = renderMail(input);

    const statements = statementsOf(buildMailView(input, attachments));
    for (const statement of statements) {
      assert.ok(oneLine(text).includes(oneLine(statement)), `text lacks: ${statement}`);
      assert.ok(visibleText(html).includes(oneLine(statement)), `HTML lacks: ${statement}`);
    }
  });
}

test("a mail is the same, whoever else is told the same", () => {
  for (const input of Object.values(mailsOf("Acme"))) {
    const variants: MailInput[] = [
      input,
      { ...input, recipient: "other@example.org" },
      { ...input, earlier: ["m-1@example.org", "m-2@example.org"] },
    ];

    const rendered = renderAlike([...variants, ...variants.toReversed()]);

    const alone = variants.map(renderMail);
    assert.deepEqual(rendered, [...alone, ...alone.toReversed()]);
  }
});

for (const { name, text: hostile } of hostileTexts()) {
  test(`a stranger's text puts nothing clickable into any mail (${name})`, () => {
    const mails = mailsOf(hostile);
    for (const name of ["several", "inventory", "summary of several"]) {
      const input = mails[name] as MailInput;
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
        ALLOWED.slice(0, 1),
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

  const { subject, text, html, attachments } = renderMail(mailInput([received(1, acme)], [acme]));

  assert.equal(subject, "[ops] New invitation from “شركة المثال” — ends in 3 days 3 hours");
  assert.ok(text.includes("Organization:     “\u2068شركة المثال\u2069”"), text);
  assert.ok(html.includes("“<bdi>\u2068شركة المثال\u2069</bdi>”"));
  const parts = [
    subject,
    ...[text, html].map((part) => part.replace(/\u2068[^\u2068\u2069\n]*\u2069/g, "")),
    attachments[0]?.content ?? "",
  ];
  for (const part of parts) assert.doesNotMatch(part, /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
});

test("what is written from right to left is isolated on each line of its own, and Latin names not at all", () => {
  const long = invite({ organizationName: "שם ארוך מאוד של ארגון אחד ".repeat(4), roles: ["מנהל", "עורך"] });
  const latin = invite();

  const { text } = renderMail(mailInput([received(1, long)], [long], { watch: "צוות" }));

  for (const line of text.split("\n")) assert.match(line, /^(?:[^\u2068\u2069]|\u2068[^\u2068\u2069]*\u2069)*$/u, line);
  for (const line of text.split("\n").filter((one) => /\p{sc=Hebr}/u.test(one))) assert.match(line, /\u2068/, line);
  assert.match(text, /“\u2068מנהל\u2069”, “\u2068עורך\u2069”/);
  assert.doesNotMatch(renderMail(mailInput([received(1, latin)], [latin])).text, /[\u2066-\u2069]/);
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

test("the same input renders to the same bytes, whatever the order of its events", () => {
  for (const input of Object.values(mailsOf("Acme"))) {
    assert.deepEqual(renderMail({ ...input, events: input.events.toReversed() }), renderMail(input));
    assert.deepEqual(buildMailView({ ...input, invites: input.invites.toReversed() }), buildMailView(input));
  }
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
  assert.ok(text.includes("(and 9,988 more)"));
});

function elapsedMs(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

/** The same invites under a harmless name: what the structure of a mail has to be independent of. */
function harmless(input: MailInput): MailInput["invites"] {
  return input.invites.map((one) => ({ ...one, organizationName: "Acme" }));
}

/** Without those around what is written from right to left. */
function elementsOf(html: string): readonly string[] {
  return [...html.matchAll(/<\/?(?!bdi>)([a-z0-9]+)[\s>]/gi)].map((match) => match[0]);
}
