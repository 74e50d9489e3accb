import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lastAttemptAt, nextAttemptAt, type Term } from "../../src/domain/retry.ts";
import { after, NOW } from "../support/build.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/durations.ts";

/** The chance that leaves the delay as it is. */
const EVEN = 0.5;
const TERM: Term = { owedSince: NOW, usefulUntil: null };

test("a failed mail is tried again after 15 s, 1, 5, 15 and 30 min, 1 h, and then every hour", () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 50].map((attempts) => nextAttemptAt(attempts, NOW, TERM, EVEN));

  const expected = [15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, HOUR, HOUR];
  assert.deepEqual(
    delays,
    expected.map((ms) => after(ms)),
  );
});

test("chance spreads the delay by a fifth to either side", () => {
  assert.deepEqual(nextAttemptAt(6, NOW, TERM, 0), after(48 * MINUTE));
  assert.ok((nextAttemptAt(6, NOW, TERM, 0.999_999) ?? NOW) < after(72 * MINUTE));
});

test("the last attempt is made just when five days are over, and then the mail is given up", () => {
  const term = { owedSince: after(-5 * DAY + HOUR / 2), usefulUntil: null };

  assert.deepEqual(nextAttemptAt(9, NOW, term, EVEN), after(HOUR / 2));
  assert.equal(nextAttemptAt(9, after(HOUR / 2), term, EVEN), null);
});

test("what is of use for a while only is tried for the last time a minute before that ends", () => {
  const term = { owedSince: NOW, usefulUntil: after(20 * MINUTE) };
  const last = after(19 * MINUTE);

  assert.deepEqual(lastAttemptAt(term), last);
  assert.deepEqual(nextAttemptAt(5, NOW, term, EVEN), last);
  assert.deepEqual(nextAttemptAt(6, last, term, EVEN), term.usefulUntil);
});

test("an outage of any length is tried through, never sooner than before and never past five days", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 200, maxLength: 200 }),
      (chances) => {
        let failedAt = NOW;
        let attempts = 1;
        for (const chance of chances) {
          const next = nextAttemptAt(attempts, failedAt, TERM, chance);
          if (next === null) break;
          assert.ok(next > failedAt && next <= after(5 * DAY));
          failedAt = next;
          attempts += 1;
        }

        assert.ok(attempts > 100, `only ${attempts} attempts in five days`);
        assert.deepEqual(failedAt, after(5 * DAY));
      },
    ),
    { numRuns: 20 },
  );
});
