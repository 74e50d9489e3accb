import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  breakOf,
  type ChainHead,
  type EventJson,
  eventJson,
  GENESIS_HASH,
  hashOf,
  link,
} from "../../src/domain/chain.ts";
import type { EventDraft } from "../../src/domain/event.ts";
import { after, NOW } from "../support/build.ts";
import { HOUR } from "../support/durations.ts";

const GENESIS: ChainHead = { seq: 0, hash: GENESIS_HASH, recordedAt: null };

function about(overrides: { recordedAt?: Date } = {}) {
  let ids = 0;
  return { watch: "ops", syncId: "sync-1", recordedAt: NOW, newId: () => `id-${++ids}`, ...overrides };
}

function draft(data: unknown = { invites: 0, pending: 0 }): EventDraft {
  return { type: "watch.baseline", inviteId: null, occurredAt: after(-HOUR), data } as EventDraft;
}

/** What is wrong with the chain, and with its end where the head is known; null where nothing is. */
function verify(events: readonly EventJson[], head: string): string | null {
  let at: Pick<ChainHead, "seq" | "hash"> = GENESIS;
  for (const event of events) {
    const broken = breakOf(event, at);
    if (broken !== null) return broken;
    at = event;
  }
  return at.hash === head ? null : "the chain does not end at its head";
}

describe("an event's hash", () => {
  test("is what the contract says: SHA-256 of the hash before it and the canonical JSON of the rest", () => {
    const [event] = link([draft({ b: "é", a: [1, null] })], GENESIS, about());

    const canonical =
      '{"data":{"a":[1,null],"b":"é"},"id":"id-1","inviteId":null,"occurredAt":"2026-03-02T09:00:00.000Z",' +
      '"recordedAt":"2026-03-02T10:00:00.000Z","seq":1,"syncId":"sync-1","type":"watch.baseline","watch":"ops"}';
    const expected = createHash("sha256")
      .update(`${"0".repeat(64)}\n${canonical}`)
      .digest("hex");
    assert.equal(event?.hash, expected);
  });

  test("is the same when it is linked and when it is verified, whatever it holds", () => {
    const text = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(fc.jsonValue(), text, text, fc.option(text), (data, watch, inviteId, syncId) => {
        const drafts = [draft(data), { ...draft(data), inviteId } as EventDraft];

        const events = link(drafts, GENESIS, { ...about(), watch, syncId });

        for (const event of events) assert.equal(event.hash, hashOf(JSON.parse(JSON.stringify(eventJson(event)))));
      }),
    );
  });

  test("does not depend on the order in which keys were written", () => {
    const [event] = link([draft({ a: 1, b: { c: 2, d: 3 } })], GENESIS, about());

    const read = { ...eventJson(event as NonNullable<typeof event>), data: { b: { d: 3, c: 2 }, a: 1 } };

    assert.equal(hashOf(read), read.hash);
  });
});

describe("new links", () => {
  test("go on counting where the head stands, each with the hash of the one before it", () => {
    const head = { seq: 41, hash: "f".repeat(64), recordedAt: after(-HOUR) };

    const events = link([draft(), draft()], head, about());

    assert.deepEqual(
      events.map((event) => event.seq),
      [42, 43],
    );
    assert.deepEqual(
      events.map((event) => event.prevHash),
      [head.hash, events[0]?.hash],
    );
    assert.deepEqual(
      events.map((event) => event.id),
      ["id-1", "id-2"],
    );
  });

  test("are never recorded before the head, also where the clock went back", () => {
    const head = { seq: 1, hash: "f".repeat(64), recordedAt: after(HOUR) };

    const [event] = link([draft()], head, about({ recordedAt: NOW }));

    assert.deepEqual(event?.recordedAt, after(HOUR));
  });

  test("are none where nothing happened", () => {
    assert.deepEqual(link([], GENESIS, about()), []);
  });
});

