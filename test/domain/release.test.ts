import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Event } from "../../src/domain/event.ts";
import type { Invite } from "../../src/domain/invite.ts";
import type { Notification } from "../../src/domain/notification.ts";
import type { QuietHours } from "../../src/domain/quiet-hours.ts";
import { type OwedNews, type Release, type ReleaseInput, releaseOf } from "../../src/domain/release.ts";
import {
  after,
  blind,
  event,
  expiring,
  invite,
  NOW,
  notification,
  received,
  silence,
  statusChanged,
} from "../support/build.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";

/** Around `NOW`, which is 10:00 UTC. */
const QUIET: QuietHours = { fromMinute: 8 * 60, toMinute: 12 * 60, timezone: "UTC" };

/** A mail that tells the events; held since an hour ago and due now where a cause is named. */
function news(events: readonly Event[], overrides: Partial<Notification> = {}): OwedNews {
  const createdAt = overrides.heldBy ? after(-HOUR) : NOW;
  const eventSeqs = events.map(({ seq }) => seq);
  return { notification: notification({ createdAt, eventSeqs, ...overrides }), events };
}

type Setting = Partial<Omit<ReleaseInput, "mail" | "inviteOf">> & {
  readonly invites?: readonly Invite[];
  readonly quietHours?: QuietHours;
};

/** What becomes of the mail, ten days before the end of the one invite that is known. */
function release(mail: OwedNews, { invites = [invite()], quietHours, ...rest }: Setting = {}): Release {
  return releaseOf({
    mail,
    others: [],
    inviteOf: (watch, id) => invites.find((one) => one.watch === watch && one.id === id) ?? null,
    silences: [],
    quietHoursOf: () => quietHours ?? null,
    releasedAt: [],
    outage: null,
    floodCap: 20,
    now: NOW,
    ...rest,
  });
}

const SETTLED = { dropped: [], cancelled: [] };
const heldBy = (result: Release) => (result.kind === "hold" ? [result.hold.cause, result.hold.until] : result.kind);
const foldOf = (result: Release) => (result.kind === "fold" ? result.mails.map(({ id }) => id) : result.kind);

/** So many mails to the recipient, one a minute, the latest a minute ago. */
function releases(count: number): readonly Date[] {
  return Array.from({ length: count }, (_, nth) => after((nth - count) * MINUTE));
}

test("a mail that nothing speaks against is sent as it is", () => {
  const result = release(news([received()]));

  assert.deepEqual(result, { kind: "send", mail: { id: "n1", kind: "invite.received", eventSeqs: [1] }, ...SETTLED });
});

describe("a reminder is moot", () => {
  const cases: readonly [words: string, about: Partial<Invite>, detail: string, tooLate?: true][] = [
    ["the invite was accepted", { status: "accepted" }, "the invitation was accepted before the reminder was sent"],
    ["the invite was withdrawn", { status: "withdrawn" }, "the invitation was withdrawn before the reminder was sent"],
    [
      "the clock passed its end",
      { expiresAt: NOW },
      "the invitation was past its end before the reminder was sent",
      true,
    ],
    ["its end moved to a later day", { expiresAt: after(11 * DAY) }, "its end had moved before the reminder was sent"],
  ];
  for (const [words, about, detail, tooLate = false] of cases) {
    test(`once ${words}, and the mail is cancelled with the reason`, () => {
      const result = release(news([expiring()]), { invites: [invite(about)] });

      const decision = { reason: "moot", detail, recipient: "ops@example.com", eventSeqs: [1] };
      assert.deepEqual(result, {
        kind: "none",
        dropped: [{ ...decision, notificationId: "n1", watch: "default" }],
        cancelled: [{ id: "n1", reason: detail, tooLate }],
      });
    });
  }

  test("once somebody took care of the invite", () => {
    const result = release(news([expiring()]), { invites: [invite({ acknowledgedAt: after(-MINUTE) })] });

    assert.deepEqual([result.kind, result.dropped[0]?.reason], ["none", "acknowledged"]);
    assert.equal(result.cancelled[0]?.reason, `somebody takes care of it since ${after(-MINUTE).toISOString()}`);
  });

  for (const [words, about] of [
    ["its end moved to an earlier one", invite({ expiresAt: after(9 * DAY) })],
    ["its end is no longer stated", invite({ expiresAt: null })],
    ["nothing happened", invite()],
  ] as const) {
    test(`not where ${words}`, () => {
      assert.equal(release(news([expiring()]), { invites: [about] }).kind, "send");
    });
  }

  test("and the rest of its mail is told without it, as what it then is", () => {
    const mail = news([received({ seq: 1 }), expiring({ seq: 2 })], { kind: "invite.expiring" });

    const result = release(mail, { invites: [invite({ acknowledgedAt: NOW })] });

    assert.deepEqual(result.kind === "send" && result.mail, { id: "n1", kind: "invite.received", eventSeqs: [1] });
    assert.deepEqual(
      result.dropped.map(({ reason, eventSeqs }) => [reason, eventSeqs]),
      [["acknowledged", [2]]],
    );
  });
});

