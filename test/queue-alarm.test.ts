import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFields } from "../src/log.ts";
import { createQueueAlarm } from "../src/queue-alarm.ts";
import { after, NOW } from "./support/build.ts";
import { MINUTE } from "./support/durations.ts";

function listen() {
  const lines: LogFields[] = [];
  let now = NOW;
  const alarm = createQueueAlarm({ warn: (fields) => void lines.push(fields) }, { now: () => now });
  return {
    alarm: (words: string) => alarm(new Error(words)),
    pass(ms: number) {
      now = after(ms, now);
    },
    said: () => lines.map(({ err, unsaid }) => [(err as Error).message, unsaid ?? 0]),
  };
}

test("what every worker meets at every poll is said once a minute, with how often it was not said", () => {
  const { alarm, pass, said } = listen();

  for (let poll = 0; poll < 5; poll += 1) alarm("it cannot be reached");
  pass(MINUTE);
  alarm("it cannot be reached");

  assert.deepEqual(said(), [
    ["it cannot be reached", 0],
    ["it cannot be reached", 4],
  ]);
});

test("another trouble is said at once, and the first one again when it is back", () => {
  const { alarm, said } = listen();

  alarm("it cannot be reached");
  alarm("it is starting");
  alarm("it cannot be reached");

  assert.deepEqual(
    said().map(([words]) => words),
    ["it cannot be reached", "it is starting", "it cannot be reached"],
  );
});
