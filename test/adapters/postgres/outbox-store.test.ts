import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openDatabase } from "../../../src/adapters/postgres/open.ts";
import { createOutboxStore } from "../../../src/adapters/postgres/outbox-store.ts";
import { bytesOf } from "../../../src/app/composed-mail.ts";
import type { AttemptStart, OutboxStore, Settled } from "../../../src/app/delivery/outbox.ts";
import type { Receipt } from "../../../src/domain/delivery/attempt.ts";
import { decideDispatch } from "../../../src/domain/delivery/dispatch.ts";
import type { NotificationState } from "../../../src/domain/notification.ts";
import { RELAY_WELL, type RelayState } from "../../../src/domain/relay.ts";
import { after as later, NOW, notification } from "../../support/build.ts";
import { type OpenedDatabase, openTestDatabase } from "../../support/database.ts";
import { DAY, HOUR, MINUTE } from "../../support/durations.ts";
import { openLab } from "../../support/lab.ts";
import { accepted, failed } from "../../support/outcomes.ts";
import { startRelay } from "../../support/tcp-relay.ts";

const NOTHING = Buffer.alloc(0);

let database: OpenedDatabase;
let outbox: OutboxStore;
/** Every retry that was put into the queue, as id and start time. */
let retries: (readonly [id: string, startAfter: Date])[];
before(async () => {
  database = await openTestDatabase();
  retries = [];
  outbox = createOutboxStore(database, async (_tx, ids, startAfter) => {
    for (const id of ids) retries.push([id, startAfter]);
  });
});
after(() => database.close());

/** A mail that a first sync owes. */
async function owe(t: TestContext) {
  const lab = await openLab({ database });
  t.after(lab.close);
  const invite = lab.invite();
  const { notifications, events } = await lab.sync();
  return { lab, invite, events, id: notifications[0]?.id ?? "" };
}

/** The mails as they are claimed to be sent, all at once. */
async function claim(ids: readonly string[]) {
  const now = later(DAY);
  const newSummary = () => assert.fail("nothing is folded");
  const rules = { now, quietHoursOf: () => null, floodCap: 100, hasFallback: false, newSummary };
  const jobs = ids.map((notificationId) => ({ notificationId, takeOver: true }));
  const claimed = await outbox.claim(jobs, now, (input) => decideDispatch(input, rules));
  return valuesOf(claimed).map((one) => {
    if (one.kind !== "send") return null;
    const { mail, content, mime } = one;
    return { notification: mail.notification, events: mail.events, ...content, mime };
  });
}

async function letThrough(id: string) {
  return (await claim([id]))[0] ?? null;
}