test("everything but reminders is told although the invite is answered meanwhile", () => {
  const mail = news([received({ seq: 1 }), statusChanged("accepted", { seq: 2 })], { heldBy: "quiet-hours" });

  const result = release(mail, { invites: [invite({ status: "accepted" })] });

  assert.deepEqual(result.kind === "send" && result.mail.eventSeqs, [1, 2]);
});

for (const kind of ["inventory", "digest", "test"] as const) {
  test(`a mail of the kind ${kind} is told as it was taken`, () => {
    const invites = [invite({ status: "accepted" })];
    const events = kind === "inventory" ? [received({ seq: 1 }), expiring({ seq: 2 })] : [];

    const result = release(news(events, { kind }), { invites });

    assert.deepEqual(result, {
      kind: "send",
      mail: { id: "n1", kind, eventSeqs: events.map(({ seq }) => seq) },
      ...SETTLED,
    });
  });
}

describe("a silence that was asked for since", () => {
  test("holds the mail until it ends", () => {
    const result = release(news([expiring()]), { silences: [silence()] });

    const hold = { cause: "silence", until: after(DAY), reason: "the silence s1: a move" };
    assert.deepEqual(result, { kind: "hold", hold, others: [], ...SETTLED });
  });

  test("holds a mail of several events where it covers all of them", () => {
    const invites = [invite({ id: "a" }), invite({ id: "b", organizationName: "Globex" })];
    const mail = news([received({ seq: 1 }), received({ seq: 2, inviteId: "b" })]);

    const globex = silence({ id: "s2", organization: "Globex", until: after(HOUR) });
    assert.deepEqual(heldBy(release(mail, { invites, silences: [silence(), globex] })), ["silence", after(HOUR)]);
    assert.equal(release(mail, { invites, silences: [silence()] }).kind, "send");
  });

  test("does not hold that a watch is blind", () => {
    assert.equal(release(news([blind(["a"])]), { silences: [silence()] }).kind, "send");
  });

  test("holds what it covers also where something else is due at the same time", () => {
    const invites = [invite({ id: "a" }), invite({ id: "b", organizationName: "Globex" })];
    const covered = news([received({ seq: 1 })], { id: "covered", heldBy: "quiet-hours" });
    const other = news([received({ seq: 2, inviteId: "b" })], { id: "other", heldBy: "quiet-hours" });

    const ofCovered = release(covered, { invites, silences: [silence()], others: [other] });
    const ofOther = release(other, { invites, silences: [silence()], others: [covered] });

    assert.deepEqual(heldBy(ofCovered), ["silence", after(DAY)]);
    assert.deepEqual(ofOther.kind === "send" && ofOther.mail.id, "other");
  });
});

describe("an invite that came and was over while a silence held it", () => {
  const whole = news([received({ seq: 1 }), statusChanged("accepted", { seq: 2 })], { heldBy: "silence" });
  const invites = [invite({ status: "accepted" })];

  test("is told to nobody, with the reason", () => {
    const result = release(whole, { invites });

    const reason = "the invitation was accepted before the silence ended";
    assert.deepEqual([result.kind, result.cancelled], ["none", [{ id: "n1", reason, tooLate: false }]]);
    assert.deepEqual(result.dropped[0]?.eventSeqs, [1, 2]);
  });

  test("is told to nobody where its end came by another mail", () => {
    const first = news([received({ seq: 1 })], { id: "first", heldBy: "silence" });
    const second = news([statusChanged("accepted", { seq: 2 })], { id: "second", heldBy: "silence" });

    const result = release(second, { invites, others: [first] });

    assert.deepEqual([result.kind, result.cancelled.map(({ id }) => id)], ["none", ["second", "first"]]);
  });

  test("is told how it ended to one who had heard of it before", () => {
    const end = news([expiring({ seq: 2 }), statusChanged("accepted", { seq: 3 })], { heldBy: "silence" });

    const result = release(end, { invites });

    assert.deepEqual(result.kind === "send" && result.mail.eventSeqs, [3]);
  });

  test("is told where it is still open", () => {
    assert.equal(release(news([received()], { heldBy: "silence" })).kind, "send");
  });
});

