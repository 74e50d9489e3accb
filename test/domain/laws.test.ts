import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { diff, statusOf } from "../../src/domain/diff.ts";
import { dueAlert, type ExpiryRules, hasEnded } from "../../src/domain/expiry.ts";
import type { Invite, ListedInvite } from "../../src/domain/invite.ts";
import { applyEvents, fieldsOf, type Told } from "../support/apply-events.ts";
import { after, complete, diffInput, lead, listed, NOW, RULES, share } from "../support/build.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";
import { play, polls, type Step } from "../support/polls.ts";

/** Checks every step of many stories. */
function everyStep(check: (step: Step) => void): void {
  fc.assert(
    fc.property(polls, (story) => play(story).forEach(check)),
    { numRuns: 400 },
  );
}

describe("the diff", () => {
  test("tells all: who applies its events knows what is known", () => {
    fc.assert(
      fc.property(polls, (story) => {
        let told: ReadonlyMap<string, Told> = new Map();
        for (const { result, after: known } of play(story)) {
          told = applyEvents(told, result.events);

          const expected = [...known].map(([id, invite]) => [id, { status: invite.status, fields: fieldsOf(invite) }]);
          assert.deepEqual(Object.fromEntries(told), Object.fromEntries(expected));
        }
      }),
      { numRuns: 400 },
    );
  });

  test("leads to the snapshot: what is known of each listed invite is what the list says", () => {
    everyStep(({ input, after: known }) => {
      for (const said of input.snapshot.invites) {
        const invite = known.get(said.id);

        assert.deepEqual(fieldsOf(invite as Invite), fieldsOf(said));
        assert.deepEqual(
          [invite?.apiStatus, invite?.extra, invite?.fingerprint],
          [said.apiStatus, said.extra, said.fingerprint],
        );
        const stated = statusOf(said.apiStatus);
        if (stated !== null) assert.equal(invite?.status, statusAt(stated, said, input.now));
      }
    });
  });

  test("of equal states is empty", () => {
    everyStep(({ input, after: known }) => {
      const listing = [...known.values()].filter((invite) => invite.listed);
      const snapshot = complete(listing, input.now);

      const again = diff({
        ...input,
        known: new Map(listing.map((invite) => [invite.id, invite])),
        hasBaseline: true,
        snapshot,
      });

      assert.deepEqual(again, { events: [], invites: [] });
    });
  });

  test("of a poll that is played again is empty", () => {
    everyStep(({ input, after: known }) => {
      const hasBaseline = input.hasBaseline || input.snapshot.kind === "complete";

      assert.deepEqual(diff({ ...input, known, hasBaseline }), { events: [], invites: [] });
    });
  });

  test("does not depend on the order of the list", () => {
    everyStep(({ input, result }) => {
      const reversed = { ...input.snapshot, invites: input.snapshot.invites.toReversed() } as typeof input.snapshot;

      assert.deepEqual(diff({ ...input, snapshot: reversed }), result);
    });
  });

  test("does not need to know the invites of which there is nothing new", () => {
    everyStep(({ input, result }) => {
      const unchanged = new Set(
        [...input.known.values()].filter((invite) => hasNothingNew(invite, input)).map(({ id }) => id),
      );
      const known = new Map([...input.known].filter(([id]) => !unchanged.has(id)));

      assert.deepEqual(diff({ ...input, known, unchanged }), result);
    });
  });
});

describe("of what is known, the diff", () => {
  test("counts a calendar entry on exactly where the status or the end of a known invite is another", () => {
    everyStep(({ input, result }) => {
      for (const invite of result.invites) {
        const before = input.known.get(invite.id);
        const shown = ({ status, expiresAt }: Invite) => `${status} ${expiresAt?.toISOString()}`;
        const counted = before === undefined || shown(before) === shown(invite) ? 0 : 1;

        assert.equal(invite.calendarSequence, (before?.calendarSequence ?? 0) + counted);
      }
    });
  });

  test("forgets that somebody took care of an invite only where it returned or is open again", () => {
    everyStep(({ input }) => {
      const known = new Map([...input.known].map(([id, one]) => [id, { ...one, acknowledgedAt: NOW }]));
      const { events, invites } = diff({ ...input, known });
      const reopens = (event: (typeof events)[number]) =>
        event.type === "invite.returned" || (event.type === "invite.status_changed" && event.data.to === "pending");
      const returned = new Set(events.filter(reopens).map(({ inviteId }) => inviteId));

      for (const { id, acknowledgedAt } of invites) {
        assert.deepEqual(acknowledgedAt, known.has(id) && !returned.has(id) ? NOW : null);
      }
    });
  });
});