describe("what is wrong with an event", () => {
  const [first, second, third] = link([draft(), draft(), draft()], GENESIS, about()).map(eventJson) as EventJson[] & {
    0: EventJson;
    1: EventJson;
    2: EventJson;
  };

  test("is said of one that was edited", () => {
    const edited = { ...second, data: { invites: 7, pending: 0 } } as EventJson;

    assert.equal(breakOf(edited, first as EventJson), "its content does not give its hash");
  });

  test("is said of one whose predecessor was replaced", () => {
    assert.equal(
      breakOf(second as EventJson, { seq: 1, hash: "e".repeat(64) }),
      "its prevHash is not the hash of the event before it",
    );
  });

  test("is said of one after a gap", () => {
    assert.equal(breakOf(third as EventJson, first as EventJson), "event 2 is missing");
  });

  test("is said of one that comes again", () => {
    assert.equal(breakOf(second as EventJson, second as EventJson), "event 2 comes again after event 2");
  });

  test("is nothing where it follows", () => {
    assert.equal(breakOf(first as EventJson, GENESIS), null);
    assert.equal(breakOf(second as EventJson, first as EventJson), null);
  });
});

describe("a chain", () => {
  const chain = fc
    .array(fc.tuple(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom("a", "b", null)), { minLength: 2, maxLength: 8 })
    .map((contents) => {
      const drafts = contents.map(([data, inviteId]) => ({ ...draft(data), inviteId }) as EventDraft);
      return link(drafts, GENESIS, about()).map(eventJson);
    });
  const headOf = (events: readonly EventJson[]) => events.at(-1)?.hash ?? "";

  test("holds after linking, however many times it was added to, and through JSON and back", () => {
    fc.assert(
      fc.property(chain, fc.nat(), (events, cut) => {
        const drafts = events.map(({ data, inviteId }) => ({ ...draft(data), inviteId }) as EventDraft);
        const at = cut % events.length;
        const start = link(drafts.slice(0, at), GENESIS, about());
        const last = start.at(-1);
        const rest = link(drafts.slice(at), last ?? GENESIS, about());
        const read = JSON.parse(JSON.stringify([...start, ...rest].map(eventJson))) as EventJson[];

        assert.equal(verify(read, headOf(read)), null);
      }),
    );
  });

  test("shows any field of any event that was edited", () => {
    const edit = fc.constantFrom<Partial<Record<keyof EventJson, unknown>>>(
      { seq: 99 },
      { seq: 0 },
      { id: "another" },
      { watch: "another" },
      { type: "invite.received" },
      { inviteId: "another" },
      { occurredAt: after(1).toISOString() },
      { recordedAt: after(1).toISOString() },
      { syncId: null },
      { data: "another" },
      { prevHash: "f".repeat(64) },
      { hash: "f".repeat(64) },
    );
    fc.assert(
      fc.property(chain, fc.nat(), edit, (events, nth, change) => {
        const edited = events.with(nth % events.length, { ...events[nth % events.length], ...change } as EventJson);

        assert.notEqual(verify(edited, headOf(events)), null);
      }),
    );
  });

  test("shows any event that was removed, the newest ones by the head", () => {
    fc.assert(
      fc.property(chain, fc.nat(), (events, nth) => {
        const removed = events.toSpliced(nth % events.length, 1);

        assert.notEqual(verify(removed, headOf(events)), null);
      }),
    );
  });

  test("shows any two events that were swapped", () => {
    fc.assert(
      fc.property(chain, fc.nat(), fc.nat(), (events, one, other) => {
        const [a, b] = [one % events.length, other % events.length];
        fc.pre(a !== b);
        const swapped = events.with(a, events[b] as EventJson).with(b, events[a] as EventJson);

        assert.notEqual(verify(swapped, headOf(events)), null);
      }),
    );
  });

  test("shows any event that was inserted, also one that fits what comes before it", () => {
    fc.assert(
      fc.property(chain, fc.nat(), (events, nth) => {
        const at = nth % (events.length + 1);
        const before = events[at - 1];
        const head = before === undefined ? GENESIS : { seq: before.seq, hash: before.hash, recordedAt: NOW };
        const forged = link([draft("forged")], head, about()).map(eventJson);

        assert.notEqual(verify(events.toSpliced(at, 0, ...forged), headOf(events)), null);
      }),
    );
  });
});
