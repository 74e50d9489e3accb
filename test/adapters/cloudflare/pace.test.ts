import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs, isNearLimit, rateLimitMs, retryAfterMs } from "../../../src/adapters/cloudflare/pace.ts";

const now = new Date("2026-03-01T12:00:00Z");

test("Retry-After is read as seconds or as a date beside the answer's own", () => {
  assert.equal(retryAfterMs("30", undefined, now), 30_000);
  assert.equal(retryAfterMs("0", undefined, now), 0);
  assert.equal(retryAfterMs("Sun, 01 Mar 2026 12:00:30 GMT", undefined, now), 30_000);
  assert.equal(retryAfterMs("Sun, 01 Mar 2026 15:00:30 GMT", "Sun, 01 Mar 2026 15:00:00 GMT", now), 30_000);
  assert.equal(retryAfterMs("Sun, 01 Mar 2026 11:00:00 GMT", undefined, now), 0);
  for (const nothing of [undefined, "", "soon", "-5x"]) assert.equal(retryAfterMs(nothing, undefined, now), null);
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
