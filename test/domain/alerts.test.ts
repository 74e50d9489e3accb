/** Whole days of alerts, from the sync to what one recipient gets. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Event } from "../../src/domain/event.ts";
import type { Invite } from "../../src/domain/invite.ts";
import { after, blind, event, expiring, invite, NOW, received, silence, statusChanged } from "../support/build.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";
import { createOutbox, type Outbox, type Sent } from "../support/outbox.ts";

/** When each mail came, after `NOW`, and how many events it told. */
function times(sent: readonly Sent[]): readonly (readonly [hours: number, events: number])[] {
  return sent.map(({ at, seqs }) => [(at.getTime() - NOW.getTime()) / HOUR, seqs.length]);
}

/** Each event was told once, or dropped once with a reason. */
function assertNoneLost({ sent, dropped }: Pick<Outbox, "sent" | "dropped">, count: number): void {
  const seqs = [...sent.flatMap((one) => one.seqs), ...dropped.flatMap(({ eventSeqs }) => eventSeqs)];
  assert.deepEqual(
    seqs.sort((a, b) => a - b),
    Array.from({ length: count }, (_, nth) => nth + 1),
  );
}

/** The most mails within any hour. */
function busiestHour(sent: readonly Sent[]): number {
  return Math.max(...sent.map(({ at }) => sent.filter((one) => one.at <= at && one.at > after(-HOUR, at)).length));
}

describe("a status that changes every 15 minutes for 12 hours", () => {
  /** The turns of the invite a: one at `NOW`, the last twelve hours later. */
  function flap(turnsOf: (nth: number, seq: number) => readonly Event[], ends: Date): readonly Sent[] {
    const invites = new Map([["a", invite({ expiresAt: ends })]]);
    const outbox = createOutbox({ invites });
    let seq = 0;
    outbox.sync([received({ seq: ++seq })], after(-HOUR));
    outbox.run(after(-HOUR));
    for (let nth = 0; nth <= 48; nth += 1) {
      const at = after(nth * 15 * MINUTE);
      const events = turnsOf(nth, seq + 1);
      seq += events.length;
      invites.set("a", invite({ expiresAt: ends, status: nth % 2 === 0 ? "withdrawn" : "pending" }));
      outbox.sync(events, at);
      outbox.run(at);
    }
    outbox.run(after(2 * DAY));
    assertNoneLost(outbox, seq);
    return outbox.sent.slice(1);
  }

  test("is told twice at once, then once in six hours, and the last change within an hour", () => {
    const sent = flap((nth, seq) => [statusChanged(nth % 2 === 0 ? "accepted" : "pending", { seq })], after(9 * DAY));

    assert.deepEqual(times(sent), [
      [0, 1],
      [0.25, 1],
      [6.5, 25],
      [12.75, 22],
    ]);
  });

  test("brings no more mails where each return brings a reminder too", () => {
    const sent = flap(
      (nth, seq) => {
        if (nth % 2 === 0) return [event("invite.withdrawn", { evidence: "404" }, { seq })];
        return [event("invite.returned", received().data, { seq }), expiring({ seq: seq + 1 }, after(2 * DAY))];
      },
      after(2 * DAY),
    );

    assert.deepEqual(
      sent.map(({ at }) => (at.getTime() - NOW.getTime()) / HOUR),
      [0, 0.25, 6.5, 12.75],
    );
  });

  test("is told at once again as the end comes near", () => {
    const end = after(9 * HOUR);

    const sent = flap((nth, seq) => [statusChanged(nth % 2 === 0 ? "accepted" : "pending", { seq })], end);

    const near = sent.filter(({ at }) => at >= after(-HOUR, end) && at < end);
    assert.ok(near.length > 0, "at least one mail in the last hour before the end");
  });
});

test("a status that stands still after a few changes is told an hour after the last", () => {
  const outbox = createOutbox({ invites: new Map([["a", invite()]]) });
  outbox.sync([received({ seq: 1 })], NOW);
  for (let nth = 1; nth <= 5; nth += 1) {
    const at = after(nth * 15 * MINUTE);
    outbox.run(at);
    outbox.sync([statusChanged(nth % 2 === 0 ? "accepted" : "pending", { seq: nth + 1 })], at);
  }

  outbox.run(after(DAY));

  assert.deepEqual(times(outbox.sent), [
    [0, 1],
    [0.25, 1],
    [0.5, 1],
    [2.25, 3],
  ]);
});

