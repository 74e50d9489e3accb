import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Event } from "../../src/domain/event.ts";
import type { Invite } from "../../src/domain/invite.ts";
import {
  isOutcome,
  mostUrgent,
  type Plan,
  type PlanContext,
  type PlanInput,
  planMails,
} from "../../src/domain/plan.ts";
import type { QuietHours } from "../../src/domain/quiet-hours.ts";
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

const OPS = "ops@example.com";
const LEAD = "lead@example.com";
const LEGAL = "legal@example.com";
/** Around `NOW`, which is 10:00 UTC. */
const QUIET: QuietHours = { fromMinute: 8 * 60, toMinute: 12 * 60, timezone: "UTC" };

const changed = (seq: number, ...fields: string[]) => {
  const changes = Object.fromEntries(fields.map((field) => [field, { from: "before", to: "after" }]));
  return event("invite.changed", { changes }, { seq });
};
const expired = (overrides: Partial<Event> = {}) =>
  event("invite.expired", { expiresAt: NOW.toISOString() }, overrides);
const withdrawn = (overrides: Partial<Event> = {}) => event("invite.withdrawn", { evidence: "404" }, overrides);
const returned = (overrides: Partial<Event> = {}) => event("invite.returned", received().data, overrides);
const baseline = (seq = 1) => event("watch.baseline", { invites: 2, pending: 1 }, { seq, inviteId: null });
const recovered = (seq: number) =>
  event("watch.recovered", { ...blind().data, until: NOW.toISOString() }, { seq, inviteId: null });

type Setting = Partial<PlanInput["audience"]> & {
  readonly invites?: readonly Invite[];
  readonly told?: readonly string[];
  readonly turns?: number;
  readonly silences?: PlanContext["silences"];
};

/** The plan of a sync of a watch that mails to ops; what was told and how often a status turned is of the invite a. */
function plan(
  events: readonly Event[],
  { invites = [invite()], told = [], turns = 0, silences = [], ...rest }: Setting = {},
): Plan {
  return planMails({
    watch: "default",
    events,
    inviteOf: (id) => invites.find((one) => one.id === id) ?? null,
    audience: { recipients: [OPS], routes: [], quietHours: null, ...rest },
    context: { silences, told: new Map([["a", new Set(told)]]), turns: new Map([["a", turns]]) },
    now: NOW,
  });
}

/** Who is mailed which events, and what that waits for. */
function outline({
  mails,
}: Plan): readonly (readonly [recipient: string, seqs: readonly number[], cause: string | null])[] {
  return mails.map(({ recipient, eventSeqs, hold }) => [recipient, eventSeqs, hold?.cause ?? null]);
}

function reasons({ suppressions }: Plan): readonly (readonly [reason: string, seqs: readonly number[]])[] {
  return suppressions.map(({ reason, eventSeqs }) => [reason, eventSeqs]);
}

describe("the mails of a sync", () => {
  test("are one for each recipient, of all that it found", () => {
    const { mails } = plan([received({ seq: 4 }), expiring({ seq: 5 })], { recipients: [OPS, LEAD] });

    const mail = { kind: "invite.expiring", eventSeqs: [4, 5], rules: ["default"], hold: null };
    assert.deepEqual(mails, [
      { recipient: OPS, ...mail },
      { recipient: LEAD, ...mail },
    ]);
  });

  test("are none where nothing happened", () => {
    assert.deepEqual(plan([]), { mails: [], suppressions: [] });
  });

  test("hold for each recipient what concerns them, and the rules that chose them", () => {
    const routes = [
      route({ type: ["invite.received"] }, { name: "routes[0]", to: [LEGAL], also: true }),
      route({ type: ["invite.expiring"] }, { name: "routes[1]", to: [LEGAL] }),
    ];

    const { mails } = plan([received({ seq: 1 }), expiring({ seq: 2 })], { routes });

    assert.deepEqual(
      mails.map(({ recipient, eventSeqs, rules }) => [recipient, eventSeqs, rules]),
      [
        [OPS, [1], ["default"]],
        [LEGAL, [1, 2], ["routes[0]", "routes[1]"]],
      ],
    );
  });
});

