import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, type TestContext, test } from "node:test";
import type { Recording } from "../../src/app/store.ts";
import { rehearseSync } from "../../src/app/sync.ts";
import { badGateway } from "../../src/demo/cloudflare-answers.ts";
import { membershipOf } from "../../src/demo/sample-invite.ts";
import type { EventDataByType, EventType } from "../../src/domain/event.ts";
import { type OpenedDatabase, openTestDatabase } from "../support/database.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";
import { audienceOf, type Lab, type LabOptions, openLab } from "../support/lab.ts";
import { startOpenApiMock } from "../support/openapi-mock.ts";

let database: OpenedDatabase;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

async function open(t: TestContext, options: LabOptions = {}): Promise<Lab> {
  const lab = await openLab({ database, ...options });
  t.after(lab.close);
  return lab;
}

/** The next sync of the schedule. */
async function next(lab: Lab, ms = 15 * MINUTE): Promise<Recording> {
  lab.pass(ms);
  return lab.sync();
}

function types({ events }: Recording): readonly EventType[] {
  return events.map((event) => event.type);
}

function dataOf<T extends EventType>({ events }: Recording, type: T): EventDataByType[T] | undefined {
  return events.find((event) => event.type === type)?.data as EventDataByType[T] | undefined;
}

describe("the first sync", () => {
  test("records the baseline and owes each recipient one inventory mail", async (t) => {
    const lab = await open(t, { plan: { audience: audienceOf("ops@example.com", "lead@example.com") } });
    lab.invite();
    lab.invite({ expires_on: lab.inMs(5 * HOUR) });

    const recording = await lab.sync();

    assert.equal(recording.sync.outcome, "complete");
    assert.deepEqual(types(recording).toSorted(), [
      "invite.expiring",
      "invite.received",
      "invite.received",
      "watch.baseline",
    ]);
    const owed = recording.notifications.map(({ recipient, kind, eventSeqs }) => [recipient, kind, eventSeqs]);
    assert.deepEqual(owed, [
      ["ops@example.com", "inventory", [1, 2, 3, 4]],
      ["lead@example.com", "inventory", [1, 2, 3, 4]],
    ]);
    assert.equal(await lab.brokenChain(), null);
  });

  test("that is incomplete tells of new invites, and the baseline comes later", async (t) => {
    const lab = await open(t);
    for (let nth = 0; nth < 51; nth += 1) lab.invite();
    lab.api.fail({ kind: "answer", answer: badGateway, match: "page=2" });
    const partial = await lab.sync();
    lab.api.clearFailures();

    const whole = await next(lab);

    assert.equal(partial.sync.outcome, "incomplete");
    assert.deepEqual([...new Set(types(partial))], ["invite.received"]);
    assert.equal(partial.notifications[0]?.kind, "invite.received");
    assert.deepEqual(types(whole), ["watch.baseline", "invite.received"]);
    assert.equal(dataOf(whole, "invite.received")?.baseline, true);
    assert.equal(whole.notifications[0]?.kind, "inventory");
  });

  test("that fails is recorded, with the reason in the API's terms", async (t) => {
    const lab = await open(t);
    lab.api.fail({ kind: "answer", answer: badGateway });

    const { sync, events } = await lab.sync();

    assert.deepEqual([sync.outcome, sync.cause, sync.httpStatus, sync.listed], ["failed", "server", 502, 0]);
    assert.match(sync.reason ?? "", /HTTP 502/);
    assert.match(sync.cfRay ?? "", /-FRA$/);
    assert.deepEqual(events, []);
    assert.equal(await database.prisma.sync.count({ where: { watchName: lab.plan.watch } }), 1);
  });
});

