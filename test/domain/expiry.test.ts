import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dueAlert, type ExpiryRules, hasEnded, lastChanceLeadMs } from "../../src/domain/expiry.ts";
import { after, invite, lead, NOW, RULES, share } from "../support/build.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";

/** Only these thresholds, polled every 15 minutes. */
function rules(...thresholds: ExpiryRules["thresholds"]): ExpiryRules {
  return { thresholds, intervalMs: 15 * MINUTE };
}

describe("a threshold in hours", () => {
  test("is not crossed a millisecond before its time", () => {
    const due = dueAlert(invite({ expiresAt: after(24 * HOUR + 1) }), rules(lead("24h", 24 * HOUR)), NOW);

    assert.equal(due, null);
  });

  test("is crossed at the very instant, and says when that was", () => {
    const due = dueAlert(invite({ expiresAt: after(24 * HOUR) }), rules(lead("24h", 24 * HOUR)), NOW);

    assert.deepEqual(due, { threshold: "24h", leadMs: 24 * HOUR, covers: [], crossedAt: NOW });
  });

  test("that was crossed between two syncs is dated to the crossing, not to the sync", () => {
    const due = dueAlert(invite({ expiresAt: after(23 * HOUR) }), rules(lead("24h", 24 * HOUR)), NOW);

    assert.deepEqual(due?.crossedAt, after(-HOUR));
  });

  test("that was crossed before the invite existed is dated to the invitation", () => {
    const young = invite({ invitedAt: after(-10 * MINUTE), expiresAt: after(5 * HOUR) });

    const due = dueAlert(young, rules(lead("72h", 72 * HOUR)), NOW);

    assert.deepEqual(due?.crossedAt, after(-10 * MINUTE));
  });

  test("fires once", () => {
    const alerted = invite({ expiresAt: after(23 * HOUR), alertedLeadMs: 24 * HOUR });

    assert.equal(dueAlert(alerted, rules(lead("24h", 24 * HOUR)), NOW), null);
  });

  test("less urgent than what was alerted stays silent", () => {
    const alerted = invite({ expiresAt: after(5 * HOUR), alertedLeadMs: 6 * HOUR });

    assert.equal(dueAlert(alerted, rules(lead("24h", 24 * HOUR), lead("6h", 6 * HOUR)), NOW), null);
  });

  test("more urgent than what was alerted fires after it", () => {
    const alerted = invite({ expiresAt: after(5 * HOUR), alertedLeadMs: 24 * HOUR });

    const due = dueAlert(alerted, rules(lead("24h", 24 * HOUR), lead("6h", 6 * HOUR)), NOW);

    assert.equal(due?.threshold, "6h");
    assert.deepEqual(due?.covers, []);
  });
});

describe("a threshold in percent", () => {
  const quarter = rules(share("25%", 0.25));

  test("is that share of the invite's own lifetime", () => {
    const fourDays = { invitedAt: after(-3 * DAY) };

    assert.equal(dueAlert(invite({ ...fourDays, expiresAt: after(DAY + 8) }), quarter, NOW), null);
    assert.equal(dueAlert(invite({ ...fourDays, expiresAt: after(DAY) }), quarter, NOW)?.threshold, "25%");
  });

  test("counts from when the invite was first seen where nobody says when it was sent", () => {
    const seen = invite({ invitedAt: null, firstSeenAt: after(-9 * HOUR), expiresAt: after(3 * HOUR) });

    const due = dueAlert(seen, quarter, NOW);

    assert.equal(due?.threshold, "25%");
    assert.equal(due?.leadMs, 3 * HOUR);
  });

  test("of an invite that ended before it was sent is never crossed", () => {
    const absurd = invite({ invitedAt: after(9 * DAY), expiresAt: after(3 * HOUR) });

    assert.equal(dueAlert(absurd, quarter, NOW), null);
  });
});

describe("several thresholds crossed at once", () => {
  test("are one alert, the most urgent one, which covers the others from the least urgent on", () => {
    const due = dueAlert(invite({ invitedAt: after(-4 * HOUR), expiresAt: after(5 * HOUR) }), RULES, NOW);

    assert.equal(due?.threshold, "6h");
    assert.deepEqual(due?.covers, ["72h", "24h"]);
  });

  test("take percentages among the hours by their length", () => {
    const eightDays = invite({ invitedAt: after(-7 * DAY - HOUR), expiresAt: after(23 * HOUR) });

    const due = dueAlert(eightDays, RULES, NOW);

    assert.equal(due?.threshold, "24h");
    assert.deepEqual(due?.covers, ["72h", "25%"]);
  });
});

describe("the last chance", () => {
  test("comes two syncs before the end, and an hour before it at the least", () => {
    assert.equal(lastChanceLeadMs(6 * HOUR), 12 * HOUR);
    assert.equal(lastChanceLeadMs(30 * MINUTE), HOUR);
    assert.equal(lastChanceLeadMs(MINUTE), HOUR);
  });

  test("comes also where no threshold is configured", () => {
    assert.equal(dueAlert(invite({ expiresAt: after(HOUR) }), rules(), NOW)?.threshold, "last-chance");
  });

  test("speaks for a threshold of the same length", () => {
    const due = dueAlert(invite({ expiresAt: after(HOUR) }), rules(lead("1h", HOUR)), NOW);

    assert.equal(due?.threshold, "last-chance");
    assert.deepEqual(due?.covers, ["1h"]);
  });

  test("does not silence a threshold that is nearer to the end", () => {
    const alerted = invite({ expiresAt: after(10 * MINUTE), alertedLeadMs: HOUR });

    assert.equal(dueAlert(alerted, rules(lead("10m", 10 * MINUTE)), NOW)?.threshold, "10m");
  });
});

describe("the end", () => {
  test("silences every threshold", () => {
    assert.equal(dueAlert(invite({ expiresAt: NOW }), RULES, NOW), null);
    assert.equal(dueAlert(invite({ expiresAt: after(-1) }), RULES, NOW), null);
  });

  test("is passed at the very instant", () => {
    assert.equal(hasEnded({ expiresAt: after(1) }, NOW), false);
    assert.equal(hasEnded({ expiresAt: NOW }, NOW), true);
  });

  test("that nobody knows never comes by the clock, and alerts of nothing", () => {
    assert.equal(hasEnded({ expiresAt: null }, after(1000 * DAY)), false);
    assert.equal(dueAlert(invite({ expiresAt: null }), RULES, after(1000 * DAY)), null);
  });
});
