import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createReader } from "../../src/adapters/postgres/read-store.ts";
import { deliver } from "../support/deliver.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/durations.ts";
import { audienceOf } from "../support/lab.ts";
import { openStage, owed, type Stage, sync, told, work } from "./promise-stage.ts";

const LATER = { at: "recipient", does: "answer", text: "451 4.7.1 come back later" } as const;

function rowsOf({ lab }: Stage) {
  return lab.database.prisma.notification.findMany({
    orderBy: [{ createdAt: "asc" }, { recipient: "asc" }],
    include: { tries: { orderBy: { number: "asc" } } },
  });
}

/** When the mail that is owed is tried again, from its last attempt on. */
async function waitOf(stage: Stage): Promise<number> {
  const row = (await rowsOf(stage)).find(({ state }) => state === "pending");
  return +(row?.nextAttemptAt ?? 0) - +(row?.lastAttemptAt ?? 0);
}

test("a mail on which the server hangs up every time keeps no other from leaving", async (t) => {
  const stage = await openStage(t, { audience: audienceOf("a@example.com", "poison@example.com", "z@example.com") });
  const { lab, relay } = stage;
  relay.script({ at: "recipient", does: "drop", to: "poison@example.com", times: 1_000 });

  for (let nth = 0; nth < 4; nth += 1) {
    lab.invite();
    await lab.sync();
    await work(stage, 20 * MINUTE);
  }

  const others = (await rowsOf(stage)).filter(({ recipient }) => recipient !== "poison@example.com");
  const longest = Math.max(...others.map(({ createdAt, deliveredAt }) => +(deliveredAt ?? Infinity) - +createdAt));
  assert.equal(others.length, 8);
  assert.ok(longest <= 2 * MINUTE, `${longest / SECOND} s`);
});

describe("a mail that the server puts off for the first time", () => {
  test("after an outage is tried again as soon as any other", async (t) => {
    const stage = await openStage(t);
    const { lab, relay } = stage;
    await relay.away();
    lab.invite();
    await lab.sync();
    await work(stage, 3 * HOUR);
    relay.script({ ...LATER, times: 1 });
    await relay.back();

    await deliver({ notificationId: (await rowsOf(stage))[0]?.id ?? "" }, stage.settings, stage.ports);
    await work(stage, HOUR);

    const [row] = await rowsOf(stage);
    const [putOff, next] = row?.tries.slice(-2) ?? [];
    assert.equal(putOff?.cause, "temporary");
    assert.ok(+(next?.startedAt ?? Infinity) - +(putOff?.startedAt ?? 0) < MINUTE);
  });

  test("and then again waits longer each time", async (t) => {
    const stage = await openStage(t);
    stage.lab.invite();
    await stage.lab.sync();
    stage.relay.script({ ...LATER, times: 3 });
    const waits: number[] = [];

    for (let nth = 0; nth < 3; nth += 1) {
      await work(stage, waits.at(-1) ?? 0);
      waits.push(Math.round((await waitOf(stage)) / SECOND));
      waits.push((waits.pop() ?? 0) * SECOND);
    }

    assert.deepEqual(
      waits.map((wait) => wait / SECOND),
      [15, 60, 300],
    );
  });
});

describe("five days begin", () => {
  test("when a mail may leave at last, where it was held longer than that", async (t) => {
    const stage = await openStage(t);
    const { lab, relay } = stage;
    await sync(stage);
    lab.invite();
    await lab.sync();
    const until = new Date(+lab.now() + 6 * DAY);
    await lab.database.prisma.notification.updateMany({
      where: { state: "pending" },
      data: { heldBy: "silence", nextAttemptAt: until },
    });
    await lab.database.prisma.$executeRaw`UPDATE pgboss.job SET start_after = ${until} WHERE name = 'deliver'`;
    lab.pass(6 * DAY - 10 * MINUTE);
    await relay.away();
    lab.invite();
    await lab.sync();

    await work(stage, HOUR);
    await relay.back();
    await work(stage, 2 * HOUR);

    assert.deepEqual(await told(stage), (await owed(stage, "ops@example.com")).toSorted());
  });

  test("when the mail server is found to be away, where nobody was at work before", async (t) => {
    const stage = await openStage(t);
    const { lab, relay } = stage;
    lab.invite();
    await lab.sync();
    lab.invite();
    await lab.sync();
    await relay.away();
    lab.pass(6 * DAY);

    await work(stage, HOUR);
    await relay.back();
    await work(stage, 2 * HOUR);

    assert.deepEqual(await told(stage), (await owed(stage, "ops@example.com")).toSorted());
  });
});

