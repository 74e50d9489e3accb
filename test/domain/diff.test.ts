import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Diff, type DiffInput, diff, statusOf } from "../../src/domain/diff.ts";
import type { EventDataByType, EventType } from "../../src/domain/event.ts";
import type { Invite } from "../../src/domain/invite.ts";
import type { Whereabouts } from "../../src/domain/snapshot.ts";
import { after, complete, diffInput, failed, incomplete, invite, listed, NOW, shortfall } from "../support/build.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";

function types({ events }: Diff): readonly EventType[] {
  return events.map((event) => event.type);
}

/** The data of the only event of that type. */
function dataOf<T extends EventType>({ events }: Diff, type: T): EventDataByType[T] {
  const found = events.filter((event) => event.type === type);
  assert.equal(found.length, 1, `one ${type} among ${events.map((event) => event.type).join(", ")}`);
  return found[0]?.data as EventDataByType[T];
}

/** The only invite that has to be written. */
function written({ invites }: Diff): Invite {
  assert.equal(invites.length, 1);
  return invites[0] as Invite;
}

/** What is known after the diff: written invites in place of those they replace. */
function then(before: readonly Invite[], { invites }: Diff): readonly Invite[] {
  return [...new Map([...before, ...invites].map((one) => [one.id, one])).values()];
}

function whereabouts(found: Whereabouts, id = "a"): DiffInput["whereabouts"] {
  return new Map([[id, found]]);
}

const absent = whereabouts({ kind: "absent", evidence: "GET /user/invites/a answered 404" });

describe("an unchanged list", () => {
  test("gives no event and nothing to write", () => {
    const result = diff(diffInput({ known: [invite()], snapshot: complete([listed()]) }));

    assert.deepEqual(result, { events: [], invites: [] });
  });

  test("gives nothing for answered invites either, listed or not", () => {
    const known = [
      invite({ id: "a", status: "accepted", apiStatus: "accepted" }),
      invite({ id: "b", status: "rejected", listed: false }),
    ];

    const result = diff(diffInput({ known, snapshot: complete([listed({ id: "a", apiStatus: "accepted" })]) }));

    assert.deepEqual(result, { events: [], invites: [] });
  });
});

describe("an invite not seen before", () => {
  test("is received, with all that is known of it, when the snapshot was taken", () => {
    const result = diff(diffInput({ snapshot: complete([listed()], after(-MINUTE)) }));

    assert.deepEqual(types(result), ["invite.received"]);
    assert.deepEqual(result.events[0]?.occurredAt, after(-MINUTE));
    const { invite: told, baseline, reinvited } = dataOf(result, "invite.received");
    assert.equal(told.id, "a");
    assert.equal(told.firstSeenAt, after(-MINUTE).toISOString());
    assert.deepEqual([baseline, reinvited], [false, false]);
  });

  test("from an organization that invited this user before is a re-invitation", () => {
    const result = diff(diffInput({ snapshot: complete([listed()]), invitedBefore: new Set(["org"]) }));

    assert.equal(dataOf(result, "invite.received").reinvited, true);
  });

  test("from an unnamed organization is never a re-invitation", () => {
    const result = diff(
      diffInput({ snapshot: complete([listed({ organizationId: null })]), invitedBefore: new Set(["org"]) }),
    );

    assert.equal(dataOf(result, "invite.received").reinvited, false);
  });

  test("is received from an incomplete list too", () => {
    const result = diff(diffInput({ snapshot: incomplete({ invites: [listed()] }) }));

    assert.deepEqual(types(result), ["invite.received"]);
  });

  test("that has crossed thresholds already tells of the most urgent one in the same sync", () => {
    const result = diff(diffInput({ snapshot: complete([listed({ expiresAt: after(5 * HOUR) })]) }));

    assert.deepEqual(types(result), ["invite.received", "invite.expiring"]);
    assert.deepEqual(dataOf(result, "invite.expiring"), {
      threshold: "6h",
      expiresAt: after(5 * HOUR).toISOString(),
      covers: ["72h", "24h"],
    });
    assert.equal(written(result).alertedLeadMs, 6 * HOUR);
  });

  test("whose end has passed is expired, not expiring", () => {
    const result = diff(diffInput({ snapshot: complete([listed({ expiresAt: after(-HOUR) })]) }));

    assert.deepEqual(types(result), ["invite.received", "invite.expired"]);
    assert.deepEqual(result.events[1]?.occurredAt, after(-HOUR));
    assert.equal(written(result).status, "expired");
  });

  test("that was answered long ago is received with its answer and nothing more", () => {
    const result = diff(diffInput({ snapshot: complete([listed({ apiStatus: "accepted", expiresAt: after(-DAY) })]) }));

    assert.deepEqual(types(result), ["invite.received"]);
    assert.equal(written(result).status, "accepted");
  });
});

