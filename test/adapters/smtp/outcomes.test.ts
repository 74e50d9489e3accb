import assert from "node:assert/strict";
import { test } from "node:test";
import { createMailTransport } from "../../../src/adapters/smtp/transport.ts";
import type { DeliveryOutcome } from "../../../src/domain/delivery/attempt.ts";
import { type FaultyRelayOptions, startFaultyRelay } from "../../support/faulty-relay.ts";
import type { Fault } from "../../support/faulty-relay-dialogue.ts";

const LOGIN = { user: "mailer", pass: "s3cret-pass" };
/** Leads here, and nothing marks it as this machine's: TLS is looked for. */
const ELSEWHERE = "[::ffff:127.0.0.1]";
const MIME = Buffer.from("Message-ID: <a@example.com>\r\nSubject: Hello\r\n\r\nHello.\r\n.dot\r\n");
/** More than the buffers on its way hold: it is not sent unless it is read. */
const LONG = Buffer.concat([MIME, Buffer.alloc(9_000_000, `${"x".repeat(70)}\r\n`)]);
const ENVELOPE = { from: "invitewatch <invites@example.com>", to: "ops@example.com" };

type Case = {
  readonly name: string;
  readonly fault?: Fault;
  readonly relay?: FaultyRelayOptions;
  /** By way of an address that is not certain to be this machine's. */
  readonly elsewhere?: boolean;
  readonly mime?: Buffer;
  /** Kind, with what or cause; stage; code; enhanced code. */
  readonly expected: readonly [string, string, number | null, string | null];
  readonly says: RegExp;
  /** How many mails the relay has kept; none by default. */
  readonly kept?: number;
  /** Where no time-out but that of the whole attempt may end it. */
  readonly dripping?: boolean;
};

const hang = (at: Fault["at"]): Fault => ({ at, does: "hang" });
const drop = (at: Fault["at"]): Fault => ({ at, does: "drop" });
const garbage = (at: Fault["at"]): Fault => ({ at, does: "garbage" });
const answer = (at: Fault["at"], text: string): Fault => ({ at, does: "answer", text });
const drip = (at: Fault["at"]): Fault => ({ at, does: "drip", everyMs: 20 });
const noAnswer = (stage: string) => ["failed unreachable", stage, null, null] as const;
const unknown = ["failed unknown", "answer", null, null] as const;
const login = { relay: { login: LOGIN } };
const starttls = { relay: { login: LOGIN, tls: "starttls" }, elsewhere: true } as const;
const AWAY = /cannot be reached or does not answer: /;
const TURNED_AWAY = /turns us away for now; where that lasts, look into its log: \d/;
const NO_SMTP = /answers what is no SMTP; check host and port in SMTP_URL: /;
const REPEAT = /may have taken it, so that the next attempt may be a repeat: /;

