import assert from "node:assert/strict";
import { test } from "node:test";
import { createClockAlarm } from "../src/clock-alarm.ts";
import { HOUR, MINUTE } from "./support/durations.ts";

test("that the clock differs from another is told once, and once that they agree again", () => {
  const told: unknown[] = [];
  const line = ({ event, against, aheadMs }: { readonly [name: string]: unknown }) =>
    told.push([event, against, aheadMs]);
  const tell = createClockAlarm({ error: line, info: line });

  tell([{ against: "api", ms: 4 * MINUTE }]);
  tell([{ against: "api", ms: 2 * HOUR }]);
  tell([{ against: "api", ms: 3 * HOUR }]);
  tell([{ against: "database", ms: -8 * HOUR }]);
  tell([{ against: "api", ms: null }]);
  tell([{ against: "api", ms: 200 }]);
  tell([{ against: "api", ms: 300 }]);

  assert.deepEqual(told, [
    ["clock.skewed", "api", 2 * HOUR],
    ["clock.skewed", "database", -8 * HOUR],
    ["clock.agrees", "api", 200],
  ]);
});