describe("an incomplete or failed snapshot", () => {
  /** What the clock may write of an invite. */
  const byClock = { status: null, lastChangedAt: null, alertedLeadMs: null, calendarSequence: null };

  test("never yields that an invite was withdrawn", () => {
    everyStep(({ input, result }) => {
      if (input.snapshot.kind === "complete") return;

      assert.deepEqual(
        result.events.filter((event) => event.type === "invite.withdrawn"),
        [],
      );
    });
  });

  test("changes nothing of an invite that it lacks but what the clock does", () => {
    everyStep(({ input, result, after: known }) => {
      if (input.snapshot.kind === "complete") return;
      const lists = new Set(input.snapshot.invites.map((invite) => invite.id));
      const about = result.events.filter((event) => event.inviteId !== null && !lists.has(event.inviteId));

      assert.deepEqual(
        about.filter((event) => event.type !== "invite.expired" && event.type !== "invite.expiring"),
        [],
      );
      for (const [id, before] of input.known) {
        if (lists.has(id)) continue;
        const now = known.get(id) as Invite;
        assert.deepEqual({ ...now, ...byClock }, { ...before, ...byClock });
        assert.equal(
          now.status,
          before.status === "pending" && hasEnded(before, input.now) ? "expired" : before.status,
        );
      }
    });
  });
});

describe("alerts of an end", () => {
  const thresholds = fc.subarray([
    lead("72h", 72 * HOUR),
    lead("24h", 24 * HOUR),
    lead("6h", 6 * HOUR),
    lead("10m", 10 * MINUTE),
    share("25%", 0.25),
    share("90%", 0.9),
  ]);
  const life = fc.record({
    lifetimeMs: fc.integer({ min: HOUR, max: 30 * DAY }),
    intervalMs: fc.integer({ min: MINUTE, max: 6 * HOUR }),
    phase: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    thresholds,
  });

  test("come at least once before it wherever a sync could, none twice, and none after it", () => {
    fc.assert(
      fc.property(life, ({ lifetimeMs, intervalMs, phase, thresholds }) => {
        const end = after(lifetimeMs);
        const syncs = syncsAfter(NOW, intervalMs, phase, after(2 * intervalMs, end));
        const story = live(listed({ invitedAt: NOW, expiresAt: end }), { thresholds, intervalMs }, syncs);

        const alerts = story.filter(({ type }) => type === "invite.expiring");
        const couldSync = syncs.some((at) => at < end);
        assert.equal(alerts.length > 0, couldSync, "an alert exactly where a sync could come before the end");
        assert.ok(
          alerts.every(({ syncedAt }) => syncedAt < end),
          "no alert after the end",
        );
        const told = alerts.flatMap(({ names }) => names);
        assert.equal(new Set(told).size, told.length, "no threshold twice");
        assert.equal(story.filter(({ type }) => type === "invite.expired").length, 1, "expired once");
      }),
      { numRuns: 100 },
    );
  });

  test("leave out no threshold that a sync could have told in time", () => {
    fc.assert(
      fc.property(life, ({ lifetimeMs, intervalMs, phase, thresholds }) => {
        const end = after(lifetimeMs);
        const syncs = syncsAfter(NOW, intervalMs, phase, end);
        const story = live(listed({ invitedAt: NOW, expiresAt: end }), { thresholds, intervalMs }, syncs);

        const told = new Set(story.flatMap(({ names }) => names));
        for (const threshold of thresholds) {
          const leadMs = threshold.kind === "lead" ? threshold.ms : threshold.share * lifetimeMs;
          const inTime = syncs.some((at) => at < end && end.getTime() - at.getTime() <= leadMs - 1);
          if (inTime) assert.ok(told.has(threshold.name), `${threshold.name} was never told`);
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** The instants of a schedule between two others. */
function syncsAfter(begin: Date, intervalMs: number, phase: number, until: Date): readonly Date[] {
  const first = begin.getTime() + Math.floor(phase * intervalMs);
  const count = Math.max(0, Math.ceil((until.getTime() - first) / intervalMs));
  return Array.from({ length: count }, (_, nth) => new Date(first + nth * intervalMs));
}

type Telling = { readonly type: string; readonly syncedAt: Date; readonly names: readonly string[] };

/** What a user is told of the one invite that is listed all the time. */
function live(invite: ListedInvite, rules: ExpiryRules, syncs: readonly Date[]): readonly Telling[] {
  let known: readonly Invite[] = [];
  const story: Telling[] = [];
  for (const now of syncs) {
    const { events, invites } = diff(diffInput({ known, snapshot: complete([invite], now), rules, now }));
    if (invites.length > 0) known = invites;
    for (const { type, data } of events) {
      story.push({ type, syncedAt: now, names: "covers" in data ? [data.threshold, ...data.covers] : [] });
    }
  }
  return story;
}

/** The status that a listing with a stated status leads to; the clock overrules only that it is pending. */
function statusAt(stated: string, said: ListedInvite, now: Date): string {
  return stated === "pending" && hasEnded(said, now) ? "expired" : stated;
}

/** Whether the list says of a known invite what it said before, and the clock has nothing to add. */
function hasNothingNew(invite: Invite, { snapshot, now }: Step["input"]): boolean {
  const said = snapshot.invites.find(({ id }) => id === invite.id);
  const same = said?.fingerprint === invite.fingerprint && invite.listed && invite.missingSince === null;
  if (!same || invite.status === "withdrawn") return false;
  return invite.status !== "pending" || (!hasEnded(invite, now) && dueAlert(invite, RULES, now) === null);
}
