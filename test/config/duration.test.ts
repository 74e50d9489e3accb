import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "../../src/config/duration.ts";

test("a duration is read in every unit and in sums of them", () => {
  const texts = ["500ms", "30s", "90m", "72h", "3d", "2w", "1d12h", "1h30m", "0s", " 5M "];

  const durations = texts.map(parseDuration);

  assert.deepEqual(
    durations,
    [500, 30_000, 5_400_000, 259_200_000, 259_200_000, 1_209_600_000, 129_600_000, 5_400_000, 0, 300_000],
  );
});

test("what is not a duration is null", () => {
  const texts = ["", "30", "s", "-1s", "1.5h", "1h 30m", "30m1h", "1h1h", "soon", "99999999999999w"];

  const durations = texts.map(parseDuration);

  assert.deepEqual(
    durations,
    texts.map(() => null),
  );
});

test("a duration that was written is read as the same", () => {
  const anyDuration = fc.nat({ max: Number.MAX_SAFE_INTEGER });

  fc.assert(fc.property(anyDuration, (ms) => assert.equal(parseDuration(formatDuration(ms)), ms)));
});

test("a duration is written in its longest units", () => {
  const durations = [0, 15 * 60_000, 72 * 3_600_000, 90_000, 1];

  const texts = durations.map(formatDuration);

  assert.deepEqual(texts, ["0s", "15m", "3d", "1m30s", "1ms"]);
});
