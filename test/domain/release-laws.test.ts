import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Event } from "../../src/domain/event.ts";
import type { HoldCause } from "../../src/domain/hold.ts";
import type { NotificationKind } from "../../src/domain/notification.ts";
import { type OwedNews, type ReleaseInput, releaseOf } from "../../src/domain/release.ts";
import {
  after,
  blind,
  expiring,
  invite,
  NOW,
  notification,
  received,
  silence,
  statusChanged,
} from "../support/build.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";

const IDS = ["a", "b", "c"];

const SORTS: readonly ((about: Partial<Event>) => Event)[] = [
  (about) => received(about),
  (about) => expiring(about),
  (about) => statusChanged("accepted", about),
  (about) => statusChanged("pending", about),
  (about) => blind(IDS, { ...about, inviteId: null }),
];

const sortOfEvent = fc.tuple(fc.constantFrom(...SORTS), fc.constantFrom(...IDS));

const mail = (id: number, causes: readonly (HoldCause | null)[]): fc.Arbitrary<OwedNews> =>
  fc
    .record({
      events: fc.array(sortOfEvent, { minLength: 1, maxLength: 4 }),
      heldBy: fc.constantFrom(...causes),
      kind: fc.constantFrom<NotificationKind>("invite.received", "invite.received", "summary", "inventory"),
      createdAt: fc.constantFrom(after(-7 * HOUR), after(-2 * HOUR), after(-HOUR)),
      nextAttemptAt: fc.constantFrom(after(-MINUTE), NOW, after(30 * MINUTE), after(2 * HOUR)),
    })
    .map(({ events, ...fields }) => ({
      notification: notification({ id: `n${id}`, ...fields, nextAttemptAt: id === 0 ? NOW : fields.nextAttemptAt }),
      events: events.map(([sort, inviteId], nth) => sort({ seq: id * 10 + nth, inviteId })),
    }));

const CAUSES: readonly HoldCause[] = ["silence", "flapping", "quiet-hours", "flood"];

const inputs: fc.Arbitrary<ReleaseInput> = fc
  .record({
    mail: mail(0, [null, ...CAUSES]),
    others: fc.nat(4).chain((count) => fc.tuple(...Array.from({ length: count }, (_, nth) => mail(nth + 1, CAUSES)))),
    invites: fc.tuple(
      ...IDS.map((id) =>
        fc
          .record({
            organizationName: fc.constantFrom("Acme", "Globex"),
            expiresAt: fc.constantFrom(null, after(-MINUTE), after(20 * MINUTE), after(3 * HOUR), after(11 * DAY)),
            status: fc.constantFrom("pending", "pending", "accepted"),
            acknowledgedAt: fc.constantFrom(null, null, after(-HOUR)),
          })
          .map((fields) => invite({ id, ...fields })),
      ),
    ),
    silences: fc.constantFrom([], [], [silence()], [silence({ organization: "e" })]),
    quiet: fc.constantFrom(null, null, { fromMinute: 8 * 60, toMinute: 12 * 60, timezone: "UTC" }),
    releasedAt: fc.nat(4).map((count) => Array.from({ length: count }, (_, nth) => after((nth - 10) * MINUTE))),
    outage: fc.constantFrom(
      null,
      { since: after(-12 * HOUR), until: after(-HOUR) },
      { since: after(-12 * HOUR), until: NOW },
    ),
  })
  .map(({ invites, quiet, ...rest }) => ({
    ...rest,
    inviteOf: (_, id) => invites.find((one) => one.id === id) ?? null,
    quietHoursOf: () => quiet,
    floodCap: 3,
    now: NOW,
  }));

function everyRelease(check: (input: ReleaseInput) => void): void {
  fc.assert(fc.property(inputs, check), { numRuns: 3_000 });
}