describe("a later sync", () => {
  test("tells of a new invite, and that its organization invited this user before", async (t) => {
    const lab = await open(t);
    const { organization_id, organization_name } = lab.invite();
    await lab.sync();
    lab.invite({ organization_id, organization_name });
    lab.invite();

    const recording = await next(lab);

    const flags = recording.events.map((event) => event.type === "invite.received" && event.data.reinvited);
    assert.deepEqual(flags.toSorted(), [false, true]);
  });

  test("knows nothing of the invites of another watch", async (t) => {
    const [one, other] = [await open(t), await open(t)];
    const { organization_id, organization_name } = one.invite();
    await one.sync();
    await other.sync();
    other.invite({ organization_id, organization_name });

    const recording = await next(other);

    assert.equal(dataOf(recording, "invite.received")?.reinvited, false);
    assert.deepEqual(
      recording.events.map((event) => event.seq),
      [2],
    );
  });

  test("tells of a moved end, and alerts anew before it", async (t) => {
    const lab = await open(t);
    const invite = lab.invite({ expires_on: lab.inMs(5 * HOUR) });
    await lab.sync();
    lab.api.invites.update(invite.id, { expires_on: lab.inMs(2 * DAY) });

    const moved = await next(lab);
    const nearer = await next(lab, 1.25 * DAY);

    assert.deepEqual(types(moved), ["invite.changed", "invite.expiring"]);
    assert.equal(dataOf(moved, "invite.expiring")?.threshold, "72h");
    assert.equal(dataOf(nearer, "invite.expiring")?.threshold, "24h");
  });

  test("says how the invite was answered", async (t) => {
    const lab = await open(t);
    const invite = lab.invite();
    await lab.sync();
    lab.api.invites.accept(invite.id);

    const recording = await next(lab);

    assert.deepEqual(types(recording), ["invite.changed", "invite.status_changed"]);
    assert.deepEqual(dataOf(recording, "invite.status_changed"), { from: "pending", to: "accepted", source: "list" });
  });

  test("alerts once for each threshold, and tells of the end once", async (t) => {
    const lab = await open(t);
    lab.invite({ invited_on: lab.inMs(-20 * HOUR), expires_on: lab.inMs(80 * HOUR) });
    await lab.sync();

    const told: string[] = [];
    for (let hour = 0; hour < 82; hour += 1) {
      const { events } = await next(lab, HOUR);
      told.push(...events.map((event) => (event.type === "invite.expiring" ? event.data.threshold : event.type)));
    }

    assert.deepEqual(told, ["72h", "25%", "24h", "6h", "last-chance", "invite.expired"]);
    assert.equal(await lab.brokenChain(), null);
  });
});

