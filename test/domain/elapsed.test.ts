import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { elapsedMs, isFuture } from "../../src/domain/elapsed.ts";
import { after, NOW } from "../support/build.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";

test("what happened is so long ago", () => {
  assert.equal(elapsedMs(after(-HOUR), NOW), HOUR);
});

test("what never happened, and what lies in the future, is no evidence that something happened lately", () => {
  assert.equal(elapsedMs(null, NOW), Number.POSITIVE_INFINITY);
  assert.equal(elapsedMs(after(8 * HOUR), NOW), Number.POSITIVE_INFINITY);
});

test("another machine's clock may be a little ahead", () => {
  assert.equal(elapsedMs(after(5 * MINUTE), NOW), 0);
  assert.equal(isFuture(after(5 * MINUTE), NOW), false);
  assert.equal(isFuture(after(5 * MINUTE + 1), NOW), true);
});

test("nothing is ever a negative time ago", () => {
  fc.assert(fc.property(fc.integer({ min: -DAY, max: DAY }), (ms) => elapsedMs(after(ms), NOW) >= 0));
});