const CASES: readonly Case[] = [
  { name: "nothing goes wrong", expected: ["accepted", "answer", 250, "2.0.0"], says: /^250 2\.0\.0 Ok/, kept: 1 },

  {
    name: "greeted with 421",
    fault: answer("greeting", "421 4.3.2 busy"),
    expected: ["failed unreachable", "greeting", 421, "4.3.2"],
    says: TURNED_AWAY,
  },
  {
    name: "greeted with 554",
    fault: answer("greeting", "554 5.7.1 not you"),
    expected: ["failed unreachable", "greeting", 554, "5.7.1"],
    says: /turns us away; look into its log: 554/,
  },
  {
    name: "greeted with a word about a block list",
    fault: answer("greeting", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
    expected: ["failed unreachable", "greeting", 554, "5.7.1"],
    says: /takes no mail from this host or domain; check the login, block lists, .*: 554/,
  },
  {
    name: "no greeting",
    fault: hang("greeting"),
    expected: noAnswer("greeting"),
    says: /it takes the connection and says nothing/,
  },
  { name: "cut before the greeting", fault: drop("greeting"), expected: noAnswer("greeting"), says: AWAY },
  { name: "greeted with garbage", fault: garbage("greeting"), expected: noAnswer("greeting"), says: NO_SMTP },
  { name: "greeted byte by byte", fault: drip("greeting"), expected: noAnswer("greeting"), says: AWAY },
  { name: "no answer to EHLO", fault: hang("ehlo"), expected: noAnswer("greeting"), says: AWAY },
  {
    name: "cut after EHLO",
    fault: drop("ehlo"),
    expected: noAnswer("greeting"),
    says: /hangs up on EHLO; it may not take ".+" as the name of this host: set name=HOST in SMTP_URL/,
  },
  {
    name: "EHLO answered byte by byte",
    fault: drip("ehlo"),
    expected: noAnswer("greeting"),
    says: AWAY,
    dripping: true,
  },

  {
    name: "STARTTLS is not offered where it is required",
    ...login,
    elsewhere: true,
    expected: ["failed tls", "tls", 502, "5.5.1"],
    says: /no TLS with .* it must offer STARTTLS/,
  },
  {
    name: "STARTTLS is refused for now",
    ...starttls,
    fault: answer("starttls", "454 4.7.0 no TLS now"),
    expected: ["failed tls", "tls", 454, "4.7.0"],
    says: /no TLS with .*; it offers STARTTLS and refuses it for now; where that lasts, look into its log: 454/,
  },
  { name: "no answer to STARTTLS", ...starttls, fault: hang("starttls"), expected: noAnswer("tls"), says: AWAY },
  { name: "garbage after STARTTLS", ...starttls, fault: garbage("starttls"), expected: noAnswer("tls"), says: NO_SMTP },
  {
    name: "a bad certificate after STARTTLS",
    ...starttls,
    expected: ["failed tls", "tls", null, null],
    says: /its certificate is not trusted: it is self-signed; give the mail server/,
  },
  {
    name: "a bad certificate from the start",
    relay: { tls: "implicit" },
    expected: ["failed tls", "tls", null, null],
    says: /its certificate is not trusted: it is self-signed/,
  },

  {
    name: "a wrong login",
    ...login,
    fault: answer("login", "535 5.7.8 wrong: s3cret-pass"),
    expected: ["failed login", "login", 535, "5.7.8"],
    says: /refuses the login; check the user and password in SMTP_URL: 535 5\.7\.8 wrong: \[redacted\]$/,
  },
  {
    name: "a login refused for now",
    ...login,
    fault: answer("login", "454 4.7.0 later"),
    expected: ["failed login", "login", 454, "4.7.0"],
    says: /refuses the login for now; where that lasts, look into its log: 454/,
  },
  {
    name: "the server closes at the login",
    ...login,
    fault: answer("login", "421 4.7.0 too many"),
    expected: ["failed unreachable", "login", 421, "4.7.0"],
    says: TURNED_AWAY,
  },
  { name: "no answer to the login", ...login, fault: hang("login"), expected: noAnswer("login"), says: AWAY },
  { name: "cut at the login", ...login, fault: drop("login"), expected: noAnswer("login"), says: AWAY },
  { name: "garbage at the login", ...login, fault: garbage("login"), expected: noAnswer("login"), says: NO_SMTP },
  {
    name: "a login is wanted first",
    fault: answer("sender", "530 5.7.0 log in first"),
    expected: ["failed login", "sender", 530, "5.7.0"],
    says: /wants a login; put user and password into SMTP_URL: 530/,
  },

  {
    name: "the sender is refused",
    fault: answer("sender", "550 5.7.1 who are you"),
    expected: ["failed sender", "sender", 550, "5.7.1"],
    says: /refuses the sender; check that it lets this login send as MAIL_FROM: 550/,
  },
  {
    name: "the sender is refused for now",
    fault: answer("sender", "451 4.3.0 later"),
    expected: ["failed temporary", "sender", 451, "4.3.0"],
    says: /refuses it for now/,
  },
  {
    name: "the mail is too large for the server",
    fault: answer("sender", "552 5.3.4 message size exceeds limit"),
    expected: ["refused message", "sender", 552, "5.3.4"],
    says: /refuses the mail itself/,
  },
  {
    name: "the mail is larger than announced",
    relay: { extensions: ["SIZE 10"] },
    expected: ["refused message", "sender", null, null],
    says: /^the mail has \d+ bytes, and the mail server 127\.0\.0\.1:\d+ takes no more than 10; raise its limit$/,
  },
  {
    name: "the server closes at the sender",
    fault: answer("sender", "421 4.3.2 closing"),
    expected: ["failed unreachable", "sender", 421, "4.3.2"],
    says: TURNED_AWAY,
  },
  { name: "no answer to the sender", fault: hang("sender"), expected: noAnswer("sender"), says: AWAY },
  { name: "cut at the sender", fault: drop("sender"), expected: noAnswer("sender"), says: AWAY },
  { name: "garbage at the sender", fault: garbage("sender"), expected: noAnswer("sender"), says: NO_SMTP },

  {
    name: "greylisted",
    fault: answer("recipient", "451 4.7.1 greylisted"),
    expected: ["failed temporary", "recipient", 451, "4.7.1"],
    says: /refuses it for now; where that lasts, look into its log: 451/,
  },
  {
    name: "the sender is refused where the recipient is named",
    fault: answer("recipient", "553 5.7.1 <invites@example.com>: Sender address rejected: not owned by user mailer"),
    expected: ["failed sender", "recipient", 553, "5.7.1"],
    says: /refuses the sender; check that it lets this login send as MAIL_FROM: 553/,
  },
  {
    name: "the relay wants to know who asks",
    fault: answer("recipient", "554 5.7.1 <ops@example.com>: Relay access denied"),
    expected: ["failed relaying", "recipient", 554, "5.7.1"],
    says: /does not pass mail on to this recipient without a login; put user and password into SMTP_URL, .*: 554/,
  },
  {
    name: "the recipient is refused",
    fault: answer("recipient", "550 5.1.1 no such user"),
    expected: ["refused recipient", "recipient", 550, "5.1.1"],
    says: /refuses the recipient; check the address.*: 550 5\.1\.1 no such user$/,
  },
  {
    name: "the server closes at the recipient",
    fault: answer("recipient", "421 4.3.2 closing"),
    expected: ["failed unreachable", "recipient", 421, "4.3.2"],
    says: TURNED_AWAY,
  },
  { name: "no answer to the recipient", fault: hang("recipient"), expected: noAnswer("recipient"), says: AWAY },
  { name: "cut at the recipient", fault: drop("recipient"), expected: noAnswer("recipient"), says: AWAY },
  { name: "garbage at the recipient", fault: garbage("recipient"), expected: noAnswer("recipient"), says: NO_SMTP },

  {
    name: "the data is refused",
    fault: answer("data", "554 5.6.0 not this"),
    expected: ["refused message", "data", 554, "5.6.0"],
    says: /refuses the mail itself/,
  },
  {
    name: "the data is refused for now",
    fault: answer("data", "452 4.3.1 disk full"),
    expected: ["failed temporary", "data", 452, "4.3.1"],
    says: /refuses it for now/,
  },
  {
    name: "the server closes at the data",
    fault: answer("data", "421 4.3.2 closing"),
    expected: ["failed unreachable", "data", 421, "4.3.2"],
    says: TURNED_AWAY,
  },
  { name: "no answer to DATA", fault: hang("data"), expected: noAnswer("data"), says: AWAY },
  { name: "cut at DATA", fault: drop("data"), expected: noAnswer("data"), says: AWAY },
  { name: "garbage at DATA", fault: garbage("data"), expected: noAnswer("data"), says: NO_SMTP },

  { name: "cut while the mail is sent", fault: drop("mail"), mime: LONG, expected: noAnswer("data"), says: AWAY },
  { name: "the mail is no longer read", fault: hang("mail"), mime: LONG, expected: noAnswer("data"), says: AWAY },
  {
    name: "the mail is refused while it is sent",
    fault: answer("mail", "552 5.3.4 too much"),
    mime: LONG,
    expected: ["refused message", "answer", 552, "5.3.4"],
    says: /refuses the mail itself/,
  },
  {
    name: "the mail is accepted while it is sent",
    fault: answer("mail", "250 2.0.0 Ok"),
    mime: LONG,
    expected: ["failed unknown", "answer", null, null],
    says: REPEAT,
  },

  {
    name: "the mail is refused",
    fault: answer("answer", "550 5.7.1 spam"),
    expected: ["refused message", "answer", 550, "5.7.1"],
    says: /refuses the mail itself; look into its log: 550 5\.7\.1 spam$/,
  },
  {
    name: "a limit on sending is reached",
    fault: answer("answer", "550 5.4.5 Daily user sending limit exceeded"),
    expected: ["failed quota", "answer", 550, "5.4.5"],
    says: /takes no more mail for now, because a limit on sending is reached; .*: 550 5\.4\.5/,
  },
  {
    name: "the mail is refused for now",
    fault: answer("answer", "451 4.3.0 try later"),
    expected: ["failed temporary", "answer", 451, "4.3.0"],
    says: /refuses it for now/,
  },
  { name: "no answer to the mail", fault: hang("answer"), expected: unknown, says: REPEAT },
  {
    name: "the mail is kept and never answered",
    fault: { ...hang("answer"), keeps: true },
    expected: unknown,
    says: REPEAT,
    kept: 1,
  },
  { name: "cut before the final answer", fault: drop("answer"), expected: unknown, says: REPEAT },
  {
    name: "cut after the mail was kept",
    fault: { ...drop("answer"), keeps: true },
    expected: unknown,
    says: REPEAT,
    kept: 1,
  },
  { name: "the final answer is garbage", fault: garbage("answer"), expected: unknown, says: REPEAT },
  {
    name: "the final answer comes byte by byte",
    fault: drip("answer"),
    expected: unknown,
    says: REPEAT,
    dripping: true,
  },
];

function kindOf(outcome: DeliveryOutcome): string {
  if (outcome.kind === "refused") return `refused ${outcome.what}`;
  return outcome.kind === "failed" ? `failed ${outcome.cause}` : outcome.kind;
}

for (const pipelining of [true, false]) {
  for (const { name, fault, relay: options, elsewhere, mime = MIME, expected, says, kept = 0, dripping } of CASES) {
    test(`${pipelining ? "" : "one command at a time: "}${name}: ${expected[0]}`, async (t) => {
      const relay = await startFaultyRelay({ ...(!pipelining && { extensions: ["SIZE 10485760"] }), ...options });
      const url = elsewhere ? relay.url.replace("127.0.0.1", ELSEWHERE) : relay.url;
      const wait = dripping ? 5_000 : 150;
      const transport = createMailTransport(url, (said) => said.replaceAll(LOGIN.pass, "[redacted]"), {
        timeouts: { greetingTimeout: 150, socketTimeout: wait, answerTimeout: dripping ? 300 : wait },
        deadlineMs: dripping ? 300 : 5_000,
      });
      t.after(() => Promise.all([transport.close(), relay.close()]));
      if (fault !== undefined) relay.script(fault);

      const outcome = await transport.send(mime, ENVELOPE);

      const { stage, code, enhancedCode, durationMs } = outcome;
      assert.deepEqual([kindOf(outcome), stage, code, enhancedCode], expected);
      assert.match(outcome.kind === "accepted" ? outcome.response : outcome.error, says);
      assert.equal(outcome.queueId, outcome.kind === "accepted" ? "Q1" : null);
      assert.ok(Number.isInteger(durationMs) && durationMs >= 0 && durationMs < 2_000);
      assert.deepEqual(
        relay.accepted.map(({ from, to, bytes, messageId }) => [from, to, bytes.toString(), messageId]),
        Array.from({ length: kept }, () => [
          "invites@example.com",
          ["ops@example.com"],
          MIME.toString(),
          "a@example.com",
        ]),
      );
    });
  }
}

test("a relay that is away cannot be reached, and is reached again once it is back", async (t) => {
  const relay = await startFaultyRelay();
  const transport = createMailTransport(relay.url, String);
  t.after(() => Promise.all([transport.close(), relay.close()]));

  await relay.away();
  const away = await transport.send(MIME, ENVELOPE);
  await relay.back();
  const back = await transport.send(MIME, ENVELOPE);

  assert.deepEqual([kindOf(away), away.stage, away.code], ["failed unreachable", "connect", null]);
  assert.match(
    away.kind === "failed" ? away.error : "",
    /cannot be reached .*: the connection is refused; check the port/,
  );
  assert.equal(back.kind, "accepted");
});

test("a host that does not exist cannot be reached, and the sentence says so", async () => {
  const transport = createMailTransport("smtp://mail.invalid:25", String);

  const outcome = await transport.send(MIME, ENVELOPE);

  assert.deepEqual([kindOf(outcome), outcome.stage], ["failed unreachable", "connect"]);
  assert.match(outcome.kind === "failed" ? outcome.error : "", /mail\.invalid:25 cannot be reached/);
});

test("a user in the URL is never passed over: a server without a login gets no mail", async (t) => {
  const relay = await startFaultyRelay();
  const transport = createMailTransport(relay.url.replace("//", "//mailer:secret@"), String);
  t.after(() => Promise.all([transport.close(), relay.close()]));

  const outcome = await transport.send(MIME, ENVELOPE);

  assert.deepEqual([kindOf(outcome), outcome.stage, outcome.code], ["failed login", "login", null]);
  assert.match(outcome.kind === "failed" ? outcome.error : "", /it offers no login; take the user out of SMTP_URL/);
  assert.deepEqual(relay.accepted, []);
});