test("every event of every mail is then in a mail that is kept, or dropped with a reason, or still held", () => {
  everyRelease((input) => {
    const result = releaseOf(input);

    const kept = result.kind === "send" ? [result.mail] : result.kind === "fold" ? result.mails : [];
    for (const { notification, events } of [input.mail, ...input.others]) {
      const seqs = events.map(({ seq }) => seq);
      const told = kept.find(({ id }) => id === notification.id)?.eventSeqs ?? null;
      const dropped = result.dropped.filter(({ notificationId }) => notificationId === notification.id);
      const droppedSeqs = dropped.flatMap(({ eventSeqs }) => eventSeqs);
      const isCancelled = result.cancelled.some(({ id }) => id === notification.id);
      assert.ok(dropped.every(({ reason, detail }) => reason.length > 0 && detail.length > 0));

      if (told !== null) {
        assert.equal(isCancelled, false);
        assert.deepEqual(
          [...told, ...droppedSeqs].sort((a, b) => a - b),
          seqs,
        );
      } else if (isCancelled)
        assert.deepEqual(
          droppedSeqs.sort((a, b) => a - b),
          seqs,
        );
      else {
        assert.deepEqual(droppedSeqs, [], "what goes on waiting is decided when its time comes");
        if (notification.id === "n0") assert.equal(result.kind, "hold");
      }
    }
  });
});

test("a mail waits for a later instant", () => {
  everyRelease((input) => {
    const result = releaseOf(input);

    if (result.kind === "hold") assert.ok(result.hold.until > NOW);
  });
});

test("a mail that is held along with another would have been held on its own, for the same and as long", () => {
  everyRelease((input) => {
    const result = releaseOf(input);
    if (result.kind !== "hold") return;

    for (const { id, hold } of result.others) {
      const all = [input.mail, ...input.others];
      const mail = all.find(({ notification }) => notification.id === id) as typeof input.mail;
      const alone = releaseOf({ ...input, mail, others: all.filter((one) => one !== mail) });
      assert.deepEqual([alone.kind, alone.kind === "hold" && alone.hold], ["hold", hold]);
    }
  });
});

test("only a silence holds a mail past the end of an invite that can still be answered", () => {
  everyRelease((input) => {
    const result = releaseOf(input);
    if (result.kind !== "hold" || result.hold.cause === "silence") return;

    for (const { watch, inviteId, type, data } of input.mail.events) {
      const ids = type === "watch.blind" ? data.atRisk : inviteId === null ? [] : [inviteId];
      for (const id of ids) {
        const about = input.inviteOf(watch, id);
        const open = about?.status === "pending" && about.expiresAt !== null && about.expiresAt > NOW;
        const isTold = type !== "invite.expiring" || about?.acknowledgedAt === null;
        if (open && isTold && input.mail.notification.kind !== "inventory") {
          const moved = type === "invite.expiring" && (about.expiresAt as Date) > new Date(data.expiresAt);
          assert.ok(moved || (about.expiresAt as Date) > result.hold.until);
        }
      }
    }
  });
});

test("what is sent is the mail whose time has come, and a fold is of several that were held or held up", () => {
  everyRelease((input) => {
    const result = releaseOf(input);

    if (result.kind === "send") assert.equal(result.mail.id, "n0");
    if (result.kind !== "fold") return;
    assert.ok(input.mail.notification.heldBy !== null || input.outage !== null);
    assert.ok(result.mails.length > 1);
    assert.equal(new Set(result.mails.map(({ id }) => id)).size, result.mails.length);
  });
});

test("no more than the cap goes out within an hour, unless it cannot wait", () => {
  everyRelease((input) => {
    const result = releaseOf(input);
    if (input.releasedAt.length < 3 || (result.kind !== "send" && result.kind !== "fold")) return;

    const room = after(HOUR, input.releasedAt.at(-3));
    const members = [input.mail, ...input.others].flatMap(({ events }) => events);
    const cannotWait = members.some(({ type, watch, inviteId }) => {
      const about = inviteId === null ? null : input.inviteOf(watch, inviteId);
      return type === "watch.blind" || (about?.expiresAt != null && about.expiresAt <= room);
    });
    assert.ok(cannotWait);
  });
});
