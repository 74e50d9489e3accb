import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs, isNearLimit, rateLimitMs, retryAfterMs } from "../../../src/adapters/cloudflare/pace.ts";

const now = new Date("2026-03-01T12:00:00Z");

test("Retry-After is read as seconds or as a date beside the answer's own", () => {
  assert.equal(retryAfterMs("30", undefined, now), 30_000);
  assert.equal(retryAfterMs("0", undefined, now), 0);
  assert.equal(retryAfterMs("Sun, 01 Mar 2026 12:00:30 GMT", undefined, now), 30_000);
  assert.equal(retryAfterMs("Sun, 01 Mar 2026 15:00:30 GMT", "Sun, 01 Mar 2026 15:00:00 GMT", now), 30_000);
  assert.equal(retryAfterMs("Sunday, 01-Mar-26 12:00:30 GMT", undefined, now), 30_000);
  assert.equal(retryAfterMs("Sun Mar  1 12:00:30 2026", undefined, now), 30_000);
});

test("a Retry-After that cannot be read, or that is over, says nothing", () => {
  const unreadable = ["", "soon", "-5", "-5x", "1e9", "1.5", "+3", "0x10", "soon 1", "5, 5", "NaN", "Infinity"];
  const over = ["Sun, 01 Mar 2026 11:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"];
  for (const text of [undefined, ...unreadable, ...over]) assert.equal(retryAfterMs(text, undefined, now), null, text);
});

test("no header makes us wait for more than five minutes", () => {
  for (const text of ["301", "1000000000", "9".repeat(400), "Fri, 01 Mar 2126 12:00:00 GMT"]) {
    assert.equal(retryAfterMs(text, undefined, now), 300_000, text);
  }
  for (const text of ['"default";r=0;t=31536000', `"default";r=0;t=${"9".repeat(400)}`]) {
    assert.equal(rateLimitMs(text), 300_000, text);
  }
});

test("what cannot be read of a Ratelimit is left out, and the rest is obeyed", () => {
  for (const [text, waitMs] of [
    ['"a";r=x;t=9, "b";r=0;t=3', 3000],
    ['"a";r=-1;t=9, "b";r=0;t=3', 3000],
    ['"a";r=0;t=1e9', 0],
    ['"a,b;r=0;t=9";r=5;t=3', 0],
    ['"a";r = 0 ; t = 2', 2000],
    ['"a";r=00;t=2', 2000],
    ['"a";r=0;t=-5', 0],
    [",;=,,", 0],
  ] as const) {
    assert.equal(rateLimitMs(text), waitMs, text);
  }
  assert.equal(isNearLimit('"a";r=x, "b";r=1'), true);
});

test("only a limit that is used up makes us wait, the longest of them", () => {
  assert.equal(rateLimitMs('"default";r=0;t=30'), 30_000);
  assert.equal(rateLimitMs('"burst";r=0;t=5, "default"; r=0; t=30'), 30_000);
  assert.equal(rateLimitMs('"burst";r=0;t=5, "default";r=9;t=30'), 5000);
  for (const free of [undefined, "", '"default";r=50;t=30', "nonsense", '"default";r=0']) {
    assert.equal(rateLimitMs(free), 0);
  }
});

test("a limit is near when few requests are left of any of them", () => {
  for (const near of ['"default";r=8;t=30', '"default";r=0;t=30', '"burst";r=90;t=5, "default"; r=3; t=30']) {
    assert.equal(isNearLimit(near), true, near);
  }
  for (const far of [undefined, "", '"default";r=9;t=30', "nonsense", '"burst";r=90;t=5, "default";r=1000;t=30']) {
    assert.equal(isNearLimit(far), false, far);
  }
});

test("the wait doubles from the first to a cap, give or take a quarter", () => {
  for (const [attempt, ms] of [
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [10, 20_000],
  ] as const) {
    const wait = backoffMs(attempt, 1000);

    assert.ok(wait >= ms * 0.75 && wait <= ms * 1.25, `${attempt}: ${wait}`);
  }
});
