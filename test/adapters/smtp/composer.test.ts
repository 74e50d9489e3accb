import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { simpleParser } from "mailparser";
import { compose } from "../../../src/adapters/smtp/composer.ts";
import { bytesOf, composeOne } from "../../../src/app/composed-mail.ts";
import type { Message } from "../../../src/app/ports.ts";

const line = fc.constantFrom(
  "Plain.",
  ".dot",
  "株式会社 “Acme”",
  "x".repeat(200),
  "=3D",
  "",
  "From me",
  "--_NmP-Part_1",
);
const text = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => ["Hello", ...lines].join("\n"));

/** Mails of which many have something in common. */
const mail: fc.Arbitrary<Message> = fc.record({
  to: fc.constantFrom("a@example.com", "“B” <b@exämple.com>", "c".repeat(60).concat("@example.com")),
  messageId: fc.constantFrom("1@example.com", `${"f".repeat(64)}@example.com`),
  from: fc.constantFrom("invites@example.com", "Invitewatch <invites@example.com>"),
  subject: fc.constantFrom("Hello", "“Acme” — ends in 5 hours"),
  date: fc.constantFrom(new Date("2026-03-02T10:00:00Z"), new Date("2026-03-02T10:00:01Z")),
  text,
  html: text,
  headers: fc.constantFrom<Record<string, string>>(
    {},
    { "List-Id": "invitewatch <a.example.com>" },
    { "In-Reply-To": "<0@example.com>", References: "<0@example.com>", "List-Id": "invitewatch <a.example.com>" },
  ),
  attachments: fc.array(
    fc.record({
      filename: fc.constantFrom("a.ics", "b.ics"),
      contentType: fc.constant("text/calendar; charset=utf-8; method=PUBLISH"),
      content: text,
    }),
    { maxLength: 2 },
  ),
});

test("a mail's bytes are the same, whatever is composed with it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mail, { minLength: 2, maxLength: 6 }), async (mails) => {
      const composed = (await compose([...mails, ...mails])).map(bytesOf).map(String);

      const alone = await Promise.all(mails.map(async (one) => String(await composeOne(one, { compose }))));
      assert.deepEqual(composed, [...alone, ...alone]);
    }),
    { numRuns: 100 },
  );
});

test("mails that differ in one thing only are each composed with their own", async () => {
  const first: Message = {
    to: "a@example.com",
    messageId: "1@example.com",
    from: "invites@example.com",
    subject: "Hello",
    date: new Date("2026-03-02T10:00:00Z"),
    text: "text",
    html: "html",
    headers: { "List-Id": "invitewatch <a.example.com>" },
    attachments: [{ filename: "a.ics", contentType: "text/calendar", content: "BEGIN" }],
  };
  const differences: readonly Partial<Message>[] = [
    { to: "b@example.com" },
    { messageId: "2@example.com" },
    { from: "other@example.com" },
    { subject: "Goodbye" },
    { date: new Date("2026-03-02T10:00:01Z") },
    { text: "other" },
    { html: "other" },
    { headers: { "List-Id": "invitewatch <b.example.com>" } },
    { headers: { ...first.headers, References: "<0@example.com>" } },
    { headers: { ...first.headers, "In-Reply-To": "<0@example.com>" } },
    { attachments: [] },
    { attachments: [{ filename: "b.ics", contentType: "text/calendar", content: "BEGIN" }] },
    { attachments: [{ filename: "a.ics", contentType: "text/x-calendar", content: "BEGIN" }] },
    { attachments: [{ filename: "a.ics", contentType: "text/calendar", content: "END" }] },
  ];

  const composed = await compose([first, ...differences.map((difference) => ({ ...first, ...difference }))]);

  assert.equal(new Set(composed.map(bytesOf).map(String)).size, differences.length + 1);
});

test("every header field is there once, those of the recipient too", async () => {
  await fc.assert(
    fc.asyncProperty(mail, async (one) => {
      const mime = String(await composeOne(one, { compose }));

      const header = mime.slice(0, mime.indexOf("\r\n\r\n")).replaceAll(/\r\n[ \t]+/g, " ");
      const names = header.split("\r\n").map((field) => field.slice(0, field.indexOf(":")).toLowerCase());
      const parsed = await simpleParser(mime);
      assert.deepEqual(names, [...new Set(names)]);
      assert.deepEqual(
        names.toSorted(),
        ["to", "message-id", "from", "subject", "date", "mime-version", "content-type"]
          .concat(Object.keys(one.headers).map((name) => name.toLowerCase()))
          .toSorted(),
      );
      assert.equal(parsed.messageId, `<${one.messageId}>`);
      assert.equal(parsed.subject, one.subject);
      assert.equal(parsed.inReplyTo, one.headers["In-Reply-To"]);
    }),
    { numRuns: 100 },
  );
});
