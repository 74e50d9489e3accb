import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type DispatchInput, decideDispatch } from "../../../src/domain/delivery/dispatch.ts";
import type { OutboxMail } from "../../../src/domain/delivery/outbox-mail.ts";
import type { Notification } from "../../../src/domain/notification.ts";
import { RELAY_WELL, type RelayState } from "../../../src/domain/relay.ts";
import { after, NOW, notification } from "../../support/build.ts";
import { MINUTE } from "../../support/durations.ts";

const DOWN: RelayState = {
  ...RELAY_WELL,
  downSince: after(-10 * MINUTE),
  failures: 1,
  nextProbeAt: NOW,
  failedAt: after(-MINUTE),
  error: "connection refused",
};

function mail(fields: Partial<Notification>): OutboxMail {
  const owed = { kind: "inventory", state: "pending", createdAt: NOW, nextAttemptAt: NOW, eventSeqs: [] } as const;
  return {
    notification: notification({ ...owed, ...fields }),
    isFrozen: false,
    waitsForMailServer: false,
    lastAttemptAt: null,
    events: [],
    covered: [],
    ownFailures: 0,
  };
}

/** What becomes of the mails where each has a job, in their order. */
function dispatch(mails: readonly OutboxMail[], given: Partial<DispatchInput> = {}, floodCap = 100) {
  const input: DispatchInput = {
    jobs: mails.map(({ notification: { id } }) => ({ notificationId: id })),
    mails,
    inviteOf: () => null,
    silences: [],
    released: [],
    untold: [],
    mailServer: RELAY_WELL,
    ...given,
  };
  const newSummary = () => ({ id: "summary", messageId: "summary@example.com" });
  return decideDispatch(input, { now: NOW, quietHoursOf: () => null, floodCap, hasFallback: false, newSummary });
}

const kindsOf = ({ decisions }: ReturnType<typeof dispatch>) => decisions.map(({ kind }) => kind);

describe("what is decided about one mail of a batch counts for the next", () => {
  test("a mail that is sent counts in its recipient's hour, and in nobody else's", () => {
    const mails = ["a", "b", "c"].map((id) => mail({ id, recipient: "ops@example.com" }));

    const decided = dispatch([...mails, mail({ id: "d", recipient: "lead@example.com" })], {}, 2);

    assert.deepEqual(kindsOf(decided), ["send", "send", "held", "send"]);
  });

  test("of mails that become one the first is folded with the others, which are gone", () => {
    const held = { recipient: "ops@example.com", heldBy: "quiet-hours" } as const;

    const decided = dispatch(["a", "b", "c"].map((id) => mail({ id, ...held })));

    assert.deepEqual(kindsOf(decided), ["folded", "idle", "idle"]);
    assert.deepEqual(decided.enqueued, [{ id: "summary", at: NOW }]);
    assert.deepEqual(
      decided.changed.map(({ notification: { state, coveredBy } }) => [state, coveredBy]),
      Array(3).fill(["cancelled", "summary"]),
    );
  });

  test("one mail probes a mail server that is down, and the others wait", () => {
    const decided = dispatch(
      ["a", "b", "c"].map((id) => mail({ id, recipient: `${id}@example.com` })),
      { mailServer: DOWN },
    );

    assert.deepEqual(kindsOf(decided), ["send", "waiting", "waiting"]);
    assert.notEqual(decided.mailServer?.probingUntil, null);
  });

  test("a mail is not decided about twice, though it has two jobs", () => {
    const decided = dispatch([mail({ id: "a" })], { jobs: [{ notificationId: "a" }, { notificationId: "a" }] });

    assert.deepEqual(kindsOf(decided), ["send", "idle"]);
    assert.deepEqual(decided.enqueued, []);
  });
});