describe("the first complete sync", () => {
  const first = { hasBaseline: false };

  test("is the baseline: it counts the invites and marks each as part of it", () => {
    const invites = [
      listed({ id: "a" }),
      listed({ id: "b", apiStatus: "rejected" }),
      listed({ id: "c", expiresAt: after(-DAY) }),
    ];

    const result = diff(diffInput({ ...first, snapshot: complete(invites) }));

    assert.deepEqual(types(result), [
      "watch.baseline",
      "invite.received",
      "invite.received",
      "invite.received",
      "invite.expired",
    ]);
    assert.deepEqual(dataOf(result, "watch.baseline"), { invites: 3, pending: 1 });
    const flags = result.events.flatMap((event) => (event.type === "invite.received" ? [event.data.baseline] : []));
    assert.deepEqual(flags, [true, true, true]);
  });

  test("is the baseline also where there is no invite", () => {
    const result = diff(diffInput({ ...first, snapshot: complete([]) }));

    assert.deepEqual(types(result), ["watch.baseline"]);
    assert.deepEqual(dataOf(result, "watch.baseline"), { invites: 0, pending: 0 });
  });

  test("records alerts that are due, so that they never come again", () => {
    const soon = listed({ expiresAt: after(5 * HOUR) });
    const result = diff(diffInput({ ...first, snapshot: complete([soon]) }));

    const next = diff(
      diffInput({ known: result.invites, snapshot: complete([soon], after(15 * MINUTE)), now: after(15 * MINUTE) }),
    );

    assert.deepEqual(types(result), ["watch.baseline", "invite.received", "invite.expiring"]);
    assert.deepEqual(next.events, []);
  });

  test("is none when it is incomplete: the invites are new ones", () => {
    const result = diff(diffInput({ ...first, snapshot: incomplete({ invites: [listed()] }) }));

    assert.deepEqual(types(result), ["invite.received"]);
    assert.equal(dataOf(result, "invite.received").baseline, false);
  });

  test("after an incomplete one marks only what is new in it", () => {
    const known = [invite({ id: "a" })];

    const result = diff(diffInput({ ...first, known, snapshot: complete([listed({ id: "a" }), listed({ id: "b" })]) }));

    assert.deepEqual(types(result), ["watch.baseline", "invite.received"]);
    assert.equal(result.events[1]?.inviteId, "b");
    assert.equal(dataOf(result, "invite.received").baseline, true);
  });

  test("is none when it failed", () => {
    assert.deepEqual(diff(diffInput({ ...first, snapshot: failed() })), { events: [], invites: [] });
  });
});

