import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { createMailTransport } from "../../../src/adapters/smtp/transport.ts";
import { composeOne } from "../../../src/app/composed-mail.ts";
import type { Message } from "../../../src/app/ports.ts";
import type { DeliveryOutcome } from "../../../src/domain/delivery/attempt.ts";

const ENVELOPE = { from: "invitewatch <invites@example.com>", to: "ops@example.com" };
const MIME = Buffer.from(
  "From: invites@example.com\r\nTo: ops@example.com\r\nSubject: Hello\r\n\r\nHello.\r\n.dot\r\n",
);

/** Runs the test against a server of its own. `seen` is what it took, byte by byte. */
async function withServer(
  options: SMTPServerOptions,
  run: (server: { port: number; seen: string[] }) => Promise<void>,
): Promise<void> {
  const seen: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, _session, done) {
      text(stream).then((mail) => {
        seen.push(mail);
        done();
      }, done);
    },
    ...options,
  });
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  try {
    await run({ port: (server.server.address() as AddressInfo).port, seen });
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

function answer(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

const asIs = (said: string) => said;

/** How one mail ends, sent over a transport of its own. */
async function sendOnce(url: string): Promise<DeliveryOutcome> {
  const transport = createMailTransport(url, asIs);
  try {
    return await transport.send(MIME, ENVELOPE);
  } finally {
    await transport.close();
  }
}

test("an accepted mail arrives byte by byte, and the server's answer is the receipt", () =>
  withServer({}, async ({ port, seen }) => {
    const outcome = await sendOnce(`smtp://127.0.0.1:${port}`);

    assert.equal(outcome.kind, "accepted");
    assert.match(outcome.kind === "accepted" ? outcome.response : "", /^250 /);
    assert.deepEqual(seen, [MIME.toString()]);
  }));

test("a recipient refused for good is refused; a recipient refused for now has failed", async () => {
  const outcomeOf = async (code: number) => {
    let kind = "";
    const onRcptTo: SMTPServerOptions["onRcptTo"] = (_address, _session, done) => done(answer(code, "no such mailbox"));
    await withServer({ onRcptTo }, async ({ port }) => {
      kind = (await sendOnce(`smtp://127.0.0.1:${port}`)).kind;
    });
    return kind;
  };

  assert.equal(await outcomeOf(550), "refused");
  assert.equal(await outcomeOf(450), "failed");
});

test("a message refused for good is refused; a sender refused is for an administrator to mend", async () => {
  const refusing = {
    onData: (stream, _session, done) => void text(stream).then(() => done(answer(554, "spam"))),
  } satisfies SMTPServerOptions;
  const senderless = {
    onMailFrom: (_address, _session, done) => done(answer(550, "who are you")),
  } satisfies SMTPServerOptions;

  await withServer(refusing, async ({ port }) => {
    const outcome = await sendOnce(`smtp://127.0.0.1:${port}`);
    assert.equal(outcome.kind, "refused");
  });
  await withServer(senderless, async ({ port }) => {
    const outcome = await sendOnce(`smtp://127.0.0.1:${port}`);
    assert.equal(outcome.kind, "failed");
  });
});

test("a relay that is away has failed, and the sentence names it", async () => {
  const outcome = await sendOnce("smtp://127.0.0.1:1");

  assert.equal(outcome.kind, "failed");
  assert.match(outcome.kind === "failed" ? outcome.error : "", /the mail server 127\.0\.0\.1:1 cannot be reached/);
});

test("a refused login says so, without the password that the server sent back", async () => {
  const password = "s3cret-pass";
  const onAuth: SMTPServerOptions["onAuth"] = (auth, _session, done) =>
    done(new Error(`bad login with ${auth.password}`));
  await withServer({ onAuth }, async ({ port }) => {
    const redact = (said: string) => said.replaceAll(password, "[redacted]");
    const transport = createMailTransport(`smtp://mailer:${password}@127.0.0.1:${port}`, redact);

    const outcome = await transport.send(MIME, ENVELOPE);
    const verified = transport.verify();

    assert.match(
      outcome.kind === "failed" ? outcome.error : "",
      /refuses the login; check the user and password.*\[redacted\]/,
    );
    await assert.rejects(
      verified,
      (error: Error) => /refuses the login/.test(error.message) && !error.message.includes(password),
    );
  });
});

test("what to do is said of the setting that the mail server's address is from", async () => {
  const onAuth: SMTPServerOptions["onAuth"] = (_auth, _session, done) =>
    done(Object.assign(new Error("5.7.8 wrong"), { responseCode: 535 }));

  await withServer({ onAuth }, async ({ port }) => {
    const url = `smtp://mailer:secret@127.0.0.1:${port}`;
    const transport = createMailTransport(url, String, { setting: "FALLBACK_SMTP_URL" });

    const outcome = await transport.send(MIME, ENVELOPE);

    assert.match("error" in outcome ? outcome.error : "", /check the user and password in FALLBACK_SMTP_URL: 535/);
  });
});

test("a login never crosses the wire in the clear to a relay that is not this machine", async () => {
  let attempts = 0;
  const onAuth: SMTPServerOptions["onAuth"] = (_auth, _session, done) => {
    attempts += 1;
    done(null, { user: "mailer" });
  };
  await withServer({ onAuth }, async ({ port }) => {
    // An address that leads here and that nothing marks as this machine's.
    const host = `[::ffff:127.0.0.1]:${port}`;

    const refused = await sendOnce(`smtp://mailer:secret@${host}`);
    const attemptsWithoutLeave = attempts;
    const allowed = await sendOnce(`smtp://mailer:secret@${host}?allowInsecureAuth=true`);

    assert.equal(refused.kind, "failed");
    assert.equal(attemptsWithoutLeave, 0);
    assert.equal(allowed.kind, "accepted");
  });
});

/** A mail that might be sent, with everything that a mail can have but files. */
function message(overrides: Partial<Message> = {}): Message {
  return {
    messageId: "abc@example.com",
    from: "invitewatch <invites@example.com>",
    to: "ops@example.com",
    subject: "Invitation from “Müller\r\nBcc: victim@example.com”",
    date: new Date("2026-03-02T10:00:00Z"),
    text: "Text, 株式会社.\n",
    html: "<p>Text, 株式会社.</p>",
    headers: { "Auto-Submitted": "auto-generated" },
    attachments: [],
    ...overrides,
  };
}

test("a composed mail holds both parts, its id and its headers", async () => {
  const transport = createMailTransport("smtp://127.0.0.1:1", asIs);

  const mime = await composeOne(message(), transport);
  const mail = await simpleParser(mime);

  assert.equal(mail.messageId, "<abc@example.com>");
  assert.equal(mail.headers.get("auto-submitted"), "auto-generated");
  assert.equal(mail.text, message().text);
  assert.equal(mail.html, message().html);
  assert.equal(mail.bcc, undefined);
  assert.deepEqual(mail.attachments, []);
  assert.equal(mail.date?.toISOString(), "2026-03-02T10:00:00.000Z");
  assert.doesNotMatch(mime.toString(), /(?<!\r)\n/, "lines end with CRLF");
});

test("calendar files go beside both parts, byte by byte, with their method", async () => {
  const transport = createMailTransport("smtp://127.0.0.1:1", asIs);
  const content = `BEGIN:VCALENDAR\r\nSUMMARY:“株式会社” ${"x".repeat(50)}\r\n .\r\n\r\n--\r\nEND:VCALENDAR\r\n`;
  const attachments = ["PUBLISH", "CANCEL"].map((method) => ({
    filename: `${method.toLowerCase()}.ics`,
    contentType: `text/calendar; charset=utf-8; method=${method}`,
    content,
  }));

  const mime = await composeOne(message({ attachments }), transport);
  const mail = await simpleParser(mime);

  assert.deepEqual(contentTypes(mime.toString()), [
    "multipart/mixed",
    "multipart/alternative",
    "text/plain; charset=utf-8",
    "text/html; charset=utf-8",
    "text/calendar; charset=utf-8; method=PUBLISH; name=publish.ics",
    "text/calendar; charset=utf-8; method=CANCEL; name=cancel.ics",
  ]);
  assert.equal(mail.text, message().text);
  assert.equal(mail.html, message().html);
  assert.deepEqual(
    mail.attachments.map(({ filename, contentDisposition, content: bytes }) => [
      filename,
      contentDisposition,
      bytes.toString(),
    ]),
    [
      ["publish.ics", "attachment", content],
      ["cancel.ics", "attachment", content],
    ],
  );
  const lines = mime.toString().split("\r\n");
  assert.ok(lines.every((line) => line.length <= 78 && !line.includes("\n")));
});

/** The type of each part of a mail in its order, without boundaries. */
function contentTypes(mime: string): readonly string[] {
  const unfolded = mime.replaceAll(/\r\n[ \t]+/g, " ");
  return [...unfolded.matchAll(/^Content-Type: (.*?)(?:; boundary=.*)?\r$/gm)].map((match) => match[1] ?? "");
}
