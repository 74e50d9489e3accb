import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { REFUSAL_ADVICE, troubleOf } from "../../src/domain/refusal.ts";
import type { RefusalStage, Trouble } from "../../src/domain/trouble.ts";

/** Replies of real servers, each with where it is documented or was seen. */
const REPLIES: readonly {
  readonly server: string;
  readonly stage: RefusalStage;
  readonly answer: string;
  readonly trouble: Trouble;
}[] = JSON.parse(readFileSync(new URL("../fixtures/smtp/refusals.json", import.meta.url), "utf8"));

/** Replies of the same kinds, worded here. */
const WORDED: readonly (readonly [stage: RefusalStage, answer: string, trouble: Trouble])[] = [
  ["recipient", "550 You have reached the maximum number of mails per day", "quota"],
  ["sender", "523 5.7.10 Encryption Needed", "login"],
  ["recipient", "550 5.7.1 Session encryption is required", "login"],
  ["sender", "555 5.5.4 Unsupported option: SIZE", "server"],
  ["recipient", "550 <quota@example.com> unknown user", "recipient"],
  ["recipient", "550 no such user: dmarc@example.com", "recipient"],
  ["answer", "554 5.7.1 id=12345-01 - BANNED: .exe", "message"],
  ["answer", "554 5.7.1 Message blocked due to URL listed in SURBL", "message"],
];

const STAGES: readonly RefusalStage[] = ["sender", "recipient", "data", "answer"];
/** What ends a mail for good. */
const FINAL: readonly Trouble[] = ["recipient", "message"];

function judge(stage: RefusalStage, answer: string): Trouble {
  const enhancedCode = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})/.exec(answer)?.[1] ?? null;
  return troubleOf({ stage, code: Number(answer.slice(0, 3)), enhancedCode, answer });
}

describe("whose trouble a refusal is", () => {
  for (const { server, stage, answer, trouble } of REPLIES) {
    test(`${server}, ${stage}: ${answer.split("\n")[0]}: ${trouble}`, () => {
      assert.equal(judge(stage, answer), trouble);
    });
  }

  for (const [stage, answer, trouble] of WORDED) {
    test(`${stage}: ${answer}: ${trouble}`, () => {
      assert.equal(judge(stage, answer), trouble);
    });
  }

  /** RFC 3463 in full, at the recipient: the codes alone, with words that say nothing. */
  const TABLE: Readonly<Record<string, Trouble>> = {
    ...{ "0.0": "recipient", "1.0": "recipient", "1.1": "recipient", "1.2": "recipient", "1.3": "recipient" },
    ...{ "1.4": "recipient", "1.5": "recipient", "1.6": "recipient", "1.7": "sender", "1.8": "sender" },
    ...{ "2.0": "recipient", "2.1": "recipient", "2.2": "recipient", "2.3": "message", "2.4": "recipient" },
    ...{ "3.0": "unclear", "3.1": "server", "3.2": "server", "3.3": "unclear", "3.4": "message", "3.5": "server" },
    ...{ "4.0": "unclear", "4.1": "unclear", "4.2": "unclear", "4.3": "unclear", "4.4": "unclear", "4.5": "quota" },
    ...{ "4.6": "unclear", "4.7": "unclear" },
    ...{ "5.0": "unclear", "5.1": "unclear", "5.2": "unclear", "5.3": "unclear", "5.4": "unclear", "5.5": "unclear" },
    ...{ "6.0": "message", "6.1": "message", "6.2": "message", "6.3": "message", "6.4": "message", "6.5": "message" },
    ...{ "7.0": "unclear", "7.1": "unclear", "7.2": "recipient", "7.3": "unclear", "7.4": "unclear", "7.5": "unclear" },
    ...{ "7.6": "unclear", "7.7": "message" },
  };
  for (const [code, trouble] of Object.entries(TABLE)) {
    test(`550 5.${code} is ${trouble}`, () => {
      assert.equal(judge("recipient", `550 5.${code} ~`), trouble);
    });
  }

  test("while the sender is named is never the recipient's", () => {
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 599 }), fc.string(), (code, text) => {
        assert.notEqual(judge("sender", `${code} ${text}`), "recipient");
      }),
    );
  });

  test("that is for now is never final", () => {
    fc.assert(
      fc.property(fc.constantFrom(...STAGES), fc.constantFrom(...REPLIES), (stage, { answer }) => {
        assert.ok(!FINAL.includes(judge(stage, `451 ${answer.slice(4)}`.replace(/^451 5\./, "451 4."))));
      }),
    );
  });

  test("has advice in every case", () => {
    for (const { trouble } of REPLIES) assert.match(REFUSAL_ADVICE[trouble], /^[a-z].*[;,] ?/);
  });

  test("is judged in no time, whatever a server says", () => {
    const long = `550 5.7.1 ${"mailbox user over exceeded limit ".repeat(20_000)}`;
    const startedMs = performance.now();

    for (const stage of STAGES) judge(stage, long);

    assert.ok(performance.now() - startedMs < 1_000);
  });
});