function valuesOf<T>(settled: Settled<T>): readonly T[] {
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

function startOf(id: string, attempts: number, given: Partial<AttemptStart> = {}): AttemptStart {
  return {
    id,
    attempts,
    at: NOW,
    onlyIfWell: false,
    subject: "a mail",
    own: Buffer.from("mail"),
    common: NOTHING,
    ...given,
  };
}

/** Starts an attempt of a mail that was let through. */
async function begin(id: string, attempts: number, given: Partial<AttemptStart> = {}): Promise<Buffer | null> {
  return valuesOf(await outbox.startAttempts([startOf(id, attempts, given)]))[0] ?? null;
}

/** Writes the receipt of the first attempt, or of another. @returns whether it counts */
async function receive(
  id: string,
  receipt: Receipt,
  { number = 1, relay = null, to = outbox }: { number?: number; relay?: RelayState | null; to?: OutboxStore } = {},
): Promise<boolean> {
  const outcome = receipt.state === "delivered" ? accepted(receipt.response) : failed("temporary", receipt.error);
  const mail = { notification: notification({ id }), events: [], ownFailures: 0 };
  // Only a probe says of the mail server that it is well again.
  const way = { kind: "relay", probe: relay !== null } as const;
  const sent = { mail, way, attempts: [{ number, startedAt: NOW, way: "smtp", outcome }] } as const;
  const recorded = await to.record([sent], (ended) => ended.map(() => ({ receipt, mailServer: relay })));
  return valuesOf(recorded)[0]?.receipt !== null;
}

function setState(id: string, state: NotificationState) {
  return database.prisma.notification.update({ where: { id }, data: { state } });
}

function rowOf(id: string) {
  return database.prisma.notification.findUniqueOrThrow({ where: { id } });
}

/** What was heard in each attempt. */
async function heardIn(id: string): Promise<readonly (readonly [number: number, said: string])[]> {
  const rows = await database.prisma.attempt.findMany({ where: { notificationId: id }, orderBy: { number: "asc" } });
  return rows.map(({ number, said }) => [number, said]);
}

const RECEIPTS: readonly Receipt[] = [
  { state: "delivered", at: NOW, response: "250 queued" },
  { state: "pending", error: "451 later", nextAttemptAt: later(HOUR), waitsForRelay: false },
  { state: "dead", at: NOW, error: "550 gone", reason: "refused" },
];

describe("what a mail is made from", () => {
  test("is its events in the order of the chain, and the invites as they are now", async (t) => {
    const { lab, invite, events, id } = await owe(t);
    lab.api.invites.update(invite.id, { organization_name: "Renamed since" });
    lab.pass(15 * MINUTE);
    await lab.sync();

    const owed = await letThrough(id);

    assert.deepEqual(
      owed?.events.map((event) => event.hash),
      events.map((event) => event.hash),
    );
    assert.deepEqual(
      (owed?.invites ?? []).map((one) => one.organizationName),
      ["Renamed since"],
    );
    assert.equal(owed?.mime, null);
  });

  test("names the chain's head after its own sync, whatever came later", async (t) => {
    const { lab, events, id } = await owe(t);
    lab.invite();
    await lab.sync();

    const owed = await letThrough(id);

    assert.equal(owed?.chainHead, events.at(-1)?.hash);
  });

  test("is each mail's own where several are let through at once, to the same person too", async (t) => {
    const { lab, id, events } = await owe(t);
    lab.invite();
    const second = await lab.sync();

    const owed = await claim([id, second.notifications[0]?.id ?? ""]);

    assert.deepEqual(
      owed.map((mail) => mail?.events.map(({ hash }) => hash)),
      [events, second.events].map((own) => own.map(({ hash }) => hash)),
    );
    assert.deepEqual(
      owed.map((mail) => mail?.notification.releasedAt),
      [later(DAY), later(DAY)],
    );
  });

  test("is not read any more once the mail is frozen, but for the events, which decide about its way", async (t) => {
    const { id, events } = await owe(t);
    await begin(id, 0, { subject: "Hello", own: Buffer.from([0, 255, 13, 10]) });

    const owed = await letThrough(id);

    assert.deepEqual([...(owed?.mime ?? [])], [0, 255, 13, 10]);
    assert.equal(owed?.notification.subject, "Hello");
    assert.deepEqual(
      owed?.events.map(({ seq }) => seq),
      events.map(({ seq }) => seq),
    );
    assert.equal(owed?.invites, undefined);
  });

  test("is nothing where there is no such mail", async () => {
    assert.equal(await letThrough(randomUUID()), null);
  });
});

test("what is frozen stays, whoever freezes later", async (t) => {
  const { id } = await owe(t);

  const first = await begin(id, 0, { subject: "one", own: Buffer.from("one") });
  const second = await begin(id, 1, { subject: "two", own: Buffer.from("two") });

  assert.deepEqual([String(first), String(second)], ["one", "one"]);
  assert.equal((await rowOf(id)).subject, "one");
});

describe("what is frozen of several mails at once", () => {
  test("is each mail's own, byte for byte", async (t) => {
    const bodies = ["a\r\n\r\nsame", "b\r\n\r\nsame", "a\r\n\r\nother\r\n\r\n\0\xff", "\r\n\r\n", "no body", ""];
    const owns = bodies.map((text) => Buffer.from(text, "latin1"));
    const ids: string[] = [];
    for (const _ of owns) ids.push((await owe(t)).id);

    const commons = [Buffer.from("common"), NOTHING];
    const made = owns.map((own, nth) => ({ own, common: commons[nth % 2] ?? NOTHING }));
    const mimes = made.map(bytesOf);

    const starts = made.map((mail, nth) => startOf(ids[nth] ?? "", 0, { subject: `${nth}`, ...mail }));
    const kept = valuesOf(await outbox.startAttempts(starts));

    const rows = await Promise.all(ids.map(rowOf));
    assert.deepEqual(kept, mimes);
    assert.deepEqual(
      rows.map(({ subject, mime }) => [subject, Buffer.from(mime ?? [])]),
      mimes.map((mime, nth) => [`${nth}`, mime]),
    );
  });

  test("is kept of each but the one of which it cannot be", async (t) => {
    const mails = [await owe(t), await owe(t)];

    const begun = await outbox.startAttempts(
      mails.map(({ id }, nth) => startOf(id, 0, { subject: nth === 0 ? "fine" : "\0" })),
    );

    assert.deepEqual(
      begun.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
  });
});

describe("an attempt", () => {
  test("begins once, however many ask for it at once", async (t) => {
    const { id } = await owe(t);

    const begun = await Promise.all([0, 0, 0].map((attempts) => begin(id, attempts)));

    assert.deepEqual(begun.map(String).sort(), ["mail", "null", "null"]);
    assert.equal((await rowOf(id)).attempts, 1);
  });

  for (const state of ["pending", "sending"] as const) {
    test(`begins where the mail is ${state}, and is counted`, async (t) => {
      const { id } = await owe(t);
      await setState(id, state);

      const begun = await begin(id, 0, { at: later(MINUTE) });

      const row = await rowOf(id);
      assert.deepEqual(
        [String(begun), row.state, row.attempts, row.lastAttemptAt],
        ["mail", "sending", 1, later(MINUTE)],
      );
    });
  }

  for (const state of ["delivered", "dead", "cancelled"] as const) {
    test(`does not begin where the mail is ${state}`, async (t) => {
      const { id } = await owe(t);
      await setState(id, state);

      const begun = await begin(id, 0);

      const row = await rowOf(id);
      assert.deepEqual([begun, row.state, row.attempts], [null, state, 0]);
    });
  }
});

describe("a receipt", () => {
  test("that says delivered clears what went wrong before", async (t) => {
    const { id } = await owe(t);
    await begin(id, 0);
    await receive(id, { state: "pending", error: "451 later", nextAttemptAt: later(MINUTE), waitsForRelay: false });
    await begin(id, 1);

    await receive(id, { state: "delivered", at: later(MINUTE), response: "250 queued as 7" }, { number: 2 });

    const { state, error, response, deliveredAt, nextAttemptAt } = await rowOf(id);
    assert.deepEqual(
      { state, error, response, deliveredAt, nextAttemptAt },
      {
        state: "delivered",
        error: null,
        response: "250 queued as 7",
        deliveredAt: later(MINUTE),
        nextAttemptAt: null,
      },
    );
  });

  for (const [what, state] of [
    ["", null],
    [" and that the mail server is well again", { ...RELAY_WELL, lastOutage: { since: NOW, until: later(MINUTE) } }],
  ] as const) {
    test(`that says delivered${what} is written when the database is back, where that was away`, async (t) => {
      const { id } = await owe(t);
      const relay = await startRelay(new URL(database.url));
      const far = await openDatabase(relay.url, "daemon");
      await far.prisma.$queryRaw`SELECT 1`;
      const farBox = createOutboxStore(far, async () => {});
      await letThrough(id);
      await begin(id, 0);

      relay.cut();
      const mended = delay(700).then(relay.mend);
      t.after(async () => {
        await mended;
        await far.close();
        await relay.close();
        await database.prisma.relay.deleteMany();
      });
      await receive(id, { state: "delivered", at: NOW, response: "250 ok" }, { relay: state, to: farBox });

      const { state: now, response } = await database.prisma.notification.findUniqueOrThrow({ where: { id } });
      assert.deepEqual([now, response], ["delivered", "250 ok"]);
    });
  }

  test("that says try again asks for one more job, at its time", async (t) => {
    const { id } = await owe(t);
    await begin(id, 0);

    await receive(id, { state: "pending", error: "451 later", nextAttemptAt: later(HOUR), waitsForRelay: false });

    assert.deepEqual(
      retries.filter(([retried]) => retried === id),
      [[id, later(HOUR)]],
    );
    assert.deepEqual((await rowOf(id)).nextAttemptAt, later(HOUR));
  });

  for (const receipt of RECEIPTS) {
    test(`that says ${receipt.state} changes nothing of a mail whose outcome is known by now`, async (t) => {
      const { id } = await owe(t);
      await begin(id, 0);
      await setState(id, "delivered");
      const before = await rowOf(id);

      await receive(id, receipt);

      assert.deepEqual(await rowOf(id), before);
      assert.deepEqual(
        retries.filter(([retried]) => retried === id),
        [],
      );
    });
  }
});

describe("an attempt that was taken for lost and is heard of after the next has begun", () => {
  const DOWN = { ...RELAY_WELL, downSince: NOW, failures: 1, nextProbeAt: later(MINUTE), failedAt: NOW, error: "gone" };
  const [ACCEPTED, LATER, GONE] = RECEIPTS as readonly [Receipt, Receipt, Receipt];

  for (const receipt of [LATER, GONE]) {
    test(`is written down where it failed (${receipt.state}), and nothing comes of it`, async (t) => {
      const { lab, id } = await owe(t);
      await begin(id, 0);
      await begin(id, 1);
      const before = await rowOf(id);
      const history = await lab.history();

      const counts = await receive(id, receipt, { relay: DOWN });

      assert.equal(counts, false);
      assert.deepEqual(await rowOf(id), before);
      assert.deepEqual(await lab.history(), history);
      assert.equal((await outbox.mailServer()).downSince, null);
      assert.deepEqual(
        retries.filter(([retried]) => retried === id),
        [],
      );
      assert.deepEqual(await heardIn(id), [[1, receipt.state === "dead" ? "550 gone" : "451 later"]]);
    });
  }

  test("leaves the next one its own record and its own receipt", async (t) => {
    const { id } = await owe(t);
    await begin(id, 0);
    await begin(id, 1);
    await receive(id, LATER);

    const counts = await receive(id, ACCEPTED, { number: 2 });

    const expected = [
      [1, "451 later"],
      [2, "250 queued"],
    ];
    assert.deepEqual([counts, (await rowOf(id)).state, await heardIn(id)], [true, "delivered", expected]);
  });

  for (const state of ["sending", "pending", "dead", "cancelled"] as const) {
    test(`makes the mail delivered where it was accepted, though it is ${state} by now`, async (t) => {
      const { id } = await owe(t);
      await begin(id, 0);
      await begin(id, 1);
      await database.prisma.notification.update({ where: { id }, data: { state, error: "451", maybeAccepted: true } });

      const counts = await receive(id, ACCEPTED);

      const { state: now, response, error, nextAttemptAt, reason } = await rowOf(id);
      assert.deepEqual([counts, now, response, error, nextAttemptAt], [true, "delivered", "250 queued", null, null]);
      assert.match(reason ?? "", /may be a repeat: another attempt/);
    });
  }

  test("keeps its acceptance where the next one is accepted, too, and says that the mail may be a repeat", async (t) => {
    const { id } = await owe(t);
    await begin(id, 0);
    await begin(id, 1);
    await database.prisma.notification.update({ where: { id }, data: { maybeAccepted: true } });
    await receive(id, ACCEPTED);
    const first = await rowOf(id);

    await receive(id, { state: "delivered", at: later(MINUTE), response: "250 again" }, { number: 2 });

    assert.deepEqual(await rowOf(id), first);
    assert.match(first.reason ?? "", /may be a repeat/);
    const expected = [
      [1, "250 queued"],
      [2, "250 again"],
    ];
    assert.deepEqual(await heardIn(id), expected);
  });

  test("says nothing of the relay as it is now, though it was accepted", async (t) => {
    const { id } = await owe(t);
    await database.prisma.relay.create({ data: { name: "smtp", downSince: NOW, failures: 1 } });
    t.after(() => database.prisma.relay.deleteMany());
    await begin(id, 0);
    await begin(id, 1);

    await receive(id, ACCEPTED, { relay: { ...RELAY_WELL, lastOutage: { since: NOW, until: later(MINUTE) } } });

    assert.deepEqual([(await rowOf(id)).state, (await outbox.mailServer()).downSince], ["delivered", NOW]);
  });
});

test("what was tried and not delivered is named, with what went wrong", async (t) => {
  const since = later(24 * HOUR);
  const mails = [await owe(t), await owe(t), await owe(t), await owe(t)];
  const [tried, dead, delivered] = mails.map(({ id }) => id) as [string, string, string];
  for (const id of [tried, dead, delivered]) await begin(id, 0, { at: since });
  await receive(tried, { state: "pending", error: "451 later", nextAttemptAt: later(30 * HOUR), waitsForRelay: false });
  await receive(dead, { state: "dead", at: since, error: "550 gone", reason: "refused" });
  await receive(delivered, { state: "delivered", at: since, response: "250" });

  const undelivered = await outbox.undeliveredSince(since);

  const expected = [
    { recipient: "ops@example.com", state: "pending", why: "451 later" },
    { recipient: "ops@example.com", state: "dead", why: "refused: 550 gone" },
  ];
  const byState = (a: { state: string }, b: { state: string }) => a.state.localeCompare(b.state);
  assert.deepEqual(undelivered.toSorted(byState), expected.toSorted(byState));
  assert.deepEqual(await outbox.undeliveredSince(later(25 * HOUR)), []);
});

describe("a mail that is due and that no job will deliver", () => {
  async function loseJob(id: string): Promise<void> {
    await database.prisma.$executeRaw`DELETE FROM pgboss.job WHERE data->>'notificationId' = ${id}`;
  }

  test("gets one, a minute after it was due at the soonest", async (t) => {
    const { lab, id } = await owe(t);
    await database.prisma.notification.updateMany({ where: { id: { not: id } }, data: { state: "cancelled" } });
    await loseJob(id);
    retries.length = 0;

    const early = await outbox.requeueForgotten(new Date(+lab.now() + MINUTE));
    const due = await outbox.requeueForgotten(new Date(+lab.now() + MINUTE + 1));

    assert.deepEqual([early, due], [0, 1]);
    assert.deepEqual(retries, [[id, new Date(+lab.now() + MINUTE + 1)]]);
  });

  for (const [words, change] of [
    ["its time has not come", { nextAttemptAt: later(30 * DAY) }],
    ["it is delivered", { state: "delivered", nextAttemptAt: null }],
    ["it was given up", { state: "dead", nextAttemptAt: null }],
  ] as const) {
    test(`gets none where ${words}`, async (t) => {
      const { id } = await owe(t);
      await loseJob(id);
      await database.prisma.notification.update({ where: { id }, data: change });
      retries.length = 0;

      await outbox.requeueForgotten(later(DAY));

      assert.deepEqual(
        retries.filter(([retried]) => retried === id),
        [],
      );
    });
  }

  test("gets one also where whoever was sending it is gone", async (t) => {
    const { id } = await owe(t);
    await begin(id, 0);
    await loseJob(id);
    retries.length = 0;

    await outbox.requeueForgotten(later(DAY));

    assert.ok(retries.some(([retried]) => retried === id));
  });
});
