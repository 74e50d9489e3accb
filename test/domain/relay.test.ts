import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  afterContact,
  afterFailure,
  cannotWait,
  type Leaving,
  longOutageOf,
  RELAY_WELL,
  type RelayState,
  usefulUntilOf,
  wayOut,
  whileProbing,
} from "../../src/domain/relay.ts";
import { after, blind, event, expiring, NOW, received } from "../support/build.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/durations.ts";

/** Down since the instant, to be probed at the other. */
function down(since: Date, nextProbeAt: Date): RelayState {
  return { ...RELAY_WELL, downSince: since, failures: 1, nextProbeAt, failedAt: since, error: "connection refused" };
}

const ORDINARY: Leaving = { owedSince: NOW, pressing: false, chanceUntil: null, usefulUntil: null, hasFallback: false };
const PRESSING: Leaving = { ...ORDINARY, pressing: true, hasFallback: true };

describe("a relay that fails", () => {
  test("is probed on the schedule of retries, counted from when it went down", () => {
    const waits: number[] = [];
    let state = RELAY_WELL;
    for (let nth = 0, at = NOW; nth < 8; nth += 1, at = state.nextProbeAt ?? NOW) {
      state = afterFailure(state, { error: "connection refused", at, ofMail: false }, 0.5);
      waits.push(((state.nextProbeAt ?? NOW).getTime() - at.getTime()) / SECOND);
    }

    assert.deepEqual(waits, [15, 60, 300, 900, 1800, 3600, 3600, 3600]);
    assert.deepEqual(state.downSince, NOW);
  });

  test("on a mail that may be at fault itself is probed by another soon", () => {
    const state = afterFailure({ ...RELAY_WELL, failures: 5 }, { error: "hung up", at: NOW, ofMail: true }, 0.5);

    assert.deepEqual(state.nextProbeAt, after(15 * SECOND));
  });

  test("is well again once it answers, and the outage is remembered", () => {
    const state = afterContact(down(NOW, after(HOUR)), after(7 * HOUR));

    assert.deepEqual(state, { ...RELAY_WELL, lastOutage: { since: NOW, until: after(7 * HOUR) } });
  });

  for (const [words, lengthMs, isLong] of [
    ["six hours", 6 * HOUR, true],
    ["less", 6 * HOUR - 1, false],
  ] as const) {
    test(`for ${words} ${isLong ? "leaves" : "does not leave"} one mail per recipient behind`, () => {
      const state = afterContact(down(NOW, after(HOUR)), after(lengthMs));

      assert.equal(longOutageOf(state, after(lengthMs)) !== null, isLong);
    });
  }
});

describe("a mail", () => {
  for (const [words, relay, leaving, atMs, expected] of [
    ["leaves by a relay that is well", RELAY_WELL, ORDINARY, 0, "relay"],
    ["waits for the next probe", down(after(-HOUR), after(MINUTE)), ORDINARY, 0, `wait ${MINUTE}`],
    ["is the probe when one is due", down(after(-HOUR), NOW), ORDINARY, 0, "probe"],
    ["is the probe before it takes the second way", down(after(-HOUR), NOW), PRESSING, 0, "probe"],
    [
      "that cannot wait takes the second way after half an hour",
      down(after(-30 * MINUTE), after(1)),
      PRESSING,
      0,
      "fallback",
    ],
    ["that cannot wait waits for half an hour first", down(NOW, after(HOUR)), PRESSING, 0, `wait ${30 * MINUTE}`],
    [
      "that cannot wait takes the second way sooner when it would come too late",
      down(NOW, after(HOUR)),
      { ...PRESSING, chanceUntil: after(HOUR) },
      0,
      "fallback",
    ],
    [
      "that can wait has no use for a second way",
      down(after(-DAY), after(MINUTE)),
      { ...ORDINARY, hasFallback: true },
      0,
      `wait ${MINUTE}`,
    ],
    ["waits while another probes", whileProbing(down(after(-HOUR), NOW), NOW), ORDINARY, 0, `wait ${MINUTE}`],
    [
      "waits where another's probe failed after it looked at the clock",
      { ...down(NOW, after(MINUTE)), failedAt: after(20) },
      ORDINARY,
      0,
      `wait ${MINUTE}`,
    ],
    [
      "is the probe where the clock was set back since the last one",
      { ...down(NOW, after(HOUR)), failedAt: after(2 * MINUTE) },
      ORDINARY,
      0,
      "probe",
    ],
    [
      "is the probe where the one before it died of it",
      whileProbing(down(NOW, NOW), NOW),
      ORDINARY,
      3 * MINUTE,
      "probe",
    ],
    ["waits no longer than five days", down(NOW, after(5 * DAY + HOUR)), ORDINARY, 0, `wait ${5 * DAY}`],
    ["finds out for itself when five days are over", down(NOW, after(6 * DAY)), ORDINARY, 5 * DAY, "probe"],
    [
      "waits for the mail that finds out just then",
      whileProbing(down(NOW, after(6 * DAY)), after(5 * DAY)),
      ORDINARY,
      5 * DAY,
      `wait ${MINUTE}`,
    ],
    [
      "is given up once somebody has found out after five days",
      { ...down(NOW, after(6 * DAY)), failedAt: after(5 * DAY) },
      ORDINARY,
      5 * DAY + 1,
      "give up",
    ],
    [
      "finds out for itself a minute before it is of no use any more",
      down(NOW, after(DAY)),
      { ...ORDINARY, usefulUntil: after(HOUR) },
      59 * MINUTE,
      "probe",
    ],
    [
      "that somebody has found out for waits until it is of no use any more",
      { ...down(NOW, after(DAY)), failedAt: after(59 * MINUTE) },
      { ...ORDINARY, usefulUntil: after(HOUR) },
      59 * MINUTE,
      `wait ${MINUTE}`,
    ],
    [
      "is not given up before the second way was tried",
      { ...down(NOW, after(6 * DAY)), failedAt: after(5 * DAY) },
      { ...ORDINARY, hasFallback: true },
      5 * DAY,
      "fallback",
    ],
    [
      "finds out for itself when five days are over before it takes the second way",
      down(NOW, after(6 * DAY)),
      { ...ORDINARY, hasFallback: true },
      5 * DAY,
      "probe",
    ],
  ] as const) {
    test(words, () => {
      const at = after(atMs);

      const way = wayOut(relay, leaving, at);

      const told =
        way.kind === "wait"
          ? `wait ${way.until.getTime() - at.getTime()}`
          : way.kind === "relay" && way.probe
            ? "probe"
            : way.kind;
      assert.equal(told, expected);
    });
  }

  test("of a blind watch or a last chance cannot wait, any other can", () => {
    const lastChance = event("invite.expiring", { ...expiring().data, threshold: "last-chance" });

    assert.deepEqual(
      [blind(), lastChance, received(), expiring()].map((event) => cannotWait([event])),
      [true, true, false, false],
    );
  });

  test("of reminders alone is useful until the last of their ends, any other at any time", () => {
    const ends = [after(HOUR), after(2 * HOUR)].map((at) => expiring({}, at));

    assert.deepEqual(
      [usefulUntilOf(ends), usefulUntilOf([...ends, received()]), usefulUntilOf([])],
      [after(2 * HOUR), null, null],
    );
  });
});
