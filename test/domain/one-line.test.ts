import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { maskedLine, oneLine } from "../../src/domain/one-line.ts";

describe("whatever somebody else wrote", () => {
  test("becomes one well-formed line of a length, without characters that are obeyed", () => {
    const unit = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\0", "\u{1F600}", "\ud83d", "\r\n", "\u202e"),
    );
    const text = fc.array(unit, { maxLength: 60 }).map((units) => units.join(""));

    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 40 }), (wild, max) => {
        const line = oneLine(wild, max);
        assert.ok(line.isWellFormed() && line.length <= max && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(line), line);
      }),
    );
  });

  test("stays as it is where it is harmless", () => {
    assert.equal(oneLine("250 2.0.0 Ok: grüße \u{1F600}", 100), "250 2.0.0 Ok: grüße \u{1F600}");
  });

  test("shows that it was cut", () => {
    assert.equal(oneLine("too long", 5), "too …");
  });

  test("shows no secret, be it on one line or broken over two", () => {
    const redact = (text: string) => text.replaceAll(/hunter2|pass word/g, "[redacted]");

    assert.equal(maskedLine("hunter2 pass\r\nword pass\0word", 100, redact), "[redacted] [redacted] [redacted]");
  });
});
