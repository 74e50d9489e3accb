import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance, nearest } from "../../src/config/nearest.ts";

test("a step is an insertion, a removal, a replacement or a swap of neighbours", () => {
  const pairs = [
    ["MAIL_TO", "MAIL_TO"],
    ["MAIL_T", "MAIL_TO"],
    ["MAILL_TO", "MAIL_TO"],
    ["MAIL_TU", "MAIL_TO"],
    ["MIAL_TO", "MAIL_TO"],
    ["", "abc"],
  ] as const;

  const distances = pairs.map(([a, b]) => editDistance(a, b));

  assert.deepEqual(distances, [0, 1, 1, 1, 1, 3]);
});

test("the distance is the same both ways, and zero only between equals", () => {
  const text = fc.string({ maxLength: 12 });

  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
    }),
  );
});

test("the nearest name is found whatever the case", () => {
  const found = nearest("sync_shedule", ["SYNC_JITTER", "SYNC_SCHEDULE"]);

  assert.deepEqual(found, { name: "SYNC_SCHEDULE", distance: 1 });
});

test("of no names none is the nearest", () => {
  const found = nearest("x", []);

  assert.equal(found, null);
});