describe("a changed status", () => {
  for (const apiStatus of ["accepted", "rejected", "expired"]) {
    test(`in the list is believed: ${apiStatus}`, () => {
      const result = diff(diffInput({ known: [invite()], snapshot: complete([listed({ apiStatus })]) }));

      assert.deepEqual(types(result), ["invite.status_changed"]);
      assert.deepEqual(dataOf(result, "invite.status_changed"), { from: "pending", to: apiStatus, source: "list" });
      assert.equal(written(result).status, apiStatus);
    });
  }

  test("is believed from an incomplete list too", () => {
    const result = diff(
      diffInput({ known: [invite()], snapshot: incomplete({ invites: [listed({ apiStatus: "accepted" })] }) }),
    );

    assert.deepEqual(types(result), ["invite.status_changed"]);
  });

  test("may lead back to pending", () => {
    const known = [invite({ apiStatus: "rejected" })];

    const result = diff(diffInput({ known, snapshot: complete([listed()]) }));

    assert.deepEqual(dataOf(result, "invite.status_changed"), { from: "rejected", to: "pending", source: "list" });
  });

  test("to nothing at all changes nothing", () => {
    const known = [invite({ apiStatus: "accepted" })];

    const result = diff(diffInput({ known, snapshot: complete([listed({ apiStatus: null })]) }));

    assert.deepEqual(result.events, []);
    assert.equal(written(result).status, "accepted");
  });

  test("is the API's own word where we do not know it, told once as unrecognised", () => {
    const held = listed({ apiStatus: "on_hold", oddities: ['status is none that we know: "on_hold"'] });

    const result = diff(diffInput({ known: [invite()], snapshot: complete([held]) }));
    const again = diff(diffInput({ known: result.invites, snapshot: complete([held]) }));

    assert.deepEqual(types(result), ["invite.status_changed", "invite.unrecognised"]);
    assert.equal(dataOf(result, "invite.status_changed").to, "on_hold");
    assert.deepEqual(dataOf(result, "invite.unrecognised"), {
      reason: 'status is none that we know: "on_hold"',
      raw: { status: "on_hold" },
    });
    assert.deepEqual(again.events, []);
  });

  test("in capitals is the same status", () => {
    assert.deepEqual(["PENDING", "Accepted", "On Hold", null].map(statusOf), ["pending", "accepted", "On Hold", null]);
  });
});

describe("what we could not read", () => {
  const odd = { oddities: ['expires_on is not a date: "soon"'], extra: { expires_on: "soon" }, expiresAt: null };

  test("is told with what the API said", () => {
    const result = diff(diffInput({ snapshot: complete([listed(odd)]) }));

    assert.deepEqual(types(result), ["invite.received", "invite.unrecognised"]);
    assert.deepEqual(dataOf(result, "invite.unrecognised"), {
      reason: 'expires_on is not a date: "soon"',
      raw: { status: "pending", expires_on: "soon" },
    });
  });

  test("is told once, also when something else changes", () => {
    const known = [invite(odd)];

    const result = diff(diffInput({ known, snapshot: complete([listed({ ...odd, organizationName: "Renamed" })]) }));

    assert.deepEqual(types(result), ["invite.changed"]);
  });

  test("is told again where it is something new, and only that", () => {
    const more = { ...odd, oddities: [...odd.oddities, "roles is not a list: 7"], extra: { ...odd.extra, roles: 7 } };

    const result = diff(diffInput({ known: [invite(odd)], snapshot: complete([listed(more)]) }));

    assert.equal(dataOf(result, "invite.unrecognised").reason, "roles is not a list: 7");
  });
});

describe("changed fields", () => {
  test("are one event that names each with its old and new value", () => {
    const now = listed({ organizationName: "Acme Corp", organizationEnforcesTwoFactor: true, roles: ["DNS"] });

    const result = diff(diffInput({ known: [invite()], snapshot: complete([now]) }));

    assert.deepEqual(types(result), ["invite.changed"]);
    assert.deepEqual(dataOf(result, "invite.changed").changes, {
      organizationName: { from: "Acme", to: "Acme Corp" },
      organizationEnforcesTwoFactor: { from: false, to: true },
      roles: { from: ["Administrator"], to: ["DNS"] },
    });
    assert.deepEqual(written(result).lastChangedAt, NOW);
  });

  test("that became unknown are null", () => {
    const result = diff(diffInput({ known: [invite()], snapshot: complete([listed({ expiresAt: null })]) }));

    assert.deepEqual(dataOf(result, "invite.changed").changes, {
      expiresAt: { from: after(10 * DAY).toISOString(), to: null },
    });
  });

  test("come before the status that changed with them", () => {
    const now = listed({ organizationName: "Acme Corp", apiStatus: "accepted" });

    const result = diff(diffInput({ known: [invite()], snapshot: complete([now]) }));

    assert.deepEqual(types(result), ["invite.changed", "invite.status_changed"]);
  });

  test("are none where roles come in another order", () => {
    const known = [invite({ roles: ["DNS", "Billing"] })];

    const result = diff(diffInput({ known, snapshot: complete([listed({ roles: ["Billing", "DNS"] })]) }));

    assert.deepEqual(result.events, []);
    assert.deepEqual(written(result).lastChangedAt, invite().lastChangedAt);
  });

  test("are none where a field that we do not know appears, yet it is kept", () => {
    const result = diff(diffInput({ known: [invite()], snapshot: complete([listed({ extra: { seats: 3 } })]) }));

    assert.deepEqual(result.events, []);
    assert.deepEqual(written(result).extra, { seats: 3 });
  });
});

