import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { matches } from "../../src/domain/pattern.ts";

const TYPES = ["invite.changed", "invite.received", "notification.dead", "watch.baseline"];

for (const [patterns, taken] of [
  [[], TYPES],
  [["invite.received"], ["invite.received"]],
  [["invite.*"], ["invite.changed", "invite.received"]],
  [
    ["invite.*", "!invite.changed", "watch.*"],
    ["invite.received", "watch.baseline"],
  ],
  [["!invite.*"], ["notification.dead", "watch.baseline"]],
  [["*"], TYPES],
  [["*.*e*d*"], ["invite.changed", "invite.received", "notification.dead"]],
  [["!*"], []],
  [["invite?received"], []],
  [["invite.receive"], []],
  [["nvite.received"], []],
  [["INVITE.*ED"], ["invite.changed", "invite.received"]],
] as const) {
  test(`the patterns ${JSON.stringify(patterns)} take ${taken.join(", ") || "nothing"}`, () => {
    assert.deepEqual(
      TYPES.filter((type) => matches(patterns, [type])),
      taken,
    );
  });
}

for (const [pattern, value, fits] of [
  ["a.c", "abc", false],
  ["(Acme)+ [x]", "(Acme)+ [x]", true],
  ["Acme*", "Acme", true],
  ["Acme*Corp", "Acme Corp", true],
  ["ab*ba", "aba", false],
  ["*Labs*", "one\nLabs\ntwo", true],
  ["", "", true],
  ["", "Acme", false],
  ["*ÖBB*", "die öbb ag", true],
  ["*株式会社", "日本株式会社", true],
  ["Acme 🚀*", "acme 🚀 inc", true],
] as const) {
  test(`${JSON.stringify(pattern)} ${fits ? "takes" : "does not take"} ${JSON.stringify(value)}`, () => {
    assert.equal(matches([pattern], [value]), fits);
  });
}

test("any one of several values is enough to be taken, and to be left out", () => {
  const roles = ["DNS", "Super Administrator"];

  assert.equal(matches(["*admin*"], roles), true);
  assert.equal(matches(["DNS", "!*admin*"], roles), false);
});

test("no value at all is taken only where nothing has to be", () => {
  assert.equal(matches(["*"], []), false);
  assert.equal(matches(["!Acme"], []), true);
});

describe("a pattern", () => {
  const text = fc.string({ unit: "binary-ascii", maxLength: 12 }).filter((one) => !/[*]|^!/.test(one));

  test("without a star takes exactly itself", () => {
    fc.assert(
      fc.property(text, text, (pattern, value) => {
        assert.equal(matches([pattern], [value]), pattern.toLowerCase() === value.toLowerCase());
      }),
    );
  });

  test("takes what has its parts in their order", () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), fc.array(text), (parts, fillings) => {
        const value = parts
          .map((part, nth) => `${part}${nth < parts.length - 1 ? (fillings[nth] ?? "") : ""}`)
          .join("");
        const pattern = parts.join("*");
        fc.pre(!pattern.startsWith("!"));

        assert.equal(matches([pattern], [value]), true);
      }),
    );
  });

  test("agrees with the regular expression that says the same", () => {
    const few = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
    fc.assert(
      fc.property(few, fc.string({ unit: fc.constantFrom("a", "B"), maxLength: 10 }), (pattern, value) => {
        assert.equal(matches([pattern], [value]), new RegExp(`^${pattern.replaceAll("*", ".*")}$`, "i").test(value));
      }),
      { numRuns: 2_000 },
    );
  });

  test("with many stars is as quick on a name that a stranger made long", () => {
    const startedAt = performance.now();

    assert.equal(matches(["*a*a*a*a*a*b"], ["a".repeat(10_000)]), false);

    assert.ok(performance.now() - startedAt < 1_000, "the time grows with the text and not with its power");
  });
});