describe("an invite that is no longer listed", () => {
  test("is what its own page says", async (t) => {
    const lab = await open(t);
    const invite = lab.invite();
    await lab.sync();
    lab.api.invites.update(invite.id, { status: "rejected" });
    lab.api.invites.unlist(invite.id);

    const recording = await next(lab);

    assert.deepEqual(dataOf(recording, "invite.status_changed"), { from: "pending", to: "rejected", source: "detail" });
  });

  test("was accepted where the memberships have its organization", async (t) => {
    const lab = await open(t);
    const invite = lab.invite();
    await lab.sync();
    lab.api.invites.remove(invite.id);
    lab.api.memberships.put(membershipOf(invite));

    const recording = await next(lab);

    const expected = { from: "pending", to: "accepted", source: "memberships" };
    assert.deepEqual(dataOf(recording, "invite.status_changed"), expected);
  });

  test("is withdrawn at the second complete sync, and returned when it is listed again", async (t) => {
    const lab = await open(t);
    const invite = lab.invite();
    await lab.sync();
    lab.api.invites.remove(invite.id);

    const first = await next(lab);
    const second = await next(lab);
    const third = await next(lab);
    lab.api.invites.put(invite);
    const fourth = await next(lab);

    assert.deepEqual([first, second, third, fourth].map(types), [[], ["invite.withdrawn"], [], ["invite.returned"]]);
    assert.match(
      dataOf(second, "invite.withdrawn")?.evidence ?? "",
      /answered 404 .*; not among 0 accepted memberships/,
    );
    assert.equal(await lab.brokenChain(), null);
  });

  test("is not withdrawn by a second sync that failed or broke off", async (t) => {
    const lab = await open(t);
    const invites = Array.from({ length: 60 }, () => lab.invite());
    await lab.sync();
    lab.api.invites.remove(invites[0]?.id ?? "");
    await next(lab);

    lab.api.fail({ kind: "drop", times: 4 });
    const failed = await next(lab);
    lab.api.fail({ kind: "answer", answer: badGateway, match: "page=2", times: 4 });
    const broken = await next(lab);
    const complete = await next(lab);

    assert.deepEqual(
      [failed, broken, complete].map((one) => one.sync.outcome),
      ["failed", "incomplete", "complete"],
    );
    assert.deepEqual([failed, broken, complete].map(types), [[], [], ["invite.withdrawn"]]);
  });

  test("stays open while its own page fails, and the sync is complete and says so", async (t) => {
    const lab = await open(t);
    const invite = lab.invite();
    await lab.sync();
    lab.api.invites.remove(invite.id);
    lab.api.fail({ kind: "answer", answer: badGateway, match: "/user/invites/" });

    const polls = [await next(lab), await next(lab), await next(lab)];

    for (const { sync, events } of polls) {
      assert.equal(sync.outcome, "complete");
      assert.match(
        sync.reason ?? "",
        /^1 invite is no longer listed and could not be asked for, so it stays open: .*HTTP 502/,
      );
      assert.deepEqual(events, []);
    }
    assert.equal((await lab.known()).get(invite.id)?.status, "pending");
  });

  test("stays open while the memberships fail", async (t) => {
    const lab = await open(t);
    lab.api.invites.remove(lab.invite().id);
    const invite = lab.invite();
    await lab.sync();
    lab.api.invites.remove(invite.id);
    lab.api.fail({ kind: "answer", answer: badGateway, match: "/memberships" });

    const polls = [await next(lab), await next(lab)];

    assert.deepEqual(polls.map(types), [[], []]);
    assert.match(polls[1]?.sync.reason ?? "", /GET \/memberships/);
  });
});

describe("a list that breaks off", () => {
  test("gives what its pages held, and takes nothing away", async (t) => {
    const lab = await open(t);
    const invites = Array.from({ length: 60 }, () => lab.invite());
    await lab.sync();
    const newcomer = lab.invite();
    // The newcomer moves to the first page, and those that stand behind it are not read.
    lab.api.invites.replaceAll([newcomer, ...invites]);
    lab.api.fail({ kind: "answer", answer: badGateway, match: "page=2" });

    const { sync, events } = await next(lab);

    assert.deepEqual([sync.outcome, sync.listed, sync.totalCount, sync.pages], ["incomplete", 50, 61, 1]);
    assert.match(sync.reason ?? "", /^page 2: HTTP 502/);
    assert.deepEqual(
      events.map((event) => [event.type, event.inviteId]),
      [["invite.received", newcomer.id]],
    );
    assert.ok([...(await lab.known()).values()].every((invite) => invite.status === "pending" && invite.listed));
  });
});

describe("while the API is down", () => {
  test("the clock still alerts, and still tells of the end", async (t) => {
    const lab = await open(t);
    lab.invite({ expires_on: lab.inMs(30 * HOUR) });
    await lab.sync();
    lab.api.fail({ kind: "answer", answer: badGateway });

    const polls = [await next(lab, 7 * HOUR), await next(lab, 18 * HOUR), await next(lab, 5 * HOUR)];

    assert.deepEqual(polls.map(types), [["invite.expiring"], ["invite.expiring", "watch.blind"], ["invite.expired"]]);
    assert.deepEqual(
      polls.map(({ sync }) => sync.outcome),
      ["failed", "failed", "failed"],
    );
    assert.deepEqual(
      polls.map(({ notifications }) => notifications.length),
      [1, 1, 1],
    );
  });

  test("nothing is ever told gone, for however long", async (t) => {
    const lab = await open(t);
    lab.invite({ expires_on: lab.inMs(60 * DAY) });
    await lab.sync();
    lab.api.fail({ kind: "drop" });

    for (let day = 0; day < 5; day += 1) await next(lab, DAY);

    assert.deepEqual(
      (await lab.history()).map((event) => event.type),
      ["watch.baseline", "invite.received", "watch.blind"],
    );
  });

  test("a poll that hangs ends at the deadline and is recorded", async (t) => {
    const lab = await open(t, { plan: { deadlineMs: 100 } });
    lab.invite();
    lab.api.fail({ kind: "stall" });

    const { sync } = await lab.sync();

    assert.deepEqual([sync.outcome, sync.cause], ["failed", "deadline"]);
  });
});