describe("sixty mails in one hour where the cap is twenty", () => {
  /** One invite a minute. */
  function flood(minutes: number, alsoAt: ReadonlyMap<number, (seq: number) => Event> = new Map()) {
    const invites = new Map<string, Invite>(
      Array.from({ length: minutes }, (_, nth) => [`i${nth}`, invite({ id: `i${nth}` })] as const),
    );
    invites.set("soon", invite({ id: "soon", expiresAt: after(55 * MINUTE) }));
    const outbox = createOutbox({ invites });
    let seq = 0;
    for (let nth = 0; nth < minutes; nth += 1) {
      const at = after(nth * MINUTE);
      outbox.run(after(-1, at));
      const extra = alsoAt.get(nth);
      if (extra !== undefined) outbox.sync([extra(++seq)], at);
      outbox.sync([received({ seq: ++seq, inviteId: `i${nth}` })], at);
      outbox.run(at);
    }
    outbox.run(after(DAY));
    assertNoneLost(outbox, seq);
    return outbox.sent;
  }

  test("are twenty, and one summary of the rest as soon as there is room", () => {
    const sent = flood(60);

    assert.equal(sent.length, 21);
    assert.deepEqual(times(sent.slice(19)), [
      [19 / 60, 1],
      [1, 40],
    ]);
    assert.equal(sent.at(-1)?.kind, "summary");
  });

  test("are never more than twenty in any hour, however long it goes on", () => {
    assert.equal(busiestHour(flood(300)), 20);
  });

  test("do not hold up a last chance, or that the watch is blind", () => {
    const lastChance = (seq: number) => expiring({ seq, inviteId: "soon" }, after(55 * MINUTE));

    const sent = flood(
      60,
      new Map<number, (seq: number) => Event>([
        [30, lastChance],
        [40, (seq) => blind([], { seq })],
      ]),
    );

    assert.deepEqual(
      sent.filter(({ kind }) => kind === "invite.expiring" || kind === "watch.blind").map(({ at }) => at),
      [after(30 * MINUTE), after(40 * MINUTE)],
    );
  });
});

test("a night of quiet hours is one mail in the morning, and what could not wait came in the night", () => {
  const quietHours = { fromMinute: 22 * 60, toMinute: 7 * 60, timezone: "UTC" };
  const night = new Date("2026-03-02T23:00:00Z");
  const invites = new Map(["a", "b", "c", "d"].map((id) => [id, invite({ id })]));
  invites.set("d", invite({ id: "d", expiresAt: after(5 * HOUR, night) }));
  const outbox = createOutbox({ invites, quietHours });
  outbox.sync([received({ seq: 1, inviteId: "a" })], night);
  outbox.sync([expiring({ seq: 2, inviteId: "b" })], after(HOUR, night));
  outbox.sync([expiring({ seq: 3, inviteId: "d" }, after(5 * HOUR, night))], after(2 * HOUR, night));
  outbox.sync([expiring({ seq: 4, inviteId: "c" })], after(3 * HOUR, night));
  outbox.run(after(4 * HOUR, night));
  invites.set("c", invite({ id: "c", acknowledgedAt: after(4 * HOUR, night) }));

  outbox.run(after(DAY, night));

  assert.deepEqual(outbox.sent, [
    { at: after(2 * HOUR, night), kind: "invite.expiring", seqs: [3] },
    { at: new Date("2026-03-03T07:00:00Z"), kind: "summary", seqs: [1, 2] },
  ]);
  assert.deepEqual(
    outbox.dropped.map(({ reason, eventSeqs }) => [reason, eventSeqs]),
    [["acknowledged", [4]]],
  );
});

test("a silence that ends in quiet hours gives way to them, and what is still open is told in the morning", () => {
  const quietHours = { fromMinute: 22 * 60, toMinute: 7 * 60, timezone: "UTC" };
  const silences = [silence({ until: new Date("2026-03-03T01:00:00Z") })];
  const invites = new Map([
    ["a", invite()],
    ["b", invite({ id: "b" })],
  ]);
  const outbox = createOutbox({ invites, quietHours, silences });
  outbox.sync([received({ seq: 1 }), received({ seq: 2, inviteId: "b" })], NOW);
  outbox.run(after(HOUR));
  invites.set("b", invite({ id: "b", status: "accepted" }));
  outbox.sync([statusChanged("accepted", { seq: 3, inviteId: "b" })], after(HOUR));

  outbox.run(after(DAY));

  const told = outbox.sent.flatMap(({ at, seqs }) => seqs.map((seq) => [at.toISOString(), seq]));
  assert.deepEqual(told[0], ["2026-03-03T07:00:00.000Z", 1]);
  assert.ok(outbox.sent.every(({ at }) => at >= new Date("2026-03-03T07:00:00Z")));
});
