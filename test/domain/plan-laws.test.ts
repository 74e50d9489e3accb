import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Event } from "../../src/domain/event.ts";
import type { Invite } from "../../src/domain/invite.ts";
import { type PlanInput, planMails } from "../../src/domain/plan.ts";
import {
  after,
  blind,
  event,
  expiring,
  invite,
  NOW,
  received,
  route,
  silence,
  statusChanged,
} from "../support/build.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";

const IDS = ["a", "b", "c"];
const PEOPLE = ["ops@example.com", "lead@example.com", "legal@example.com"];

/** One event of each sort that a sync brings. */
const SORTS: readonly ((about: Partial<Event>) => Event)[] = [
  (about) => received(about),
  (about) => expiring(about),
  (about) => statusChanged("accepted", about),
  (about) => statusChanged("pending", about),
  (about) => event("invite.returned", received().data, about),
  (about) => event("invite.withdrawn", { evidence: "404" }, about),
  (about) => event("invite.expired", { expiresAt: NOW.toISOString() }, about),
  (about) => event("invite.changed", { changes: { roles: { from: [], to: ["DNS"] } } }, about),
  (about) => event("invite.changed", { changes: { invitedBy: { from: null, to: "x" } } }, about),
  (about) => event("invite.unrecognised", { reason: "status", raw: null }, about),
  (about) => blind(IDS, { ...about, inviteId: null }),
  (about) => event("watch.baseline", { invites: 3, pending: 3 }, { ...about, inviteId: null }),
];

const some = (patterns: readonly string[]) => fc.option(fc.subarray([...patterns], { minLength: 1 }));

const routes = fc
  .array(
    fc.record({
      organization: some(["Acme*", "Globex", "!Acme"]),
      role: some(["DNS", "!Admin*"]),
      type: some(["invite.*", "watch.*", "!invite.expired", "invite.received"]),
      to: fc.subarray(PEOPLE, { minLength: 1 }),
      also: fc.boolean(),
    }),
    { maxLength: 3 },
  )
  .map((all) => all.map(({ to, also, ...match }, nth) => route(match, { name: `routes[${nth}]`, to, also })));

const invites = fc.tuple(
  ...IDS.map((id) =>
    fc
      .record({
        organizationName: fc.constantFrom("Acme", "Globex", null),
        roles: fc.subarray(["DNS", "Administrator"]),
        expiresAt: fc.constantFrom(null, after(30 * MINUTE), after(3 * HOUR), after(3 * DAY)),
        status: fc.constantFrom("pending", "pending", "accepted"),
        acknowledgedAt: fc.constantFrom(null, null, after(-HOUR)),
      })
      .map((fields) => invite({ id, ...fields })),
  ),
);

const silences = fc
  .array(
    fc.record({ organization: fc.constantFrom("Acme", "Globex"), until: fc.constantFrom(after(HOUR), after(DAY)) }),
    {
      maxLength: 2,
    },
  )
  .map((all) => all.map((one, nth) => silence({ id: `s${nth}`, ...one })));

const quietHours = fc.constantFrom(
  null,
  { fromMinute: 8 * 60, toMinute: 12 * 60, timezone: "UTC" },
  { fromMinute: 0, toMinute: 60, timezone: "UTC" },
);

const events = fc
  .array(fc.tuple(fc.constantFrom(...SORTS), fc.constantFrom(...IDS)), { maxLength: 12 })
  .map((all) => all.map(([sort, inviteId], nth) => sort({ seq: nth + 1, inviteId })));

const inputs: fc.Arbitrary<PlanInput> = fc
  .record({
    events,
    invites,
    routes,
    silences,
    quietHours,
    recipients: fc.subarray(PEOPLE.slice(0, 2), { minLength: 1 }),
    told: fc.tuple(
      ...IDS.map((id) => fc.subarray([...PEOPLE, "gone@example.com"]).map((who) => [id, new Set(who)] as const)),
    ),
    turns: fc.tuple(...IDS.map((id) => fc.nat(4).map((count) => [id, count] as const))),
  })
  .map(({ events, invites, recipients, routes, quietHours, silences, told, turns }) => ({
    watch: "default",
    events,
    inviteOf: (id) => invites.find((one) => one.id === id) ?? null,
    audience: { recipients, routes, quietHours },
    context: { silences, told: new Map(told), turns: new Map(turns) },
    now: NOW,
  }));

function everyPlan(check: (input: PlanInput) => void): void {
  fc.assert(fc.property(inputs, check), { numRuns: 1_000 });
}

test("every event of a sync is mailed to somebody, or there is a reason on record why not, and never both", () => {
  everyPlan((input) => {
    const { mails, suppressions } = planMails(input);

    const mailed = new Set(mails.flatMap(({ eventSeqs }) => eventSeqs));
    const silent = suppressions.flatMap(({ eventSeqs }) => eventSeqs);
    const all = input.events.map(({ seq }) => seq);
    assert.deepEqual(
      [...mailed, ...silent].sort((a, b) => a - b),
      all,
    );
  });
});

test("nobody is told the same event twice", () => {
  everyPlan((input) => {
    const pairs = planMails(input).mails.flatMap(({ recipient, eventSeqs }) =>
      eventSeqs.map((seq) => `${recipient} ${seq}`),
    );

    assert.equal(new Set(pairs).size, pairs.length);
  });
});

test("nobody gets two mails at once, and nobody whom the configuration does not name", () => {
  everyPlan((input) => {
    const { mails } = planMails(input);

    const atOnce = mails.filter(({ hold }) => hold === null).map(({ recipient }) => recipient);
    assert.equal(new Set(atOnce).size, atOnce.length);
    const named = [...input.audience.recipients, ...input.audience.routes.flatMap(({ to }) => to)];
    assert.ok(mails.every(({ recipient }) => named.includes(recipient)));
  });
});

test("each mail has events in the order of the chain, and rules that chose its recipient", () => {
  everyPlan((input) => {
    for (const { eventSeqs, rules } of planMails(input).mails) {
      assert.ok(eventSeqs.length > 0);
      assert.deepEqual(
        eventSeqs,
        eventSeqs.toSorted((a, b) => a - b),
      );
      assert.ok(rules.length > 0);
      assert.equal(new Set(rules).size, rules.length);
    }
  });
});

test("what waits waits for a later instant, and only a silence lets an invite end before it", () => {
  everyPlan((input) => {
    for (const { eventSeqs, hold } of planMails(input).mails) {
      if (hold === null) continue;
      assert.ok(hold.until > NOW);
      if (hold.cause === "silence") continue;
      for (const one of input.events.filter(({ seq }) => eventSeqs.includes(seq))) {
        const about: Invite | null = one.inviteId === null ? null : input.inviteOf(one.inviteId);
        const endsMeanwhile: boolean =
          about?.status === "pending" && about.expiresAt !== null && about.expiresAt <= hold.until;
        assert.equal(endsMeanwhile, false);
      }
    }
  });
});

test("a first sync is one inventory for each who is told", () => {
  everyPlan((input) => {
    if (!input.events.some(({ type }) => type === "watch.baseline")) return;
    const { mails, suppressions } = planMails(input);

    const recipients = mails.map(({ recipient }) => recipient);
    assert.equal(new Set(recipients).size, recipients.length);
    assert.ok(mails.every(({ kind }) => kind === "inventory"));
    assert.deepEqual(suppressions, []);
  });
});
