import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, enhancedCodeOf, queueIdOf } from "../../../src/adapters/smtp/answer.ts";

const ANSWERS: readonly (readonly [server: string, answer: string, id: string | null])[] = [
  ["Postfix", "250 2.0.0 Ok: queued as 4XyZ12abcdEf", "4XyZ12abcdEf"],
  ["Postfix, long ids", "250 2.0.0 Ok: queued as 4c5Rk93h2Wz1Yj", "4c5Rk93h2Wz1Yj"],
  [
    "Brevo",
    "250 2.0.0 OK: queued as <202611230139.1234@smtp-relay.mailin.fr>",
    "202611230139.1234@smtp-relay.mailin.fr",
  ],
  ["Stalwart", "250 2.0.0 Message queued with id 1a2b3c.", "1a2b3c"],
  ["Haraka", "250 Message Queued (3C5B8A2D-1F2E.1)", "3C5B8A2D-1F2E.1"],
  ["Exim", "250 OK id=1tEKXZ-0000000AbCd-2xYz", "1tEKXZ-0000000AbCd-2xYz"],
  ["Sendmail", "250 2.0.0 4AN1c0ab012345 Message accepted for delivery", "4AN1c0ab012345"],
  ["OpenSMTPD", "250 2.0.0 9f6d2a4b Message accepted for delivery", "9f6d2a4b"],
  [
    "Exchange",
    "250 2.6.0 <a@example.com> [InternalId=12345678901, Hostname=EX1.example.com] Queued mail for delivery",
    "12345678901",
  ],
  [
    "Outlook.com",
    "250 2.0.0 OK <AB1@DB7.eurprd01.prod.outlook.com> [Hostname=DB7.eurprd01.prod.outlook.com]",
    "AB1@DB7.eurprd01.prod.outlook.com",
  ],
  [
    "Amazon SES",
    "250 Ok 0100018b5c3c0a4f-1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d-000000",
    "0100018b5c3c0a4f-1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d-000000",
  ],
  ["Gmail", "250 2.0.0 OK  1699999999 d2e1a72fcca58-6c4c0b1sm1234.45 - gsmtp", "d2e1a72fcca58-6c4c0b1sm1234.45"],
  ["qmail", "250 ok 1182362995 qp 21138", "21138"],
  ["hMailServer", "250 Queued (0.125 seconds)", null],
  ["smtp-server", "250 OK: message queued", null],
  ["Mailgun", "250 Great success", null],
  ["one without a text", "250", null],
];

for (const [server, answer, id] of ANSWERS) {
  test(`the answer of ${server} ${id === null ? "names no queue id" : "names its queue id"}`, () => {
    assert.equal(queueIdOf(answer), id);
  });
}

test("codes are read from replies alone", () => {
  const codes = [
    "250-first\n250 2.1.0 last",
    "451 4.7.1 later",
    "250",
    "2500 no",
    "whatever 250 x",
    "\u0000",
    "654 no",
    "",
  ].map(codeOf);
  const enhanced = [
    "451 4.7.1 later",
    "550-5.7.26 more\n550 5.7.26 end",
    "250 10.0.0.1 is you",
    "250 2.1",
    "550 5.1.1.1",
  ].map(enhancedCodeOf);

  assert.deepEqual(codes, [250, 451, 250, null, null, null, null, null]);
  assert.deepEqual(enhanced, ["4.7.1", "5.7.26", null, null, null]);
});
