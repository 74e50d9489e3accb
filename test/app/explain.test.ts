import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type DecidedSuppression,
  type Mail,
  type Outcome,
  outcomesOf,
  outlookOf,
  type Story,
} from "../../src/app/explain.ts";
import type { Silence } from "../../src/domain/silence.ts";
import { after, event, invite, NOW, RULES } from "../support/build.ts";
import { DAY, HOUR } from "../support/durations.ts";

const EXPIRING = event("invite.expiring", { threshold: "24h", expiresAt: after(DAY).toISOString(), covers: [] });

function mail(given: Partial<Mail> = {}): Mail {
  return {
    id: "m1",
    watch: "default",
    recipient: "ops@example.com",
    kind: "invite.expiring",
    subject: null,
    messageId: "m1@example.com",
    state: "pending",
    reason: null,
    heldBy: null,
    rules: ["default"],
    coveredBy: null,
    attempts: 0,
    createdAt: NOW,
    deliveredAt: null,
    response: null,
    error: null,
    nextAttemptAt: NOW,
    releasedAt: null,
    usefulUntil: null,
    maybeAccepted: false,
    syncId: null,
    eventSeqs: [1],
    lastAttemptAt: null,
    waitsForRelay: false,
    deliveryAttempts: [],
    ...given,
  };
}

function suppression(given: Partial<DecidedSuppression> = {}): DecidedSuppression {
  const decided = { id: "s1", watch: "default", syncId: null, decidedAt: NOW };
  return { ...decided, reason: "moot", detail: "it was accepted", recipient: null, eventSeqs: [1], ...given };
}

function story(given: Partial<Story> = {}): Story {
  return { invite: invite(), events: [EXPIRING], syncs: [], mails: [], suppressions: [], silences: [], ...given };
}

/** Outcomes in a line each. */
function told(given: Partial<Story>, about = EXPIRING): string[] {
  return outcomesOf(about, story(given)).map((outcome) => `${outcome.recipient}: ${lineOf(outcome)}`);
}

function lineOf(outcome: Outcome): string {
  if (outcome.kind === "mailed") return `mailed in ${outcome.mail?.id}`;
  return `${outcome.kind}: ${outcome.reason}`;
}

describe("what came of an event", () => {
  for (const [what, given, line] of [
    ["a delivered mail", { state: "delivered", deliveredAt: NOW }, "mailed in m1"],
    ["a mail whose time has come", {}, "waiting: it is due"],
    ["a mail on its way", { state: "sending" }, "waiting: it is being sent"],
    ["a held mail", { heldBy: "quiet-hours", reason: "quiet hours until 7" }, "waiting: quiet hours until 7"],
    ["a mail that was held once", { heldBy: "silence" }, "waiting: it is due"],
    ["a mail that failed", { attempts: 2, error: "451 later" }, "waiting: attempt 2 failed: 451 later"],
    ["a mail behind the relay", { waitsForRelay: true, reason: "waits for it" }, "waiting: waits for it"],
    ["a dead mail", { state: "dead", reason: "refused", error: "550 no" }, "not mailed: given up: refused: 550 no"],
    ["a cancelled mail", { state: "cancelled", reason: "moot" }, "not mailed: cancelled: moot"],
    [
      "a mail that was discarded after it failed",
      { state: "cancelled", reason: "discarded by anna: lead has left", error: "the mail server refuses it" },
      "not mailed: cancelled: discarded by anna: lead has left; last error: the mail server refuses it",
    ],
  ] as const) {
    test(`of ${what} is said by its state`, () => {
      assert.deepEqual(told({ mails: [mail(given)] }), [`ops@example.com: ${line}`]);
    });
  }

  test("of a mail that others tell in place of is what came of the last of them", () => {
    const covered = mail({ state: "cancelled", coveredBy: "m2" });
    const first = mail({ id: "m2", watch: null, eventSeqs: [], state: "cancelled", coveredBy: "m3" });
    const last = mail({ id: "m3", watch: null, eventSeqs: [], state: "delivered", deliveredAt: NOW });

    assert.deepEqual(told({ mails: [covered, first, last] }), ["ops@example.com: mailed in m3"]);
  });

  test("is said for every recipient", () => {
    const mails = [mail({ state: "delivered" }), mail({ id: "m2", recipient: "lead@example.com" })];

    assert.deepEqual(told({ mails }), ["ops@example.com: mailed in m1", "lead@example.com: waiting: it is due"]);
  });

  test("is the named reason where it was dropped from a mail that goes on", () => {
    const given = { mails: [mail({ eventSeqs: [2] })], suppressions: [suppression({ recipient: "ops@example.com" })] };

    assert.deepEqual(told(given), ["ops@example.com: not mailed: moot: it was accepted"]);
  });

  test("is the named reason where its mail was cancelled or is held again", () => {
    const suppressions = [suppression({ recipient: "ops@example.com" }), suppression({ recipient: "ops@example.com" })];

    for (const state of ["cancelled", "pending"] as const) {
      const given = { mails: [mail({ state })], suppressions };
      assert.deepEqual(told(given), ["ops@example.com: not mailed: moot: it was accepted"]);
    }
  });

  test("is a mail that told it after all, whatever was decided before", () => {
    const given = {
      mails: [mail({ state: "delivered" })],
      suppressions: [suppression({ recipient: "ops@example.com" })],
    };

    assert.deepEqual(told(given), ["ops@example.com: mailed in m1"]);
  });

  test("is never nothing", () => {
    const acknowledged = event("invite.acknowledged", { by: "jo", reason: null });

    assert.deepEqual(told({ suppressions: [suppression()] }), ["null: not mailed: moot: it was accepted"]);
    assert.deepEqual(told({}), ["null: not mailed: no reason was recorded"]);
    assert.deepEqual(told({}, acknowledged), ["null: not mailed: what people do is recorded and not mailed"]);
  });
});