describe("the kind of a mail is the most urgent of", () => {
  const ranked = [
    blind([], { seq: 1 }),
    expiring({ seq: 2 }),
    received({ seq: 3 }),
    returned({ seq: 4 }),
    statusChanged("on_hold", { seq: 5 }),
    expired({ seq: 6 }),
    withdrawn({ seq: 7 }),
    recovered(8),
    changed(9, "roles"),
    event("invite.unrecognised", { reason: "status", raw: null }, { seq: 10 }),
  ];
  for (const [nth, { type }] of ranked.entries()) {
    test(`${type} and all that is less urgent, wherever it stands`, () => {
      assert.equal(mostUrgent(ranked.slice(nth).reverse()), type);
    });
  }
});

describe("a change", () => {
  for (const [fields, mailed] of [
    [["expiresAt"], true],
    [["roles"], true],
    [["organizationName", "roles"], true],
    [["organizationName"], false],
    [["organizationName", "invitedBy"], false],
  ] as const) {
    test(`of ${fields.join(" and ")} is ${mailed ? "mailed" : "recorded in silence, with the reason"}`, () => {
      const { mails, suppressions } = plan([changed(1, ...fields)]);

      const minor = {
        reason: "minor change",
        detail: `only ${fields.join(", ")} changed`,
        recipient: null,
        eventSeqs: [1],
      };
      assert.equal(mails.length, mailed ? 1 : 0);
      assert.deepEqual(suppressions, mailed ? [] : [minor]);
    });
  }

  test("that is minor is left out of the mail of the rest", () => {
    const result = plan([changed(1, "invitedBy"), received({ seq: 2 })]);

    assert.deepEqual(outline(result), [[OPS, [2], null]]);
    assert.deepEqual(reasons(result), [["minor change", [1]]]);
  });
});

test("events that are not mailed for the same reason are recorded as one decision", () => {
  assert.deepEqual(reasons(plan([changed(1, "invitedBy"), changed(2, "invitedBy"), changed(3, "invitedAt")])), [
    ["minor change", [1, 2]],
    ["minor change", [3]],
  ]);
});

test("a mail that was given up makes no mail of its own", () => {
  const data = { by: "system", reason: "550", notificationId: "n", recipient: "gone@example.com" };

  const result = plan([event("notification.dead", data, { inviteId: null })]);

  assert.deepEqual([outline(result), reasons(result)], [[], [["told in the next mail", [1]]]]);
});

describe("an invite that somebody took care of", () => {
  const setting = { invites: [invite({ acknowledgedAt: after(-HOUR) })], told: [OPS] };

  test("brings no more reminders", () => {
    const result = plan([expiring()], setting);

    assert.deepEqual([outline(result), reasons(result)], [[], [["acknowledged", [1]]]]);
    assert.equal(result.suppressions[0]?.detail, `somebody takes care of it since ${after(-HOUR).toISOString()}`);
  });

  test("still tells how it ended, and what changed", () => {
    const result = plan([changed(1, "expiresAt"), statusChanged("accepted", { seq: 2 })], setting);

    assert.deepEqual(outline(result), [[OPS, [1, 2], null]]);
  });
});