test("mails that found out once that the server is still away are given up with the others", async (t) => {
  const stage = await openStage(t, { audience: audienceOf("a@example.com", "b@example.com", "c@example.com") });
  const { lab, relay } = stage;
  await sync(stage);
  await relay.away();
  lab.invite();
  await lab.sync();

  await work(stage, 5 * DAY + MINUTE);

  const owing = (await rowsOf(stage)).filter(({ state }) => state !== "delivered");
  assert.deepEqual(
    owing.map(({ state }) => state),
    ["dead", "dead", "dead"],
  );
});

describe("a reminder that was put off", () => {
  /** One that the server has put off twice. */
  const putOff = async (stage: Stage) => {
    const { lab, relay } = stage;
    await sync(stage);
    const invite = lab.invite({ expires_on: lab.inMs(30 * HOUR) });
    await sync(stage);
    lab.pass(7 * HOUR);
    relay.script({ ...LATER, times: 2 });
    await lab.sync();
    await work(stage, MINUTE);
    return invite;
  };

  test("is not sent any more once its invitation was answered", async (t) => {
    const stage = await openStage(t);
    const { id } = await putOff(stage);
    stage.lab.api.invites.update(id, { status: "accepted" });

    await stage.lab.sync();
    await work(stage, HOUR);

    const reminder = (await rowsOf(stage)).findLast(({ kind }) => kind === "invite.expiring");
    assert.equal(reminder?.state, "cancelled");
    assert.equal(reminder?.reason, "the invitation was accepted before the reminder was sent");
  });

  test("and comes too late is given up, for all to see", async (t) => {
    const stage = await openStage(t);
    const { lab, relay } = stage;
    await sync(stage);
    lab.invite({ expires_on: lab.inMs(30 * HOUR) });
    await sync(stage);
    lab.pass(7 * HOUR);
    await relay.away();
    await lab.sync();

    await work(stage, 23 * HOUR);
    await relay.back();
    await work(stage, 2 * HOUR);

    const reminder = (await rowsOf(stage)).findLast(({ kind }) => kind === "invite.expiring");
    assert.equal(reminder?.state, "dead");
    assert.equal((await lab.history()).at(-1)?.type, "notification.dead");
    assert.equal((await createReader(lab.database).mailStatus(lab.now())).dead, 1);
  });
});

test("a long outage that ends at night leaves one mail in the morning, also of mails that were made", async (t) => {
  let isNight = false;
  const night = { fromMinute: 0, toMinute: 1439, timezone: "UTC" };
  const stage = await openStage(t, { quietHoursOf: () => (isNight ? night : null) });
  const { lab, relay, ports, settings } = stage;
  await sync(stage);
  await relay.away();
  const ids: string[] = [];
  for (let nth = 0; nth < 6; nth += 1) {
    lab.invite();
    const { notifications } = await lab.sync();
    ids.push(...notifications.map(({ id }) => id));
  }
  await Promise.all(ids.map((notificationId) => deliver({ notificationId }, settings, ports)));
  await work(stage, 7 * HOUR);
  const before = relay.accepted.length;

  isNight = true;
  await relay.back();
  await work(stage, 2 * HOUR);
  const atNight = relay.accepted.length - before;
  const { held, overdue } = await createReader(lab.database).mailStatus(lab.now());
  isNight = false;
  await work(stage, DAY);

  assert.deepEqual(await told(stage), (await owed(stage, "ops@example.com")).toSorted());
  assert.ok(atNight <= 1, `${atNight} mails at night`);
  assert.ok(held >= 5 && overdue === 0, `${held} held, ${overdue} overdue`);
  assert.ok(relay.accepted.length - before <= 2);
});
