import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DeliveryOutcome } from "../../../src/domain/delivery/attempt.ts";
import { concludeAll, type EndedAttempt } from "../../../src/domain/delivery/conclude.ts";
import { RELAY_WELL } from "../../../src/domain/relay.ts";
import { after, NOW, notification } from "../../support/build.ts";
import { MINUTE } from "../../support/durations.ts";
import { accepted, failed, refused } from "../../support/outcomes.ts";

const AT = after(2 * MINUTE);
const RULES = { at: AT, hasFallback: false, chance: () => 0.5 };
const DOWN = { ...RELAY_WELL, downSince: NOW, failures: 1, nextProbeAt: AT, failedAt: NOW, error: "away" };

function ended(outcome: DeliveryOutcome, { probe = false, isOvertaken = false } = {}): EndedAttempt {
  return {
    mail: { notification: notification({ createdAt: NOW }), events: [], ownFailures: 0 },
    way: { kind: "relay", probe },
    attempts: [{ number: 1, startedAt: NOW, way: "smtp", outcome }],
    isOvertaken,
  };
}

describe("what one attempt says of the mail server counts for the next", () => {
  test("of several that fail together the first says that it is down", () => {
    const away = ended(failed("unreachable", "away"));

    const [first, second] = concludeAll([away, away], RELAY_WELL, RULES);

    assert.deepEqual([first?.mailServer?.downSince, second?.mailServer], [AT, null]);
    assert.deepEqual(
      [first, second].map((one) => one?.receipt?.state === "pending" && one.receipt.waitsForRelay),
      [true, true],
    );
  });

  test("a mail that was refused says nothing of it", () => {
    const [conclusion] = concludeAll([ended(refused())], RELAY_WELL, RULES);

    assert.deepEqual([conclusion?.receipt?.state, conclusion?.mailServer], ["dead", null]);
  });

  test("one that failed from before it came back says nothing, and its mail is due at once", () => {
    const probe = ended(accepted(), { probe: true });
    const late = ended(failed("unreachable", "away"));

    const [back, after_] = concludeAll([probe, late], DOWN, RULES);

    assert.equal(back?.mailServer?.downSince, null);
    assert.deepEqual([after_?.mailServer, after_?.receipt?.state], [null, "pending"]);
    assert.ok(after_?.receipt?.state === "pending" && after_.receipt.nextAttemptAt <= AT);
  });

  test("one that was overtaken says nothing", () => {
    const [conclusion] = concludeAll([ended(accepted(), { probe: true, isOvertaken: true })], DOWN, RULES);

    assert.deepEqual([conclusion?.receipt?.state, conclusion?.mailServer], ["delivered", null]);
  });
});
