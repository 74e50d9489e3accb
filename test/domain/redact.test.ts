import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRedactor } from "../../src/domain/redact.ts";

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

test("a megabyte is searched in well under a second", () => {
  const redact = createRedactor(Array.from({ length: 20 }, (_, index) => `aaaaaaaaaaaaaaab${index}`));
  const startedAt = performance.now();

  redact("a".repeat(1_000_000));

  assert.ok(performance.now() - startedAt < 1000);
});
