import assert from "node:assert/strict";
import { test } from "node:test";
import ICAL from "ical.js";
import { type ParsedMail, simpleParser } from "mailparser";
import { createMailTransport } from "../../src/adapters/smtp/transport.ts";
import { composeOne } from "../../src/app/composed-mail.ts";
import { messageIdFor } from "../../src/mail/headers.ts";
import type { MailInput } from "../../src/mail/model.ts";
import { type RenderedMail, renderMail } from "../../src/mail/render.ts";
import { mailsOf } from "../mail/every-kind.ts";
import { linksIn } from "../mail/samples.ts";
import { corpus, names, OBEYED } from "./corpus.ts";

const KINDS = ["invite.received 1", "several", "summary of several"];
const transport = createMailTransport("smtp://127.0.0.1:1", (text) => text);

/** Only what is in the mail, nothing that the parser would derive from it. */
const PARSING = { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true };

const HEADERS = [
  ...["from", "to", "subject", "message-id", "date", "mime-version", "content-type"],
  ...["auto-submitted", "x-auto-response-suppress", "list", "x-invitewatch-event", "x-invitewatch-kind"],
  ...["in-reply-to", "references"],
];

async function compose(input: MailInput): Promise<{ rendered: RenderedMail; mime: string; parsed: ParsedMail }> {
  const rendered = renderMail(input);
  const { from, recipient: to, now: date } = input;
  const mime = await composeOne({ ...rendered, messageId: messageIdFor("n", to, from), from, to, date }, transport);
  return { rendered, mime: mime.toString(), parsed: await simpleParser(mime, PARSING) };
}

for (const { name, text: hostile } of corpus) {
  test(`a composed mail holds what we put into it and nothing else (${name})`, async () => {
    const mails = mailsOf(hostile);
    for (const kind of KINDS) {
      const { rendered, mime, parsed } = await compose(mails[kind] as MailInput);

      const added = [...parsed.headers.keys()].filter((header) => !HEADERS.includes(header));
      assert.deepEqual(added, []);
      assert.equal(parsed.subject, rendered.subject);
      assert.doesNotMatch(parsed.subject ?? "", OBEYED);
      assert.equal(parsed.from?.text, '"Invitewatch" <invites@example.org>');
      assert.deepEqual([parsed.to].flat()[0]?.value, [{ address: "reader@example.org", name: "" }]);
      assert.deepEqual([parsed.cc, parsed.bcc, parsed.replyTo], [undefined, undefined, undefined]);
      assert.equal(withoutEnd(parsed.text), withoutEnd(rendered.text));
      assert.equal(withoutEnd(parsed.html || ""), withoutEnd(rendered.html));
      assert.deepEqual(
        parsed.attachments.map(({ filename, content }) => [filename, content.toString()]),
        rendered.attachments.map(({ filename, content }) => [filename, content]),
      );
      // A summary's header names its watches, here one that is called like this: that name is the operator's own.
      assertSoundLines(mime, kind === "summary of several" ? Number.POSITIVE_INFINITY : LONGEST_LINE);
    }
  });
}

test("a calendar file read back from a mail has one entry and no links of a stranger", async () => {
  for (const { name, text } of corpus) {
    const { parsed } = await compose(mailsOf(text)["invite.received 1"] as MailInput);

    const [file] = parsed.attachments;
    const calendar = new ICAL.Component(ICAL.parse(file?.content.toString() ?? ""));
    const [entry, ...others] = calendar.getAllSubcomponents("vevent");
    assert.equal(others.length, 0, name);
    assert.deepEqual(linksIn(String(entry?.getFirstPropertyValue("summary"))), [], name);
  }
});

test("a name in any script is read in the subject, the text and the HTML as it was written", async () => {
  assert.ok(names.length > 30);
  for (const { name, text } of names) {
    const { parsed } = await compose(mailsOf(text)["invite.received 1"] as MailInput);

    const shown = text.normalize("NFC");
    const escaped = shown.replaceAll("&", "&amp;").replaceAll("'", "&#39;");
    assert.ok(parsed.subject?.includes(`“${shown}”`), `${name}: ${parsed.subject}`);
    assert.ok(withoutIsolation(parsed.text ?? "").includes(`“${shown}”`), name);
    assert.ok(withoutIsolation(parsed.html || "").includes(`“${escaped}”`), name);
  }
});

function withoutIsolation(part: string): string {
  return part.replace(/<\/?bdi>|[\u2068\u2069]/g, "");
}

/** Of SMTP, without the line end (RFC 5321 §4.5.3.1.6). */
const LONGEST_LINE = 998;

/** No bare CR or LF, no line that is too long, nothing but ASCII. */
function assertSoundLines(mime: string, longest: number): void {
  assert.doesNotMatch(mime, /\r(?!\n)|(?<!\r)\n/);
  assert.match(mime, /^[\r\n\t\x20-\x7e]*$/);
  assert.ok(mime.split("\r\n").every((line) => line.length <= longest));
}

function withoutEnd(text: string | undefined): string {
  return (text ?? "").replaceAll("\r\n", "\n").trimEnd();
}