describe("quiet hours that began since", () => {
  for (const [words, expiresAt, held] of [
    ["hold the mail", after(10 * DAY), true],
    ["let through what ends inside them", after(HOUR), false],
    ["let through what ends so soon after them that nobody could act", after(3 * HOUR), false],
    ["hold what ends after them", after(3 * HOUR + 1), true],
  ] as const) {
    test(words, () => {
      const result = release(news([received()]), { quietHours: QUIET, invites: [invite({ expiresAt })] });

      assert.deepEqual(heldBy(result), held ? ["quiet-hours", after(2 * HOUR)] : "send");
    });
  }

  test("hold a mail of several watches only where all of them are quiet, and until one is not", () => {
    const mail = news([received({ seq: 1 }), received({ seq: 1, watch: "other" })], { kind: "summary", watch: null });
    const longer = { ...QUIET, toMinute: 14 * 60 };
    const both = (watch: string) => (watch === "other" ? longer : QUIET);
    const one = (watch: string) => (watch === "other" ? null : QUIET);

    assert.deepEqual(heldBy(release(mail, { quietHoursOf: both })), ["quiet-hours", after(2 * HOUR)]);
    assert.equal(release(mail, { quietHoursOf: one }).kind, "send");
  });

  test("leave decisions about a mail that goes on waiting to its own time", () => {
    const mail = news([received({ seq: 1 }), expiring({ seq: 2 })]);

    const result = release(mail, { quietHours: QUIET, invites: [invite({ acknowledgedAt: NOW })] });

    assert.deepEqual([result.kind, result.dropped, result.cancelled], ["hold", [], []]);
  });
});

describe("the cap of mails per hour", () => {
  for (const [count, held] of [
    [0, false],
    [19, false],
    [20, true],
    [25, true],
  ] as const) {
    test(`${held ? "holds" : "lets through"} one more after ${count}`, () => {
      const releasedAt = releases(count);

      const result = release(news([received()]), { releasedAt });

      // There is room when the one that is then the twentieth before is an hour old.
      const until = after(-20 * MINUTE + HOUR);
      assert.deepEqual(heldBy(result), held ? ["flood", until] : "send");
    });
  }

  test("does not hold what would end before there is room", () => {
    const setting = { releasedAt: releases(20), invites: [invite({ expiresAt: after(30 * MINUTE) })] };

    assert.equal(release(news([received()]), setting).kind, "send");
  });

  test("does not hold that a watch is blind", () => {
    assert.equal(release(news([blind()]), { releasedAt: releases(20) }).kind, "send");
  });

  test("does not count mails that left in what is now the future", () => {
    const releasedAt = Array.from({ length: 20 }, () => after(2 * 24 * HOUR));

    assert.equal(release(news([received()]), { releasedAt }).kind, "send");
  });
});

describe("a change of a status that went back and forth", () => {
  const turn = (id: string, at: Date, due: Date, inviteId = "a") =>
    news([statusChanged("pending", { seq: Number(id), inviteId })], {
      id,
      heldBy: "flapping",
      createdAt: at,
      nextAttemptAt: due,
    });
  const first = turn("1", after(-HOUR), NOW);

  test("waits for the last of them", () => {
    const others = [turn("2", after(-45 * MINUTE), after(15 * MINUTE)), turn("3", after(-MINUTE), after(59 * MINUTE))];

    assert.deepEqual(heldBy(release(first, { others })), ["flapping", after(59 * MINUTE)]);
  });

  test("does not wait for another invite", () => {
    const others = [turn("2", after(-MINUTE), after(59 * MINUTE), "b")];

    assert.equal(release(first, { others }).kind, "send");
  });

  test("does not wait for an invite of the same id in another watch", () => {
    const there = turn("2", after(-MINUTE), after(59 * MINUTE));
    const events = there.events.map((one) => ({ ...one, watch: "other" }));

    assert.equal(release(first, { others: [{ ...there, events }] }).kind, "send");
  });

  test("does not wait where the invite would end meanwhile: all of it is told at once", () => {
    const others = [turn("2", after(-MINUTE), after(59 * MINUTE))];

    assert.deepEqual(foldOf(release(first, { others, invites: [invite({ expiresAt: after(30 * MINUTE) })] })), [
      "1",
      "2",
    ]);
  });

  test("waits six hours at most, and is then told with all that waits with it", () => {
    const others = [turn("2", after(-5 * HOUR), after(45 * MINUTE)), turn("3", after(-MINUTE), after(59 * MINUTE))];

    assert.equal(heldBy(release(turn("1", after(-6 * HOUR + 1), NOW), { others }))[0], "flapping");
    assert.deepEqual(foldOf(release(turn("1", after(-6 * HOUR), NOW), { others })), ["1", "2", "3"]);
  });

  test("is not torn out of its waiting by another mail that is due", () => {
    const other = news([received({ seq: 9, inviteId: "b" })], { id: "other", heldBy: "quiet-hours" });
    const others = [first, turn("2", after(-MINUTE), after(59 * MINUTE))];

    const result = release(other, { others });

    assert.deepEqual(result.kind === "send" && result.mail.id, "other");
  });
});