describe("the clock", () => {
  const soon = { expiresAt: after(5 * HOUR) };

  for (const [name, snapshot] of [
    ["a complete list", complete([listed(soon)])],
    ["an incomplete list without the invite", incomplete()],
    ["no list at all", failed()],
  ] as const) {
    test(`alerts with ${name}`, () => {
      const result = diff(diffInput({ known: [invite(soon)], snapshot }));

      assert.deepEqual(types(result), ["invite.expiring"]);
      assert.deepEqual(result.events[0]?.occurredAt, after(-HOUR));
    });

    test(`expires a pending invite with ${name}`, () => {
      const result = diff(diffInput({ known: [invite(soon)], snapshot, now: after(6 * HOUR) }));

      assert.deepEqual(types(result), ["invite.expired"]);
      assert.deepEqual(result.events[0]?.occurredAt, after(5 * HOUR));
      assert.equal(written(result).status, "expired");
      assert.deepEqual(written(result).lastChangedAt, after(5 * HOUR));
    });
  }

  test("says nothing of an invite that was answered", () => {
    const known = [invite({ ...soon, apiStatus: "accepted" })];

    assert.deepEqual(diff(diffInput({ known, snapshot: failed(), now: after(6 * HOUR) })).events, []);
  });

  test("expires once, and the API saying so later adds nothing", () => {
    const expired = diff(
      diffInput({ known: [invite(soon)], snapshot: complete([listed(soon)]), now: after(6 * HOUR) }),
    );

    const later = diff(
      diffInput({
        known: expired.invites,
        snapshot: complete([listed({ ...soon, apiStatus: "expired" })]),
        now: after(7 * HOUR),
      }),
    );

    assert.deepEqual(later.events, []);
    assert.equal(written(later).apiStatus, "expired");
  });

  test("is not doubted while the API goes on saying pending, whatever else it changes", () => {
    const known = [invite({ ...soon, status: "expired" })];
    const renamed = listed({ ...soon, organizationName: "Renamed" });

    const result = diff(diffInput({ known, snapshot: complete([renamed], after(6 * HOUR)), now: after(6 * HOUR) }));

    assert.deepEqual(types(result), ["invite.changed"]);
    assert.equal(written(result).status, "expired");
  });

  test("speaks first where the API says expired at the first sync after the end", () => {
    const snapshot = complete([listed({ ...soon, apiStatus: "expired" })], after(6 * HOUR));

    const result = diff(diffInput({ known: [invite(soon)], snapshot, now: after(6 * HOUR) }));

    assert.deepEqual(types(result), ["invite.expired"]);
  });

  test("is overruled where the invite was accepted after all", () => {
    const known = [invite({ ...soon, status: "expired" })];
    const snapshot = complete([listed({ ...soon, apiStatus: "accepted" })], after(6 * HOUR));

    const result = diff(diffInput({ known, snapshot, now: after(6 * HOUR) }));

    assert.deepEqual(dataOf(result, "invite.status_changed"), { from: "expired", to: "accepted", source: "list" });
  });
});

