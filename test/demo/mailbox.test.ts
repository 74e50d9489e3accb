import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { after, before, test } from "node:test";
import { createTransport } from "nodemailer";
import { type Mailbox, startMailbox } from "../../src/demo/mailbox.ts";

let mailbox: Mailbox;

before(async () => {
  mailbox = await startMailbox();
});
after(() => mailbox.close());

async function send(subject: string, more: object = {}): Promise<void> {
  const transport = createTransport(mailbox.smtpUrl);
  await transport.sendMail({
    from: "Invitewatch <invites@example.com>",
    to: "Ops <ops@example.com>",
    subject,
    text: "Ünïcode text",
    html: "<p>Ünïcode <b>html</b></p>",
    ...more,
  });
  transport.close();
}

test("a mail sent to the mailbox can be read back whole", async () => {
  const references = Array.from({ length: 5 }, (_, number) => `<${number}-a-rather-long-message-id@example.com>`);
  const calendar = { filename: "deadline.ics", content: "BEGIN:VCALENDAR", contentType: "text/calendar" };

  await send("Größe", {
    references,
    attachments: [calendar],
    headers: { "X-Invitewatch-Event": "ops/7", "List-Id": "<invitewatch.example.com>" },
  });

  const mail = await mailbox.waitForMail(({ subject }) => subject === "Größe");
  assert.deepEqual(
    [mail.from, mail.to, mail.recipients],
    ["invites@example.com", ["ops@example.com"], ["ops@example.com"]],
  );
  assert.match(mail.text, /Ünïcode text/);
  assert.match(mail.html, /<b>html<\/b>/);
  assert.deepEqual(mail.headers["x-invitewatch-event"], ["ops/7"]);
  assert.deepEqual(mail.headers["list-id"], ["<invitewatch.example.com>"]);
  assert.deepEqual(mail.headers.references, [references.join(" ")]);
  assert.deepEqual(mail.attachments, [{ filename: "deadline.ics", contentType: "text/calendar" }]);
  assert.match(mail.raw, /^Message-ID: </m);
});

test("a mail can be waited for, and received ones are kept in their order", async () => {
  const waiting = mailbox.waitForMail(({ subject }) => subject === "second");

  await send("first");
  await send("second");

  assert.equal((await waiting).subject, "second");
  const subjects = mailbox.messages().map(({ subject }) => subject);
  assert.deepEqual(subjects.slice(-2), ["first", "second"]);
});

test("an address that is refused is refused for good, and nobody else", async (t) => {
  const strict = await startMailbox({ refused: ["retired@example.com"] });
  t.after(strict.close);
  const transport = createTransport(strict.smtpUrl);
  const to = (address: string) =>
    transport.sendMail({ from: "a@example.com", to: address, subject: "hello", text: "" });

  await assert.rejects(to("retired@example.com"), { responseCode: 550 });
  await to("ops@example.com");

  const mail = await strict.waitForMail(() => true);
  transport.close();
  assert.deepEqual(mail.recipients, ["ops@example.com"]);
});

test("waiting ends with the signal", async () => {
  const waiting = mailbox.waitForMail(() => false, AbortSignal.abort());

  await assert.rejects(waiting, { name: "AbortError" });
});

test("the web page answers, and it is MailDev's", async () => {
  const page = await fetch(mailbox.webUrl);

  assert.equal(page.status, 200);
  assert.match(await page.text(), /<title>MailDev<\/title>/);
});

test("where the preferred ports are taken, others are used, and close() ends what still waits", async (t) => {
  const occupant = await occupy();
  t.after(() => occupant.server.close());

  const second = await startMailbox({ smtpPort: occupant.port, webPort: occupant.port });
  const waiting = assert.rejects(
    second.waitForMail(() => true),
    /closed/,
  );
  const page = await fetch(second.webUrl);
  await second.close();

  assert.equal(page.status, 200);
  assert.ok(!second.smtpUrl.endsWith(`:${occupant.port}`));
  await waiting;
  await assert.rejects(fetch(second.webUrl), TypeError);
});

async function occupy(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return { server, port: address.port };
}
