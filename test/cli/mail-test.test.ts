import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startMailServer } from "../support/mail-server.ts";
import { startRelay } from "../support/relay.ts";
import { runCommand } from "./command.ts";

const ENV = { MAIL_FROM: "Invitewatch <invites@example.com>", CLOUDFLARE_API_TOKEN: "t".repeat(40) };

async function relayFor(t: TestContext) {
  const relay = await startRelay();
  t.after(() => relay.close());
  return relay;
}

test("the test mail reaches everybody configured, and each stage has its line", async (t) => {
  const server = await startMailServer();
  t.after(() => server.close());
  const env = { ...ENV, SMTP_URL: server.url, MAIL_TO: "ops@example.com, lead@example.com" };

  const { code, stdout } = await runCommand(["mail", "test"], { env });

  const stages = stdout
    .split("\n\n")[0]
    ?.split("\n")
    .map((line) => line.slice(0, 14).trimEnd());
  assert.deepEqual(stages, [
    "OK   DNS",
    "OK   connect",
    "OK   greeting",
    "OK   TLS",
    "OK   login",
    "OK   MAIL FROM",
    "OK   RCPT TO",
    "OK   RCPT TO",
    "OK   DATA",
    "OK   answer",
  ]);
  assert.match(stdout, /took the test mail for ops@example\.com, lead@example\.com\.\n$/);
  assert.equal(code, 0);
  const [mail] = await server.parsed();
  assert.equal(mail?.headers.get("x-invitewatch-kind"), "test");
  assert.equal(mail?.from?.text, '"Invitewatch" <invites@example.com>');
  assert.match(mail?.text ?? "", /ran "invitewatch mail test" for ops@example\.com/);
  assert.match(mail?.html || "", /Test mail: invitewatch can reach you/);
});

test("a recipient that is refused is named, the other gets the mail, and the exit code is 1", async (t) => {
  const relay = await relayFor(t);
  relay.refuse("RCPT", 550, "no such mailbox");
  const args = ["mail", "test", "--to", "nobody@example.com", "--to", "ops@example.com"];

  const { code, stdout } = await runCommand(args, { env: { ...ENV, SMTP_URL: relay.url } });

  assert.match(
    stdout,
    /^FIX {2}RCPT TO {4}<nobody@example\.com>: .*refuses the recipient; check the address.*: 550 no such mailbox$/m,
  );
  assert.match(stdout, /took the test mail for ops@example\.com\. It was not taken for nobody@example\.com\.\n$/);
  assert.equal(relay.transactions[0]?.to, "ops@example.com");
  assert.equal(code, 1);
});

test("as JSON the stages are rows, beside who was accepted and who was not", async (t) => {
  const relay = await relayFor(t);
  relay.refuse("DATA", 554, "maps\u202e spam");
  const args = ["mail", "test", "--to", "ops@example.com", "--format", "json"];

  const { code, stdout } = await runCommand(args, { env: { ...ENV, SMTP_URL: relay.url } });

  const report = JSON.parse(stdout);
  assert.equal(report.steps.at(-1).stage, "answer");
  assert.equal(report.steps.at(-1).ok, false);
  assert.deepEqual([report.accepted, report.refused], [[], ["ops@example.com"]]);
  assert.doesNotMatch(stdout, /\u202e/);
  assert.equal(code, 1);
});

test("what a server says is not obeyed by the terminal", async (t) => {
  const relay = await relayFor(t);
  relay.refuse("RCPT", 550, "enog\u202e gone");

  const { stdout } = await runCommand(["mail", "test", "--to", "ops@example.com"], {
    env: { ...ENV, SMTP_URL: relay.url },
  });

  assert.match(stdout, /550 enog gone/);
  assert.doesNotMatch(stdout, /\u202e/);
});

test("a password that the server repeats is not shown", async (t) => {
  const server = await startMailServer({ login: { user: "mailer", pass: "right-pass" } });
  t.after(() => server.close());
  const env = { ...ENV, MAIL_TO: "ops@example.com", SMTP_URL: `smtp://mailer:wrong-pass@127.0.0.1:${server.port}` };

  const { code, stdout, stderr } = await runCommand(["mail", "test"], { env });

  assert.match(stdout, /^FIX {2}login .*\[redacted\]/m);
  assert.doesNotMatch(stdout + stderr, /wrong-pass|d3JvbmctcGFzc/);
  assert.equal(code, 1);
});

test("without a mail server, without anybody to mail and with a broken address it says what to do", async () => {
  const noServer = await runCommand(["mail", "test", "--to", "ops@example.com"]);
  const nobody = await runCommand(["mail", "test"], { env: { ...ENV, SMTP_URL: "smtp://127.0.0.1:1" } });
  const env = { ...ENV, SMTP_URL: "smtp://127.0.0.1:1" };
  const broken = await runCommand(["mail", "test", "--to", "ops at example"], { env });
  const utf8 = await runCommand(["mail", "test", "--to", "jörg@example.com"], { env });

  assert.deepEqual([noServer.code, nobody.code, broken.code, utf8.code], [2, 2, 2, 2]);
  assert.match(noServer.stderr, /set SMTP_URL and MAIL_FROM/);
  assert.match(nobody.stderr, /name somebody with --to/);
  assert.match(broken.stderr, /It is not an e-mail address/);
  assert.match(utf8.stderr, /It has a character before the "@" that is not ASCII; such addresses \(SMTPUTF8\)/);
});
