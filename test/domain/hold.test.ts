import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dampingOf, endsBy, isTurn } from "../../src/domain/hold.ts";
import { after, blind, event, expiring, invite, NOW, received, statusChanged } from "../support/build.ts";
import { DAY, HOUR } from "../support/durations.ts";

describe("a change of a status", () => {
  for (const [turns, held] of [
    [1, false],
    [2, false],
    [3, true],
    [40, true],
  ] as const) {
    test(`is ${held ? "held for an hour" : "told at once"} where it is number ${turns} within six hours`, () => {
      const hold = dampingOf(statusChanged("accepted"), turns, NOW);

      const reason = `its status changed ${turns} times within 6 hours`;
      assert.deepEqual(hold, held ? { cause: "flapping", until: after(HOUR), reason } : null);
    });
  }

  for (const turn of [
    statusChanged("pending"),
    event("invite.withdrawn", { evidence: "404" }),
    event("invite.returned", received().data),
  ]) {
    test(`is also ${turn.type} (${turn.inviteId})`, () => {
      assert.equal(isTurn(turn), true);
      assert.notEqual(dampingOf(turn, 3, NOW), null);
    });
  }
});

test("a reminder that comes with a damped change waits with it", () => {
  assert.equal(dampingOf(expiring(), 2, NOW), null);
  assert.deepEqual(dampingOf(expiring(), 3, NOW)?.until, after(HOUR));
});

test("nothing else is damped, however often the status changed", () => {
  const ended = event("invite.expired", { expiresAt: NOW.toISOString() });
  const changed = event("invite.changed", { changes: { roles: { from: [], to: ["DNS"] } } });

  for (const one of [received(), ended, changed, blind()]) assert.equal(dampingOf(one, 9, NOW), null, one.type);
});

for (const [words, about, ends] of [
  ["ends before the instant", invite({ expiresAt: after(HOUR - 1) }), true],
  ["ends at the instant", invite({ expiresAt: after(HOUR) }), true],
  ["ends after it", invite({ expiresAt: after(HOUR + 1) }), false],
  ["ended already", invite({ expiresAt: NOW }), false],
  ["has no end", invite({ expiresAt: null }), false],
  ["was answered", invite({ expiresAt: after(1), status: "accepted" }), false],
  ["is not known", null, false],
] as const) {
  test(`an invite that ${words} ${ends ? "cannot" : "can"} wait until then`, () => {
    assert.equal(endsBy(about, after(HOUR), NOW), ends);
  });
}

test("an invite that ends tomorrow cannot wait for two days", () => {
  assert.equal(endsBy(invite({ expiresAt: after(DAY) }), after(2 * DAY), NOW), true);
});
