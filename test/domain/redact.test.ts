import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRedactor } from "../../src/domain/redact.ts";
import { encodings } from "../support/encodings.ts";

const secret = 'p?ss~w"rd+/é';

test("a secret is masked as it is and in the encodings that servers echo", () => {
  const redact = createRedactor([secret]);
  const spellings = [
    secret,
    Buffer.from(secret).toString("base64"),
    Buffer.from(secret).toString("base64").replace(/=+$/, ""),
    Buffer.from(secret).toString("base64url"),
    encodeURIComponent(secret),
    encodeURIComponent(secret).toLowerCase(),
    JSON.stringify(secret).slice(1, -1),
  ];

  for (const spelling of spellings) assert.equal(redact(`a ${spelling} b`), "a [redacted] b", spelling);
});

test("the padding of base64 is masked with it", () => {
  assert.equal(createRedactor(["abcd"])("YWJjZA==."), "[redacted].");
});

test("every occurrence of every secret is masked, the longer secret first", () => {
  const redact = createRedactor(["abcd", "abcdefgh"]);

  assert.equal(redact("abcdefgh abcd xabcdx"), "[redacted] [redacted] x[redacted]x");
});

test("a mask is not searched again", () => {
  assert.equal(createRedactor(["redacted", "wxyz"])("wxyz redacted"), "[redacted] [redacted]");
});

test("secrets shorter than four characters are ignored", () => {
  assert.equal(createRedactor(["abc", ""])("abc"), "abc");
});

test("without secrets a text stays as it is", () => {
  assert.equal(createRedactor([])("anything"), "anything");
});

test("a secret of any characters is masked as a whole", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 4, unit: "binary" }), (hidden) => {
      assert.equal(createRedactor([hidden])(hidden), "[redacted]");
    }),
  );
});

test("a secret is masked in every encoding, whatever stands around it", () => {
  const text = fc.string({ unit: fc.constantFrom(..."abcXYZ019 ./+=-_%&\\\"'<>{}[]\u00e9\u{1f600}") });
  const secrets = fc.string({ minLength: 9, maxLength: 40, unit: fc.constantFrom(..."abXY01/+=&%<>\"'\\.-_~!é€😀") });
  fc.assert(
    fc.property(secrets, text, text, (hidden, before, after) => {
      for (const [name, encode] of Object.entries(encodings)) {
        const echoed = encode(hidden);
        const masked = createRedactor([hidden])(`${before} ${echoed} ${after}`);
        assert.ok(masked.includes("[redacted]"), `${name}: ${masked}`);
        assert.ok(!masked.includes(echoed), `${name}: ${masked}`);
      }
    }),
  );
});

test("what holds no secret stays as it is, escapes included", () => {
  const redact = createRedactor(["s3cret-value"]);
  for (const text of ["100 % &amp; \\u0041 %41%ff \\", "%", "&#9999999;", "\\u{110000}", "\uD800%20", "%E2%82"]) {
    assert.equal(redact(text), text);
  }
});

test("only the secret is masked of a text with escapes", () => {
  assert.equal(
    createRedactor(["a/b/c/d"])("x%20 a\\/b\\/c\\/d %2F a/b/c/d &amp;"),
    "x%20 [redacted] %2F [redacted] &amp;",
  );
});

test("a thousand secrets cost little more than one", () => {
  const redact = createRedactor(Array.from({ length: 1000 }, (_, index) => `token-${index}-${"z".repeat(30)}`));
  const startedAt = performance.now();

  for (let line = 0; line < 1000; line += 1)
    redact(`a line of the log, ${line} % of all, as it is written a thousand times`);

  assert.ok(performance.now() - startedAt < 2000, `${performance.now() - startedAt} ms`);
});

test("a megabyte is searched in well under a second", () => {
  const redact = createRedactor(Array.from({ length: 20 }, (_, index) => `aaaaaaaaaaaaaaab${index}`));
  const startedAt = performance.now();

  redact("a".repeat(1_000_000));

  assert.ok(performance.now() - startedAt < 1000);
});