describe("a baseline", () => {
  test("is one inventory for each recipient that names every event of its sync", () => {
    const events = [baseline(), changed(2, "invitedBy"), received({ seq: 3 }), expiring({ seq: 4 })];

    const { mails, suppressions } = plan(events, { recipients: [OPS, LEAD] });

    const mail = { kind: "inventory", eventSeqs: [1, 2, 3, 4], rules: ["default"], hold: null };
    assert.deepEqual(mails, [
      { recipient: OPS, ...mail },
      { recipient: LEAD, ...mail },
    ]);
    assert.deepEqual(suppressions, []);
  });

  test("holds for those of a route what the route takes", () => {
    const invites = [invite({ id: "a" }), invite({ id: "b", organizationName: "Globex" })];
    const events = [baseline(), received({ seq: 2, inviteId: "a" }), received({ seq: 3, inviteId: "b" })];

    const { mails } = plan(events, { invites, routes: [route({ organization: ["Globex"] })] });

    assert.deepEqual(
      mails.map(({ recipient, kind, eventSeqs }) => [recipient, kind, eventSeqs]),
      [
        [OPS, "inventory", [1, 2]],
        [LEGAL, "inventory", [3]],
      ],
    );
  });

  test("tells also of an end of which nobody had been told", () => {
    assert.deepEqual(outline(plan([baseline(), statusChanged("accepted", { seq: 2 })])), [[OPS, [1, 2], null]]);
  });

  test("is not taken apart by silences and a status that goes back and forth", () => {
    const events = [baseline(), received({ seq: 2 }), statusChanged("pending", { seq: 3 })];

    assert.deepEqual(outline(plan(events, { silences: [silence()], turns: 9 })), [[OPS, [1, 2, 3], null]]);
  });

  test("waits for the end of quiet hours as a whole", () => {
    const { mails } = plan([baseline(), received({ seq: 2 })], { quietHours: QUIET });

    assert.deepEqual(
      mails.map(({ kind, eventSeqs, hold }) => [kind, eventSeqs, hold?.until]),
      [["inventory", [1, 2], after(2 * HOUR)]],
    );
  });

  test("is let through quiet hours as a whole where one invite would end inside them", () => {
    const invites = [invite({ id: "a" }), invite({ id: "b", expiresAt: after(HOUR) })];
    const events = [baseline(), received({ seq: 2 }), received({ seq: 3, inviteId: "b" })];

    assert.deepEqual(outline(plan(events, { invites, quietHours: QUIET })), [[OPS, [1, 2, 3], null]]);
  });
});

for (const [words, one, outcome] of [
  ["accepted", statusChanged("accepted"), true],
  ["rejected", statusChanged("rejected"), true],
  ["expired as the API says", statusChanged("expired"), true],
  ["expired by the clock", expired(), true],
  ["withdrawn", withdrawn(), true],
  ["pending again", statusChanged("pending"), false],
  ["what we do not know", statusChanged("on_hold"), false],
  ["listed again", returned(), false],
] as const) {
  test(`that an invite is ${words} is ${outcome ? "an" : "no"} outcome`, () => {
    assert.equal(isOutcome(one), outcome);
  });
}

