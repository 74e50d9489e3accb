import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compose } from "../../src/adapters/smtp/composer.ts";
import { composeOne } from "../../src/app/composed-mail.ts";
import { textOfComposed } from "../../src/mail/composed-text.ts";

async function mailOf(text: string, attachments: readonly string[] = []): Promise<Buffer> {
  const message = {
    messageId: "a@example.com",
    from: "Invitewatch <invites@example.com>",
    to: "ops@example.com",
    subject: "Grüße",
    date: new Date(0),
    text,
    html: "<p>another text</p>",
    headers: {},
    attachments: attachments.map((content) => ({ filename: "a.ics", contentType: "text/calendar", content })),
  };
  return composeOne(message, { compose });
}

for (const [words, text] of [
  ["of short lines in ASCII", "plain\nlines\n"],
  ["of long lines", `${"a long line = ".repeat(30)}\n`],
  ["with letters beyond ASCII", "grüße — „so“ \u{1F600}\n.\n..dot\n--\n\n  trailing  \n"],
  ["in another script", "招待が届きました。\n".repeat(9)],
  ["that looks like a part", "--x\r\nContent-Type: text/plain\r\n\r\nno\r\n--x--\r\n".replaceAll("\r", "")],
] as const) {
  test(`a text ${words} is read as it was composed`, async () => {
    assert.equal(textOfComposed(await mailOf(text)), text);
    assert.equal(textOfComposed(await mailOf(text, ["BEGIN:VCALENDAR"])), text);
  });
}

test("whatever was composed is read", async () => {
  const line = fc.string({
    unit: fc.oneof(fc.constantFrom(" ", "=", "-", "."), fc.string({ unit: "grapheme", minLength: 1 })),
  });

  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 8 }), async (lines) => {
      const text = `${lines.join("\n")}\n`;
      assert.equal(textOfComposed(await mailOf(text)), text);
    }),
  );
});