describe("an end that moved", () => {
  test("to a later instant re-arms every threshold", () => {
    const known = [invite({ expiresAt: after(5 * HOUR), alertedLeadMs: 6 * HOUR })];
    const moved = listed({ expiresAt: after(5 * DAY) });

    const result = diff(diffInput({ known, snapshot: complete([moved]) }));
    const nearer = diff(
      diffInput({ known: result.invites, snapshot: complete([moved]), now: after(4 * DAY + 20 * HOUR) }),
    );

    assert.deepEqual(types(result), ["invite.changed"]);
    assert.equal(written(result).alertedLeadMs, null);
    assert.deepEqual(dataOf(nearer, "invite.expiring").covers, ["72h", "25%", "24h"]);
    assert.equal(dataOf(nearer, "invite.expiring").threshold, "6h");
  });

  test("to a later instant that is still near alerts at once", () => {
    const known = [invite({ expiresAt: after(HOUR / 2), alertedLeadMs: HOUR })];

    const result = diff(diffInput({ known, snapshot: complete([listed({ expiresAt: after(20 * HOUR) })]) }));

    assert.deepEqual(types(result), ["invite.changed", "invite.expiring"]);
    assert.equal(dataOf(result, "invite.expiring").threshold, "24h");
  });

  test("to an earlier one alerts only of what is more urgent than before", () => {
    const known = [invite({ expiresAt: after(20 * HOUR), alertedLeadMs: 24 * HOUR })];

    const sooner = diff(diffInput({ known, snapshot: complete([listed({ expiresAt: after(10 * HOUR) })]) }));
    const urgent = diff(diffInput({ known, snapshot: complete([listed({ expiresAt: after(5 * HOUR) })]) }));

    assert.deepEqual(types(sooner), ["invite.changed"]);
    assert.deepEqual(types(urgent), ["invite.changed", "invite.expiring"]);
  });

  test("into the future makes an expired invite pending again", () => {
    const known = [invite({ expiresAt: after(-HOUR), status: "expired", alertedLeadMs: HOUR })];

    const result = diff(diffInput({ known, snapshot: complete([listed({ expiresAt: after(20 * DAY) })]) }));

    assert.deepEqual(types(result), ["invite.changed", "invite.status_changed"]);
    assert.deepEqual(dataOf(result, "invite.status_changed"), { from: "expired", to: "pending", source: "list" });
    assert.equal(written(result).alertedLeadMs, null);
  });

  test("into the future revives it also where the API no longer says a status", () => {
    const known = [invite({ expiresAt: after(-HOUR), status: "expired", apiStatus: null })];

    const result = diff(
      diffInput({ known, snapshot: complete([listed({ expiresAt: after(20 * DAY), apiStatus: null })]) }),
    );

    assert.equal(dataOf(result, "invite.status_changed").to, "pending");
  });

  test("into the past expires the invite", () => {
    const result = diff(diffInput({ known: [invite()], snapshot: complete([listed({ expiresAt: after(-HOUR) })]) }));

    assert.deepEqual(types(result), ["invite.changed", "invite.expired"]);
  });

  test("from unknown to known arms the thresholds", () => {
    const known = [invite({ expiresAt: null, alertedLeadMs: 6 * HOUR })];

    const result = diff(diffInput({ known, snapshot: complete([listed({ expiresAt: after(5 * HOUR) })]) }));

    assert.deepEqual(types(result), ["invite.changed", "invite.expiring"]);
  });
});

describe("a pending invite that a complete list lacks", () => {
  test("is believed to be what its own page says", () => {
    const found = whereabouts({ kind: "found", invite: listed({ apiStatus: "rejected" }) });

    const result = diff(diffInput({ known: [invite()], whereabouts: found }));

    assert.deepEqual(dataOf(result, "invite.status_changed"), { from: "pending", to: "rejected", source: "detail" });
    assert.equal(written(result).listed, false);
  });

  test("stays pending, unlisted, where its own page says so", () => {
    const found = whereabouts({ kind: "found", invite: listed() });

    const result = diff(diffInput({ known: [invite()], whereabouts: found }));
    const again = diff(diffInput({ known: result.invites, whereabouts: found }));

    assert.deepEqual(result.events, []);
    assert.equal(written(result).listed, false);
    assert.deepEqual(again, { events: [], invites: [] });
  });

  test("is accepted where the memberships have its organization", () => {
    const result = diff(
      diffInput({ known: [invite()], whereabouts: whereabouts({ kind: "accepted", evidence: "member" }) }),
    );

    assert.deepEqual(dataOf(result, "invite.status_changed"), {
      from: "pending",
      to: "accepted",
      source: "memberships",
    });
  });

  test("stays open where nobody could say", () => {
    const unknown = whereabouts({ kind: "unknown", shortfall: shortfall() });

    const once = diff(diffInput({ known: [invite()], whereabouts: unknown }));
    const twice = diff(diffInput({ known: once.invites, whereabouts: unknown, snapshot: complete([], after(HOUR)) }));

    assert.deepEqual(once.events, []);
    assert.equal(written(once).status, "pending");
    assert.equal(written(once).missingSince, null);
    assert.deepEqual(twice, { events: [], invites: [] });
  });

  test("that was never asked for stays open", () => {
    assert.deepEqual(diff(diffInput({ known: [invite()] })).events, []);
  });

  test("still alerts of its end", () => {
    const known = [invite({ expiresAt: after(5 * HOUR) })];

    const result = diff(diffInput({ known, whereabouts: absent }));

    assert.deepEqual(types(result), ["invite.expiring"]);
  });

  test("is expired, not withdrawn, once its end has passed", () => {
    const known = [invite({ expiresAt: after(-HOUR), missingSince: after(-2 * HOUR), listed: false })];

    const first = diff(diffInput({ known: [invite({ expiresAt: after(-HOUR) })], whereabouts: absent }));

    assert.deepEqual(types(first), ["invite.expired"]);
    assert.deepEqual(types(diff(diffInput({ known, whereabouts: new Map() }))), ["invite.expired"]);
  });
});

