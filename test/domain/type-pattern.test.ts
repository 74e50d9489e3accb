import assert from "node:assert/strict";
import { test } from "node:test";
import { matchTypes } from "../../src/domain/type-pattern.ts";

const TYPES = ["invite.changed", "invite.received", "notification.dead", "watch.baseline"];

for (const [patterns, matched] of [
  [[], TYPES],
  [["invite.received"], ["invite.received"]],
  [["invite.*"], ["invite.changed", "invite.received"]],
  [
    ["invite.*", "!invite.changed", "watch.*"],
    ["invite.received", "watch.baseline"],
  ],
  [["!invite.*"], ["notification.dead", "watch.baseline"]],
  [["*"], TYPES],
  [["invite?received"], []],
] as const) {
  test(`the patterns ${JSON.stringify(patterns)} take ${matched.join(", ") || "nothing"}`, () => {
    assert.deepEqual(matchTypes(patterns, TYPES), matched);
  });
}
