import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isInForce, type Silence, silenceOf } from "../../src/domain/silence.ts";
import { after, invite, NOW, silence } from "../support/build.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";

const acme = invite({ id: "a", watch: "ops", organizationId: "023e105f", organizationName: "Acme Labs" });
const unnamed = invite({ id: "b", watch: "ops", organizationId: null, organizationName: null });

const CASES: readonly [words: string, asked: Partial<Silence>, about: typeof acme, covered: boolean][] = [
  ["a part of its organization's name", { organization: "Labs" }, acme, true],
  ["that part in other letters", { organization: "aCmE" }, acme, true],
  ["another organization", { organization: "Globex" }, acme, false],
  ["its organization's id", { organization: "023e105f" }, acme, true],
  ["a part of its organization's id", { organization: "023e" }, acme, false],
  ["a star, which is no pattern here", { organization: "Acme*" }, acme, false],
  ["an organization where the API named none", { organization: "Acme" }, unnamed, false],
  ["the invite", { inviteId: "a", organization: null }, acme, true],
  ["another invite", { inviteId: "b", organization: null }, acme, false],
  ["another invite of its organization", { inviteId: "b", organization: "Acme" }, acme, false],
  ["its watch", { watch: "ops" }, acme, true],
  ["another watch", { watch: "default" }, acme, false],
  ["the invite in another watch", { watch: "default", inviteId: "a", organization: null }, acme, false],
  ["nothing", { organization: null }, acme, false],
];

for (const [words, asked, about, covered] of CASES) {
  test(`a silence of ${words} ${covered ? "covers" : "does not cover"} an invite`, () => {
    const one = silence(asked);

    assert.equal(silenceOf(about, [one]), covered ? one : null);
  });
}

test("of several silences the one that lasts longest holds", () => {
  const short = silence({ id: "short", until: after(HOUR) });
  const long = silence({ id: "long", until: after(DAY), organization: null, inviteId: "a" });
  const other = silence({ id: "other", until: after(9 * DAY), organization: "Globex" });

  assert.equal(silenceOf(acme, [short, long, other]), long);
  assert.equal(silenceOf(acme, [long, other, short]), long);
});

test("what concerns no invite is never silenced: that a watch is blind is told", () => {
  assert.equal(silenceOf(null, [silence(), silence({ watch: "ops", organization: null })]), null);
});

describe("a silence", () => {
  test("is in force until its time and not at it", () => {
    assert.equal(isInForce(silence({ until: after(1) }), NOW), true);
    assert.equal(isInForce(silence({ until: NOW }), NOW), false);
    assert.equal(isInForce(silence({ until: after(-1) }), NOW), false);
  });

  test("that somebody ended is in force no longer", () => {
    assert.equal(isInForce(silence({ until: after(DAY), endedAt: after(-MINUTE) }), NOW), false);
  });
});