describe("an invite that the API itself does not know any more", () => {
  const once = diff(diffInput({ known: [invite()], whereabouts: absent }));

  test("is not withdrawn at the first complete list without it", () => {
    assert.deepEqual(once.events, []);
    assert.deepEqual(written(once).missingSince, NOW);
    assert.equal(written(once).status, "pending");
  });

  test("is withdrawn at the second, with the evidence", () => {
    const result = diff(diffInput({ known: once.invites, snapshot: complete([], after(HOUR)), whereabouts: absent }));

    assert.deepEqual(types(result), ["invite.withdrawn"]);
    const { evidence } = dataOf(result, "invite.withdrawn");
    assert.equal(evidence, `GET /user/invites/a answered 404; not listed since ${NOW.toISOString()}`);
    assert.equal(written(result).status, "withdrawn");
  });

  test("is not withdrawn by the same snapshot told twice", () => {
    const result = diff(diffInput({ known: once.invites, snapshot: complete([], NOW), whereabouts: absent }));

    assert.deepEqual(result, { events: [], invites: [] });
  });

  test("is not withdrawn by incomplete lists, however many", () => {
    const result = diff(
      diffInput({ known: once.invites, snapshot: incomplete({ takenAt: after(HOUR) }), whereabouts: absent }),
    );

    assert.deepEqual(result, { events: [], invites: [] });
  });

  test("is not withdrawn where the second answer is no answer", () => {
    const unknown = whereabouts({ kind: "unknown", shortfall: shortfall() });

    const result = diff(diffInput({ known: once.invites, snapshot: complete([], after(HOUR)), whereabouts: unknown }));

    assert.deepEqual(result.events, []);
  });

  test("starts anew when it was listed in between", () => {
    const back = diff(diffInput({ known: once.invites, snapshot: complete([listed()], after(HOUR)) }));
    const gone = diff(diffInput({ known: back.invites, snapshot: complete([], after(2 * HOUR)), whereabouts: absent }));

    assert.deepEqual(back.events, []);
    assert.deepEqual(gone.events, []);
    assert.deepEqual(written(gone).missingSince, after(2 * HOUR));
  });

  test("starts anew when its own page was there in between", () => {
    const found = whereabouts({ kind: "found", invite: listed() });
    const back = diff(diffInput({ known: once.invites, snapshot: complete([], after(HOUR)), whereabouts: found }));
    const gone = diff(diffInput({ known: back.invites, snapshot: complete([], after(2 * HOUR)), whereabouts: absent }));

    assert.deepEqual([...back.events, ...gone.events], []);
    assert.deepEqual(written(gone).missingSince, after(2 * HOUR));
  });

  test("is told once, however long it stays away", () => {
    const withdrawn = [invite({ status: "withdrawn", listed: false, missingSince: after(-HOUR) })];

    assert.deepEqual(diff(diffInput({ known: withdrawn, whereabouts: absent })), { events: [], invites: [] });
  });
});

