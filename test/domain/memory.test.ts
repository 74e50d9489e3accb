import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemory } from "../../src/domain/memory.ts";

test("what was made once is not made again, until too much else was asked for", () => {
  const made: string[] = [];
  const remembered = createMemory<string>(2);
  const ask = (key: string) =>
    remembered(key, () => {
      made.push(key);
      return key.toUpperCase();
    });

  const answers = ["a", "b", "a", "c", "a", "b"].map(ask);

  assert.deepEqual(answers, ["A", "B", "A", "C", "A", "B"]);
  assert.deepEqual(made, ["a", "b", "c", "b"]);
});

test("what could not be made is tried again", () => {
  const remembered = createMemory<string>(2);

  assert.throws(() =>
    remembered("a", () => {
      throw new RangeError("no");
    }),
  );

  assert.equal(
    remembered("a", () => "A"),
    "A",
  );
});