test("the documentation's own example, from a mock made of the OpenAPI file, is incomplete and loses nothing", async (t) => {
  const file = new URL("../fixtures/openapi/openapi-invites.json", import.meta.url);
  const mock = await startOpenApiMock(JSON.parse(await readFile(file, "utf8")));
  t.after(mock.close);
  const lab = await open(t, { baseUrl: mock.url });

  const polls = [await lab.sync(), await next(lab), await next(lab)];

  for (const { sync } of polls) {
    assert.deepEqual([sync.outcome, sync.listed, sync.totalCount], ["incomplete", 1, 2000]);
    assert.match(sync.reason ?? "", /1 listed, but total_count is 2000/);
  }
  const history = await lab.history();
  assert.deepEqual(history.filter((event) => event.type === "invite.received").length, 1);
  assert.deepEqual(
    history.filter((event) => event.type === "invite.withdrawn"),
    [],
  );
  assert.equal((await lab.known()).size, 1);
});

describe("a sync that is stopped", () => {
  const stopped = new Error("the program ends");

  test("before it began records nothing", async (t) => {
    const lab = await open(t);
    lab.invite();

    await assert.rejects(lab.sync(AbortSignal.abort(stopped)), stopped);

    assert.equal(await database.prisma.sync.count({ where: { watchName: lab.plan.watch } }), 0);
  });

  test("in the middle of its poll records nothing", async (t) => {
    const lab = await open(t);
    const stop = new AbortController();
    lab.invite();
    lab.api.fail({ kind: "custom", respond: () => stop.abort(stopped) });

    await assert.rejects(lab.sync(stop.signal), stopped);

    assert.equal(await database.prisma.sync.count({ where: { watchName: lab.plan.watch } }), 0);
    assert.deepEqual(await lab.history(), []);
  });

  test("in the middle of asking for a vanished invite records nothing", async (t) => {
    const lab = await open(t);
    const stop = new AbortController();
    const invite = lab.invite();
    await lab.sync();
    lab.api.invites.remove(invite.id);
    lab.api.fail({ kind: "custom", respond: () => stop.abort(stopped), match: "/user/invites/" });

    await assert.rejects(lab.sync(stop.signal), stopped);

    assert.equal(await database.prisma.sync.count({ where: { watchName: lab.plan.watch } }), 1);
  });
});

describe("a rehearsal", () => {
  test("finds what the sync would record, and changes nothing", async (t) => {
    const lab = await open(t);
    const invite = lab.invite();
    await lab.sync();
    lab.pass(15 * MINUTE);
    lab.invite({ expires_on: lab.inMs(5 * HOUR) });
    lab.api.invites.update(invite.id, { roles: ["Billing"] });
    const before = await database.rowVersions();

    const rehearsed = await rehearseSync(lab.plan, lab.ports, new AbortController().signal);

    assert.deepEqual(await database.rowVersions(), before);
    const recorded = await lab.sync();
    const gist = ({ events, notifications }: Recording) => [
      events.map(({ seq, type, inviteId, data }) => ({ seq, type, inviteId, data })),
      notifications.map(({ recipient, kind, eventSeqs }) => ({ recipient, kind, eventSeqs })),
    ];
    assert.deepEqual(gist(rehearsed), gist(recorded));
  });

  test("of a watch that was never synced finds its baseline", async (t) => {
    const lab = await open(t);
    lab.invite();

    const rehearsed = await rehearseSync(lab.plan, lab.ports, new AbortController().signal);

    assert.deepEqual(types(rehearsed), ["watch.baseline", "invite.received"]);
    assert.equal(await database.prisma.watch.count({ where: { name: lab.plan.watch } }), 0);
  });
});