describe("an outcome", () => {
  const mailed = (setting: Setting, ...before: readonly Event[]) =>
    plan([...before, statusChanged("accepted", { seq: before.length + 1 })], setting).mails.map(
      ({ recipient, rules }) => [recipient, rules] as const,
    );

  test("is told to those who were told of the invite, and to nobody else", () => {
    assert.deepEqual(mailed({ recipients: [OPS, LEAD], told: [LEAD] }), [[LEAD, ["told of it"]]]);
  });

  test("is told to those who are told of the invite by this very sync", () => {
    const result = plan([received({ seq: 1 }), expired({ seq: 2 })]);

    assert.deepEqual(outline(result), [[OPS, [1, 2], null]]);
    assert.deepEqual(result.mails[0]?.rules, ["default", "told of it"]);
  });

  test("is told to one who was told of it by a route that does not ask for outcomes", () => {
    const routes = [route({ type: ["invite.received"] })];

    assert.deepEqual(mailed({ routes, told: [LEGAL] }), [[LEGAL, ["told of it"]]]);
  });

  describe("whose type a route excludes", () => {
    const but = (type: string) => ({ type: ["invite.*", `!${type}`] });
    const excluding = route(but("invite.status_changed"));

    test("is not told to the people of the route, although they were told of the invite", () => {
      const routes = [route(but("invite.status_changed"), { also: true })];

      assert.deepEqual(mailed({ routes, told: [LEGAL, OPS] }), [[OPS, ["told of it"]]]);
    });

    test("is told to the watch's own recipients where that leaves nobody", () => {
      assert.deepEqual(mailed({ routes: [excluding], told: [LEGAL] }), [[OPS, ["default"]]]);
    });

    test("is told to one who is told by another route, or by the watch, too", () => {
      const other = route({ organization: ["Acme*"] }, { name: "routes[1]", also: true });
      const beside = route(but("invite.status_changed"), { to: [OPS], also: true });
      const elsewhere = route({ organization: ["Initech"] }, { name: "routes[1]" });

      assert.deepEqual(mailed({ routes: [excluding, other], told: [LEGAL] }), [[LEGAL, ["told of it", "routes[1]"]]]);
      assert.deepEqual(mailed({ routes: [beside], told: [OPS] }), [[OPS, ["told of it"]]]);
      assert.deepEqual(mailed({ routes: [excluding, elsewhere], told: [LEGAL] }), [[OPS, ["default"]]]);
    });

    test("is not told to them either where the invite has changed so that the route does not match it any more", () => {
      const routes = [route({ ...but("invite.status_changed"), organization: ["Initech"] })];

      assert.deepEqual(mailed({ routes, told: [LEGAL, OPS] }), [[OPS, ["told of it"]]]);
    });

    test("is that type alone: other outcomes are told", () => {
      const result = plan([withdrawn({ seq: 1 }), expired({ seq: 2 })], {
        routes: [route({ type: ["invite.received", "!invite.expired"] })],
        told: [LEGAL],
      });

      assert.deepEqual(outline(result), [
        [LEGAL, [1], null],
        [OPS, [2], null],
      ]);
    });
  });

  test("is told to those of a route that asks for it, beside those who were told", () => {
    const routes = [route({ type: ["invite.status_changed"] })];

    assert.deepEqual(mailed({ routes, told: [OPS] }), [
      [OPS, ["told of it"]],
      [LEGAL, ["routes[0]"]],
    ]);
  });

  test("is told to those of a route that asks for it where nobody was told", () => {
    assert.deepEqual(mailed({ routes: [route()] }), [[LEGAL, ["routes[0]"]]]);
  });

  test("is told to one whom a route names, although the watch names them too and they were not told", () => {
    const routes = [route({}, { to: [LEAD], also: true })];

    assert.deepEqual(mailed({ recipients: [OPS, LEAD], routes }), [[LEAD, ["routes[0]"]]]);
    assert.deepEqual(mailed({ recipients: [OPS, LEAD], routes, told: [OPS] }), [
      [OPS, ["told of it"]],
      [LEAD, ["routes[0]"]],
    ]);
  });

  test("is not told to one who was told and is configured no longer", () => {
    assert.deepEqual(mailed({ told: [OPS, "gone@example.com"] }), [[OPS, ["told of it"]]]);
  });

  test("is told as if it were news where all who were told are configured no longer", () => {
    assert.deepEqual(mailed({ told: ["gone@example.com"] }), [[OPS, ["default"]]]);
  });

  test("of which nobody was told is recorded in silence, with the reason", () => {
    const result = plan([statusChanged("accepted")]);

    assert.deepEqual([outline(result), reasons(result)], [[], [["nobody was told", [1]]]]);
  });

  test("that is pending again is told to everybody", () => {
    assert.deepEqual(outline(plan([statusChanged("pending")], { recipients: [OPS, LEAD], told: [OPS] })), [
      [OPS, [1], null],
      [LEAD, [1], null],
    ]);
  });
});

describe("a status that goes back and forth", () => {
  for (const [turns, cause] of [
    [0, null],
    [1, null],
    [2, "flapping"],
    [9, "flapping"],
  ] as const) {
    test(`after ${turns} changes within six hours is ${cause === null ? "told at once" : "held for an hour"}`, () => {
      const { mails } = plan([statusChanged("pending")], { turns });

      assert.deepEqual(
        mails.map(({ hold }) => [hold?.cause ?? null, hold?.until ?? null]),
        [[cause, cause && after(HOUR)]],
      );
    });
  }

  test("is told at once where the invite would end before the hour is over", () => {
    const invites = [invite({ expiresAt: after(HOUR) })];

    assert.deepEqual(outline(plan([statusChanged("pending")], { turns: 5, invites })), [[OPS, [1], null]]);
  });

  test("holds the reminder that its return brings", () => {
    const result = plan([returned({ seq: 1 }), expiring({ seq: 2 })], { turns: 2 });

    assert.deepEqual(outline(result), [[OPS, [1, 2], "flapping"]]);
  });

  test("does not hold back what happened to others", () => {
    const invites = [invite({ id: "a" }), invite({ id: "b" })];

    const result = plan([statusChanged("pending", { seq: 1 }), received({ seq: 2, inviteId: "b" })], {
      turns: 2,
      invites,
    });

    assert.deepEqual(outline(result), [
      [OPS, [1], "flapping"],
      [OPS, [2], null],
    ]);
  });
});