describe("what comes next", () => {
  const ends = { invitedAt: after(-10 * DAY), expiresAt: after(10 * DAY) };
  const silence: Silence = {
    id: "s",
    watch: null,
    inviteId: "a",
    organization: null,
    until: after(9 * DAY),
    reason: "r",
    by: "jo",
    createdAt: NOW,
    endedAt: null,
  };
  const ask = (given: Parameters<typeof invite>[0], silences: readonly Silence[] = []) =>
    outlookOf(invite({ ...ends, ...given }), { rules: RULES, silences, now: NOW });

  test("is the next threshold that is crossed, percentages included", () => {
    assert.deepEqual(ask({}), { kind: "reminder", threshold: "25%", at: after(5 * DAY), silence: null });
  });

  test("leaves out what was alerted already", () => {
    const next = ask({ expiresAt: after(2 * DAY), alertedLeadMs: 72 * HOUR });

    assert.deepEqual(next, { kind: "reminder", threshold: "24h", at: after(DAY), silence: null });
  });

  test("counts an alert for nothing that a clock gave which ran ahead", () => {
    const next = ask({ alertedLeadMs: 72 * HOUR });

    assert.deepEqual(next, { kind: "reminder", threshold: "25%", at: after(5 * DAY), silence: null });
  });

  test("is now where a threshold is crossed and not yet alerted", () => {
    const next = ask({ expiresAt: after(20 * HOUR) });

    assert.deepEqual(next, { kind: "reminder", threshold: "24h", at: NOW, silence: null });
  });

  test("names the silence that will hold it, but not one that is over by then", () => {
    const held = ask({}, [silence]);
    const free = ask({}, [{ ...silence, until: after(4 * DAY) }]);

    assert.deepEqual(
      [held, free].map((next) => next.kind === "reminder" && next.silence?.id),
      ["s", undefined],
    );
  });

  for (const [what, given, reason] of [
    ["an answered invite", { status: "accepted" }, /^it is accepted/],
    ["an acknowledged one", { acknowledgedAt: NOW }, /^it is acknowledged; its outcome is still mailed/],
    ["one without an end", { expiresAt: null }, /^its end is not known/],
    ["one past its end", { expiresAt: NOW }, /^its end has passed/],
    [
      "one of which everything was told",
      { expiresAt: after(HOUR / 2), alertedLeadMs: HOUR },
      /^every reminder was given/,
    ],
  ] as const) {
    test(`is nothing for ${what}, and says why`, () => {
      const next = ask(given);

      assert.match(next.kind === "none" ? next.reason : "", reason);
    });
  }

  test("is nothing for a watch that is not configured", () => {
    const next = outlookOf(invite(), { rules: null, silences: [], now: NOW });

    assert.match(next.kind === "none" ? next.reason : "", /^the watch default is not in this configuration/);
  });
});