describe("held mails", () => {
  const due = (id: string, seq: number, overrides: Partial<Notification> = {}) =>
    news([received({ seq })], { id, heldBy: "quiet-hours", ...overrides });

  test("that are due together become one", () => {
    const result = release(due("n1", 1), { others: [due("n2", 2), due("n3", 3, { heldBy: "flood" })] });

    const kind = "invite.received";
    assert.deepEqual(result, {
      kind: "fold",
      mails: [
        { id: "n1", kind, eventSeqs: [1] },
        { id: "n2", kind, eventSeqs: [2] },
        { id: "n3", kind, eventSeqs: [3] },
      ],
      ...SETTLED,
    });
  });

  test("that are not due yet are left to their time", () => {
    const later = due("n2", 2, { nextAttemptAt: after(1) });

    assert.deepEqual(release(due("n1", 1), { others: [later] }).kind, "send");
  });

  test("are left out of a mail that was never held", () => {
    assert.deepEqual(release(news([received()]), { others: [due("n2", 2)] }).kind, "send");
  });

  test("of which one is left stay what it is, and the others are cancelled", () => {
    const moot = news([expiring({ seq: 2, inviteId: "b" })], { id: "n2", heldBy: "quiet-hours" });
    const invites = [invite(), invite({ id: "b", status: "accepted" })];

    const result = release(due("n1", 1), { others: [moot], invites });

    assert.deepEqual(result.kind === "send" && result.mail.id, "n1");
    assert.deepEqual(
      result.cancelled.map(({ id }) => id),
      ["n2"],
    );
  });

  test("go their way when the one whose time has come is moot", () => {
    const moot = news([expiring({ seq: 2, inviteId: "b" })], { id: "n2", heldBy: "quiet-hours" });
    const invites = [invite(), invite({ id: "b", status: "accepted" })];

    const result = release(moot, { others: [due("n1", 1)], invites });

    assert.deepEqual([result.kind, result.cancelled.map(({ id }) => id)], ["none", ["n2"]]);
  });

  test("tell with a reason what they tell no more", () => {
    const both = news([received({ seq: 2 }), expiring({ seq: 3 })], { id: "n2", heldBy: "quiet-hours" });

    const result = release(due("n1", 1), { others: [both], invites: [invite({ acknowledgedAt: NOW })] });

    assert.deepEqual(result.kind === "fold" && result.mails.map(({ id, eventSeqs }) => [id, eventSeqs]), [
      ["n1", [1]],
      ["n2", [2]],
    ]);
    assert.deepEqual(
      result.dropped.map(({ notificationId, eventSeqs }) => [notificationId, eventSeqs]),
      [["n2", [3]]],
    );
  });
});

test("a mail whose events were all taken out before is cancelled", () => {
  assert.deepEqual(release(news([])), {
    kind: "none",
    dropped: [],
    cancelled: [{ id: "n1", reason: "there is nothing to tell", tooLate: false }],
  });
});

test("what is not known of an invite speaks against no mail", () => {
  const mail = news([expiring({ inviteId: "gone" }), event("invite.withdrawn", { evidence: "404" }, { seq: 2 })]);

  assert.equal(release(mail, { silences: [silence({ organization: "Globex" })] }).kind, "send");
});