describe("quiet hours", () => {
  test("hold until they are over, and say so", () => {
    const [mail] = plan([received()], { quietHours: QUIET }).mails;

    const until = after(2 * HOUR);
    assert.deepEqual(mail?.hold, { cause: "quiet-hours", until, reason: `quiet hours until ${until.toISOString()}` });
  });

  test("hold nothing when they are over", () => {
    const over = { ...QUIET, toMinute: 10 * 60 };

    assert.deepEqual(outline(plan([received()], { quietHours: over })), [[OPS, [1], null]]);
  });

  for (const [words, expiresAt, cause] of [
    ["ends inside them is let through", after(HOUR), null],
    ["ends with them is let through", after(2 * HOUR), null],
    ["ends so soon after them that nobody could act does not wait", after(3 * HOUR), null],
    ["ends after them waits", after(3 * HOUR + 1), "quiet-hours"],
    ["has no end waits", null, "quiet-hours"],
  ] as const) {
    test(`what concerns an invite that ${words}`, () => {
      assert.deepEqual(outline(plan([received()], { quietHours: QUIET, invites: [invite({ expiresAt })] })), [
        [OPS, [1], cause],
      ]);
    });
  }

  test("hold the rest when they let one event through", () => {
    const invites = [invite({ id: "a", expiresAt: after(HOUR) }), invite({ id: "b" })];

    const result = plan([expiring({ seq: 1 }), received({ seq: 2, inviteId: "b" })], { quietHours: QUIET, invites });

    assert.deepEqual(outline(result), [
      [OPS, [1], null],
      [OPS, [2], "quiet-hours"],
    ]);
  });

  test("hold that a watch is blind, unless an invite at risk ends inside them", () => {
    const invites = [invite({ id: "a" }), invite({ id: "b", expiresAt: after(HOUR) })];

    assert.deepEqual(outline(plan([blind(["a"])], { quietHours: QUIET, invites })), [[OPS, [1], "quiet-hours"]]);
    assert.deepEqual(outline(plan([blind(["a", "b"])], { quietHours: QUIET, invites })), [[OPS, [1], null]]);
  });
});

describe("a silence", () => {
  test("holds until it ends, and names itself", () => {
    const [mail] = plan([received()], { silences: [silence()] }).mails;

    assert.deepEqual(mail?.hold, { cause: "silence", until: after(DAY), reason: "the silence s1: a move" });
  });

  test("holds also what would end inside it", () => {
    const setting = { silences: [silence()], invites: [invite({ expiresAt: after(MINUTE) })] };

    assert.deepEqual(outline(plan([expiring()], setting)), [[OPS, [1], "silence"]]);
  });

  test("comes before quiet hours and damping", () => {
    const setting = { silences: [silence()], quietHours: QUIET, turns: 9 };

    assert.deepEqual(outline(plan([statusChanged("pending")], setting)), [[OPS, [1], "silence"]]);
  });

  test("never covers that a watch is blind, or sees again", () => {
    const silences = [silence(), silence({ id: "s2", watch: "default", organization: "a" })];

    assert.deepEqual(outline(plan([blind(["a"], { seq: 1 }), recovered(2)], { silences })), [[OPS, [1, 2], null]]);
  });

  test("parts what it covers from what it does not", () => {
    const invites = [invite({ id: "a" }), invite({ id: "b", organizationName: "Globex" })];

    const result = plan([received({ seq: 1 }), received({ seq: 2, inviteId: "b" })], {
      silences: [silence()],
      invites,
    });

    assert.deepEqual(outline(result), [
      [OPS, [1], "silence"],
      [OPS, [2], null],
    ]);
  });
});
