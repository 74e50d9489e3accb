import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Sight, sightEvent, tellableStretch } from "../../src/domain/sight.ts";
import type { Shortfall } from "../../src/domain/snapshot.ts";
import { after, NOW, shortfall } from "../support/build.ts";
import { HOUR, MINUTE } from "../support/durations.ts";

type Cause = Shortfall["cause"];
type Telling = { readonly at: Date; readonly since: Date; readonly until: Date | null };

/** Plays syncs of which each ended as the word says; `ok` is complete. What people are told, and when. */
function live(words: readonly (Cause | "ok")[], everyMs: number): readonly Telling[] {
  let sight: Sight = { blindSince: null, completeAt: null, firstShortfallAt: null, causes: [], lastReason: null };
  const told: Telling[] = [];
  words.forEach((word, nth) => {
    const at = after(nth * everyMs);
    const short = word === "ok" ? null : shortfall({ cause: word });
    const stretch = tellableStretch(sight, { takenAt: at, shortfall: short }, at);
    if (stretch !== null) told.push({ at, ...stretch });
    if (short === null) {
      sight = { ...sight, blindSince: null, completeAt: at, firstShortfallAt: null, causes: [] };
    } else {
      sight = {
        ...sight,
        blindSince: stretch?.since ?? sight.blindSince,
        firstShortfallAt: sight.firstShortfallAt ?? at,
        causes: [...sight.causes, short.cause],
      };
    }
  });
  return told;
}

describe("a watch becomes blind at the sync", () => {
  const cases: readonly [words: string, syncs: readonly (Cause | "ok")[], everyMs: number, nth: number | null][] = [
    ["that has its credential refused for the second time", ["ok", "credential", "credential"], MINUTE, 2],
    ["that falls short for the third time", ["ok", "server", "server", "server"], MINUTE, 3],
    ["that falls short for the third time, whatever the causes", ["ok", "network", "content", "deadline"], MINUTE, 3],
    ["that falls short an hour after the first", ["ok", "server", "server"], HOUR, 2],
    [
      "that has its credential refused for the third time in mixed company",
      ["ok", "credential", "server", "credential"],
      MINUTE,
      3,
    ],
    ["whose two last refusals follow another cause", ["ok", "server", "credential", "credential"], MINUTE, 3],
    ["that is the second, both refused, and there never was a complete one", ["credential", "credential"], MINUTE, 1],
    ["not after one refusal", ["ok", "credential", "ok", "credential", "ok"], MINUTE, null],
    ["not after two other shortfalls", ["ok", "server", "server", "ok", "rate_limit", "network", "ok"], MINUTE, null],
    ["not after a refusal and something else", ["ok", "credential", "server"], MINUTE, null],
    ["not after something else and a refusal", ["ok", "server", "credential"], MINUTE, null],
    ["not at the first that falls short, however rare syncs are", ["ok", "server"], 24 * HOUR, null],
    ["not a minute before the hour is full", ["ok", "server", "server"], 59 * MINUTE, null],
  ];
  for (const [words, syncs, everyMs, nth] of cases) {
    test(words, () => {
      const told = live(syncs, everyMs);

      assert.deepEqual(
        told.map(({ at }) => at),
        nth === null ? [] : [after(nth * everyMs)],
      );
    });
  }
});

test("a blind watch is told once, however long it lasts, and once that it sees again", () => {
  const told = live(["ok", ...Array<Cause>(20).fill("server"), "ok", "ok"], 15 * MINUTE);

  assert.deepEqual(told, [
    { at: after(45 * MINUTE), since: NOW, until: null },
    { at: after(21 * 15 * MINUTE), since: NOW, until: after(21 * 15 * MINUTE) },
  ]);
});

test("a watch that becomes blind again is told again", () => {
  const again = ["credential", "credential", "ok"] as const;

  const told = live(["ok", ...again, ...again], MINUTE);

  assert.deepEqual(
    told.map(({ since, until }) => [since, until]),
    [
      [NOW, null],
      [NOW, after(3 * MINUTE)],
      [after(3 * MINUTE), null],
      [after(3 * MINUTE), after(6 * MINUTE)],
    ],
  );
});

test("a watch that was never complete is blind since the first sync that fell short", () => {
  const [blind] = live(["server", "server", "server"], MINUTE);

  assert.deepEqual(blind, { at: after(2 * MINUTE), since: NOW, until: null });
});

test("the hour is counted until the sync ends, not until it begins", () => {
  const sight = {
    blindSince: null,
    completeAt: NOW,
    firstShortfallAt: NOW,
    causes: ["server"],
    lastReason: null,
  } as const;
  const look = { takenAt: after(59 * MINUTE), shortfall: shortfall() };

  assert.equal(tellableStretch(sight, look, after(59 * MINUTE)), null);
  assert.deepEqual(tellableStretch(sight, look, after(60 * MINUTE)), { since: NOW, until: null });
});

test("the event says since when, until when, why, and what is at risk", () => {
  const seen = { takenAt: after(HOUR), reason: "HTTP 403", atRisk: ["a", "b"] };
  const common = { inviteId: null, occurredAt: after(HOUR) };
  const data = { reason: "HTTP 403", since: NOW.toISOString(), atRisk: ["a", "b"] };

  assert.deepEqual(sightEvent({ since: NOW, until: null }, seen), {
    type: "watch.blind",
    ...common,
    data: { ...data, until: null },
  });
  assert.deepEqual(sightEvent({ since: NOW, until: after(HOUR) }, seen), {
    type: "watch.recovered",
    ...common,
    data: { ...data, until: after(HOUR).toISOString() },
  });
});