describe("a withdrawn invite that is listed again", () => {
  const withdrawn = invite({ status: "withdrawn", listed: false, missingSince: after(-HOUR), alertedLeadMs: 6 * HOUR });

  test("has returned, with its thresholds armed", () => {
    const result = diff(diffInput({ known: [withdrawn], snapshot: complete([listed()]) }));

    assert.deepEqual(types(result), ["invite.returned"]);
    assert.equal(dataOf(result, "invite.returned").invite.status, "pending");
    const { status, missingSince, alertedLeadMs } = written(result);
    assert.deepEqual(
      { status, missingSince, alertedLeadMs },
      { status: "pending", missingSince: null, alertedLeadMs: null },
    );
  });

  test("has returned also in an incomplete list", () => {
    assert.deepEqual(types(diff(diffInput({ known: [withdrawn], snapshot: incomplete({ invites: [listed()] }) }))), [
      "invite.returned",
    ]);
  });

  test("alerts of an end that is near", () => {
    const result = diff(
      diffInput({ known: [withdrawn], snapshot: complete([listed({ expiresAt: after(5 * HOUR) })]) }),
    );

    assert.deepEqual(types(result), ["invite.returned", "invite.expiring"]);
  });
});

test("an answered invite that stops being listed changes nothing for people", () => {
  const known = [invite({ apiStatus: "accepted" })];

  const result = diff(diffInput({ known, whereabouts: absent }));

  assert.deepEqual(result.events, []);
  assert.equal(written(result).listed, false);
  assert.deepEqual(diff(diffInput({ known: then(known, result) })), { events: [], invites: [] });
});

test("a failed page never makes an invite disappear", () => {
  const known = [invite({ id: "a" }), invite({ id: "b" })];

  const result = diff(
    diffInput({ known, snapshot: incomplete({ invites: [listed({ id: "b" })], reason: "page 2: HTTP 502" }) }),
  );

  assert.deepEqual(result, { events: [], invites: [] });
});

describe("the calendar entry of an invite", () => {
  const sequenceOf = (before: Partial<Invite>, now: Partial<Invite>) => {
    const known = invite({ calendarSequence: 4, ...before });
    const { invites } = diff(diffInput({ known: [known], snapshot: complete([listed(now)]) }));
    return invites[0]?.calendarSequence ?? known.calendarSequence;
  };

  for (const [words, before, now, expected] of [
    ["begins at 4 and stays so where nothing changed", {}, {}, 4],
    ["counts on where its end moved later", {}, { expiresAt: after(20 * DAY) }, 5],
    ["counts on where its end moved to an earlier one", {}, { expiresAt: after(9 * DAY) }, 5],
    ["counts on where its end is stated no longer", {}, { expiresAt: null }, 5],
    ["counts on at the outcome", {}, { apiStatus: "accepted" }, 5],
    ["counts on once where end and status changed", {}, { apiStatus: "rejected", expiresAt: after(9 * DAY) }, 5],
    ["stays where only the roles changed", {}, { roles: ["DNS"] }, 4],
    ["stays where a reminder is due", { expiresAt: after(5 * HOUR) }, { expiresAt: after(5 * HOUR) }, 4],
    ["counts on where the clock passed the end", { expiresAt: after(-1) }, { expiresAt: after(-1) }, 5],
    ["counts on where it returned", { status: "withdrawn", listed: false }, {}, 5],
  ] as const) {
    test(words, () => {
      assert.equal(sequenceOf(before, now), expected);
    });
  }

  test("begins at 0, whatever is already over when the invite is first seen", () => {
    const over = listed({ expiresAt: after(-HOUR) });

    assert.equal(written(diff(diffInput({ snapshot: complete([over]) }))).calendarSequence, 0);
  });
});

describe("that somebody took care of an invite", () => {
  const known = invite({ acknowledgedAt: after(-HOUR) });

  test("is kept while it changes, also where its end moves later", () => {
    const moved = listed({ expiresAt: after(20 * DAY), roles: ["DNS"] });

    assert.deepEqual(
      written(diff(diffInput({ known: [known], snapshot: complete([moved]) }))).acknowledgedAt,
      after(-HOUR),
    );
  });

  test("is forgotten where it returns after it was withdrawn", () => {
    const withdrawn = { ...known, status: "withdrawn", listed: false, missingSince: after(-HOUR) };

    const result = diff(diffInput({ known: [withdrawn], snapshot: complete([listed()]) }));

    assert.equal(written(result).acknowledgedAt, null);
  });

  test("does not keep the reminder from being recorded", () => {
    const soon = { ...known, ...listed({ expiresAt: after(5 * HOUR) }) };

    const result = diff(diffInput({ known: [soon], snapshot: complete([soon]) }));

    assert.deepEqual(types(result), ["invite.expiring"]);
  });
});
