import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, type TestContext, test } from "node:test";
import { simpleParser } from "mailparser";
import { createOutboxStore } from "../../src/adapters/postgres/outbox-store.ts";
import { createMailTransport } from "../../src/adapters/smtp/transport.ts";
import { type DeliverPorts, deliverBatch } from "../../src/app/delivery/deliver-batch.ts";
import type { MailSettings } from "../../src/app/delivery/mail-settings.ts";
import type { Attempt } from "../../src/app/delivery/outbox.ts";
import { nextAttemptAt } from "../../src/domain/retry.ts";
import { createLogger } from "../../src/log.ts";
import { messageIdFor } from "../../src/mail/headers.ts";
import { createRelayLog } from "../../src/relay-log.ts";
import { type OpenedDatabase, openTestDatabase } from "../support/database.ts";
import { deliver } from "../support/deliver.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/durations.ts";
import { startFaultyRelay } from "../support/faulty-relay.ts";
import { audienceOf, type Lab, openLab } from "../support/lab.ts";
import { type Relay, startRelay } from "../support/relay.ts";

const settings: MailSettings = {
  from: "Invitewatch <invites@example.com>",
  timezoneOf: () => "Europe/Berlin",
  quietHoursOf: () => null,
  floodCap: 1_000,
  messageId: (id, recipient) => messageIdFor(id, recipient, "invites@example.com"),
};

let database: OpenedDatabase;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

/** A watch whose first sync owes one mail to each recipient, and a relay to deliver them by. */
async function open(t: TestContext, recipients: readonly string[] = ["ops@example.com"]) {
  const lab = await openLab({ database, plan: { audience: audienceOf(...recipients) } });
  const relay = await startRelay();
  // What is known of the mail server is the database's, which these tests share.
  await database.prisma.relay.deleteMany();
  t.after(async () => {
    await relay.close();
    await lab.close();
  });
  lab.invite({ organization_name: "Northwind" });
  const { notifications } = await lab.sync();
  const ids = notifications.map(({ id }) => id);
  return { lab, relay, ports: portsTo(relay, lab), ids, id: ids[0] ?? "" };
}

/** Without chance: a delay is as long as it is laid down. */
function portsTo(relay: Pick<Relay, "url">, lab: Lab): DeliverPorts {
  const outbox = createOutboxStore(database, database.queue.enqueueDeliveries);
  const transport = createMailTransport(relay.url, (text) => text.replaceAll("hunter2", "[redacted]"));
  return { outbox, transport, clock: { now: lab.now }, fallbacks: [], chance: () => 0.5, newId: randomUUID };
}

/** A log, and its lines as they were written. */
function capture() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  return { lines, log: createLogger({ level: "info", format: "json", redact: (text) => text, destination }) };
}

function jobOf(notificationId: string) {
  return { notificationId };
}

function rowOf(id: string) {
  return database.prisma.notification.findUniqueOrThrow({ where: { id } });
}

/** The start times of the jobs that deliver this mail, first to last; the sync's own starts at once. */
async function jobsOf(id: string): Promise<readonly Date[]> {
  const rows = await database.prisma.$queryRaw<{ at: Date }[]>`
    SELECT start_after AS at FROM pgboss.job WHERE name = 'deliver' AND data->>'notificationId' = ${id} ORDER BY created_on, start_after`;
  return rows.map(({ at }) => at);
}

function receiptOf(attempt: Attempt) {
  assert.ok(attempt.kind === "attempted" && attempt.receipt !== null);
  return attempt.receipt;
}

function messageIdOf(mail: string): string | undefined {
  return /^Message-ID:\s*<(.*)>/im.exec(mail)?.[1];
}

describe("a mail that the server accepts", () => {
  test("is delivered, and its receipt says when and in which words", async (t) => {
    const { lab, relay, ports, id } = await open(t);

    const attempt = await deliver({ notificationId: id }, settings, ports);

    assert.equal(receiptOf(attempt).state, "delivered");
    const { state, attempts, deliveredAt, response, error, nextAttemptAt: next, subject } = await rowOf(id);
    assert.deepEqual(
      { state, attempts, deliveredAt, error, next },
      {
        state: "delivered",
        attempts: 1,
        deliveredAt: lab.now(),
        error: null,
        next: null,
      },
    );
    assert.match(response ?? "", /^250 /);
    assert.ok(subject !== null && subject !== "");
    assert.deepEqual(
      relay.transactions.map(({ from, to }) => [from, to]),
      [["invites@example.com", "ops@example.com"]],
    );
  });

  test("is what was frozen, byte for byte, under the Message-ID of its row", async (t) => {
    const { relay, ports, id } = await open(t);

    await deliver({ notificationId: id }, settings, ports);

    const { mime, messageId } = await rowOf(id);
    assert.equal(relay.transactions[0]?.mail, Buffer.from(mime ?? []).toString());
    assert.equal(messageIdOf(relay.transactions[0]?.mail ?? ""), messageId);
  });

  test("is not sent again, however often it is asked for", async (t) => {
    const { relay, ports, id } = await open(t);
    await deliver({ notificationId: id }, settings, ports);

    const again = [
      await deliver({ notificationId: id }, settings, ports),
      await deliver({ notificationId: id }, settings, ports),
    ];

    assert.deepEqual(again, [{ kind: "idle" }, { kind: "idle" }]);
    assert.equal(relay.transactions.length, 1);
    assert.equal((await rowOf(id)).attempts, 1);
  });

  test("costs each recipient one transaction of his own", async (t) => {
    const { relay, ports, ids } = await open(t, ["ops@example.com", "lead@example.com"]);

    for (const id of ids) await deliver({ notificationId: id }, settings, ports);

    assert.deepEqual(
      relay.transactions.map(({ to }) => to),
      ["ops@example.com", "lead@example.com"],
    );
    const [one, other] = relay.transactions.map(({ mail }) => messageIdOf(mail));
    assert.notEqual(one, other);
  });

  test("leaves no job behind but the sync's own", async (t) => {
    const { ports, id } = await open(t);

    await deliver({ notificationId: id }, settings, ports);

    assert.equal((await jobsOf(id)).length, 1);
  });
});

describe("a mail that the server does not take now", () => {
  for (const at of ["RCPT", "DATA"] as const) {
    test(`is tried again after 451 at ${at}: same bytes, same Message-ID, and then delivered`, async (t) => {
      const { lab, relay, ports, id } = await open(t);
      relay.refuse(at, 451, "greylisted, come back");
      const first = await deliver({ notificationId: id }, settings, ports);
      const { mime: frozen } = await rowOf(id);
      // What the mail is about has changed meanwhile; the mail has not.
      lab.pass(MINUTE);
      lab.api.invites.clear();
      await lab.sync();

      const second = await deliver({ notificationId: id }, settings, ports);

      assert.deepEqual([receiptOf(first).state, receiptOf(second).state], ["pending", "delivered"]);
      const sent = relay.transactions.map(({ mail }) => mail);
      assert.deepEqual([...new Set(sent)], [Buffer.from(frozen ?? []).toString()]);
      assert.equal(sent.length, at === "DATA" ? 2 : 1);
      const { attempts, error } = await rowOf(id);
      assert.deepEqual({ attempts, error }, { attempts: 2, error: null });
    });
  }

  test("gets the job of its next attempt, in the transaction that says so", async (t) => {
    const { lab, relay, ports, id } = await open(t);
    relay.refuse("RCPT", 450, "busy");

    await deliver({ notificationId: id }, settings, ports);

    const { state, error, attempts, nextAttemptAt: next } = await rowOf(id);
    assert.deepEqual(
      { state, attempts, next },
      { state: "pending", attempts: 1, next: new Date(+lab.now() + 15 * SECOND) },
    );
    assert.match(error ?? "", /the mail server 127\.0\.0\.1:\d+ refuses it for now.*: 450 busy/);
    assert.deepEqual((await jobsOf(id)).at(-1), next);
  });

  test("is not said to wait where its job could not be written", async (t) => {
    const { relay, ports, id } = await open(t);
    relay.refuse("RCPT", 450, "busy");
    const noQueue = createOutboxStore(database, () => Promise.reject(new Error("no queue")));

    await assert.rejects(deliver({ notificationId: id }, settings, { ...ports, outbox: noQueue }), /no queue/);

    // Still being sent, as far as anybody knows: the job that is given back tries again.
    assert.equal((await rowOf(id)).state, "sending");
    const again = { notificationId: id, takeOver: true };
    assert.equal(receiptOf(await deliver(again, settings, ports)).state, "delivered");
  });

  test("is not tried before its time, also where a job comes early", async (t) => {
    const { lab, relay, ports, id } = await open(t);
    relay.refuse("RCPT", 450, "busy");
    await deliver({ notificationId: id }, settings, ports);

    lab.pass(14 * SECOND);
    const early = await deliver({ notificationId: id }, settings, ports);
    lab.pass(SECOND);
    const due = await deliver({ notificationId: id }, settings, ports);

    assert.equal(early.kind, "idle");
    assert.equal(receiptOf(due).state, "delivered");
  });

  test("keeps a job for its time where the queue's clock is ahead of ours", async (t) => {
    const { relay, ports, id } = await open(t);
    relay.refuse("RCPT", 450, "busy");
    await deliver({ notificationId: id }, settings, ports);
    const { nextAttemptAt: next } = await rowOf(id);
    const before = await jobsOf(id);

    await deliver({ notificationId: id }, settings, ports);

    assert.deepEqual(await jobsOf(id), [...before, next]);
  });

  test("is tried as often as the schedule of retries says, and given up after five days", async (t) => {
    const { lab, relay, ports, id } = await open(t);
    const owedSince = lab.now();
    let attempts = 0;
    for (let next: Date | null = owedSince; next !== null; ) {
      lab.pass(+next - +lab.now());
      relay.refuse("RCPT", 450, "busy");
      const receipt = receiptOf(await deliver({ notificationId: id }, settings, ports));
      attempts += 1;
      const expected: Date | null = nextAttemptAt(attempts, lab.now(), { owedSince, usefulUntil: null }, 0.5);
      assert.deepEqual(receipt.state === "pending" ? receipt.nextAttemptAt : null, expected);
      next = expected;
    }

    const { state, reason, attempts: counted } = await rowOf(id);
    assert.deepEqual(
      { state, reason, counted },
      { state: "dead", reason: "no attempt succeeded within five days", counted: attempts },
    );
    assert.equal(+lab.now() - +owedSince, 5 * DAY);
    assert.equal((await deliver({ notificationId: id }, settings, ports)).kind, "idle");
  });
});

describe("while the mail server is away", () => {
  test("the mail stays owed, and is delivered once the server is back", async (t) => {
    const { lab, relay, ports, id } = await open(t);
    await relay.close();
    const away = await deliver({ notificationId: id }, settings, ports);
    const back = await startRelay(relay.port);
    t.after(back.close);
    lab.pass(15 * SECOND);

    const second = await deliver({ notificationId: id }, settings, ports);

    assert.deepEqual([receiptOf(away).state, receiptOf(second).state], ["pending", "delivered"]);
    assert.equal(back.transactions.length, 1);
  });

  test("one mail probes it, and the others wait behind without being tried", async (t) => {
    const { lab, relay, ports, ids } = await open(t, ["a@example.com", "b@example.com", "c@example.com"]);
    await relay.close();
    const kinds: string[][] = [];
    for (let nth = 0; nth < 3; nth += 1) {
      const tried: string[] = [];
      for (const id of ids) tried.push((await deliver({ notificationId: id }, settings, ports)).kind);
      kinds.push(tried);
      const { nextProbeAt } = await ports.outbox.mailServer();
      lab.pass(+(nextProbeAt ?? 0) - +lab.now());
    }

    const rows = await Promise.all(ids.map(rowOf));
    assert.deepEqual(kinds, Array(3).fill(["attempted", "waiting", "waiting"]));
    assert.deepEqual(
      rows.map(({ attempts, waitsForRelay }) => [attempts, waitsForRelay]),
      [
        [3, true],
        [0, true],
        [0, true],
      ],
    );
  });

  test("of many mails that were let through before it went a few are tried, and the others wait", async (t) => {
    const people = Array.from({ length: 80 }, (_, nth) => `person-${nth}@example.com`);
    const { relay, ports, ids } = await open(t, people);
    await relay.close();

    const attempts = await Promise.all(deliverBatch(ids.map(jobOf), settings, ports));
    const kinds = attempts.map(({ kind }) => kind);

    const rows = await Promise.all(ids.map(rowOf));
    const tried = kinds.filter((kind) => kind === "attempted").length;
    assert.ok(tried >= 1 && tried < ids.length / 2, `${tried} were tried`);
    assert.equal(kinds.filter((kind) => kind === "waiting").length, ids.length - tried);
    assert.deepEqual(
      new Set(rows.map(({ state, waitsForRelay }) => `${state} ${waitsForRelay}`)),
      new Set(["pending true"]),
    );
    assert.equal(rows.filter(({ attempts }) => attempts > 0).length, tried);
  });

  test("one log line says that it went down, and one that it is well again and for how long it was not", async (t) => {
    const { lab, relay, ports, ids } = await open(
      t,
      [1, 2, 3, 4, 5].map((nth) => `person-${nth}@example.com`),
    );
    const { lines, log } = capture();
    const logRelay = createRelayLog();
    const tryAll = async () => {
      const attempts = await Promise.all(deliverBatch(ids.map(jobOf), settings, ports));
      for (const attempt of attempts) if (attempt.kind === "attempted") logRelay(attempt.mailServer, log);
      return attempts.filter(({ kind }) => kind === "attempted").length;
    };
    const downSince = lab.now().toISOString();
    await relay.close();

    const tried = [await tryAll()];
    lab.pass(15 * SECOND);
    tried.push(await tryAll());
    lab.pass(MINUTE);
    const back = await startRelay(relay.port);
    t.after(back.close);
    tried.push(await tryAll(), await tryAll());
    await back.close();
    lab.invite({ organization_name: "Southwind" });
    const { notifications } = await lab.sync();
    ids.splice(0, ids.length, ...notifications.map(({ id }) => id));
    await tryAll();

    const told = lines.map(({ time: _, reason, ...line }) => ({
      ...line,
      reason: /cannot be reached/.test(`${reason}`),
    }));
    const later = (ms: number) => new Date(Date.parse(downSince) + ms).toISOString();
    const down = { level: "error", event: "mail_server.down", reason: true, msg: "the mail server is down" };
    assert.ok((tried[0] ?? 0) > 1, "several mails found out side by side");
    assert.deepEqual(told, [
      { ...down, downSince, nextProbeAt: later(15 * SECOND) },
      {
        level: "info",
        event: "mail_server.well",
        downSince,
        downMs: 75 * SECOND,
        reason: false,
        msg: "the mail server is well again",
      },
      { ...down, downSince: later(75 * SECOND), nextProbeAt: later(90 * SECOND) },
    ]);
  });

  test("all that waited is due as soon as the probe is answered, whatever it is answered", async (t) => {
    const { lab, relay, ports, ids } = await open(t, ["a@example.com", "b@example.com"]);
    await relay.close();
    for (const id of ids) await deliver({ notificationId: id }, settings, ports);
    const back = await startRelay(relay.port);
    t.after(back.close);
    back.refuse("RCPT", 550, "no such user");
    lab.pass(15 * SECOND);

    const probe = await deliver({ notificationId: ids[0] ?? "" }, settings, ports);
    const other = await deliver({ notificationId: ids[1] ?? "" }, settings, ports);

    assert.deepEqual([receiptOf(probe).state, receiptOf(other).state], ["dead", "delivered"]);
    assert.equal((await ports.outbox.mailServer()).downSince, null);
  });

  test("what a dead process was sending waits like any other", async (t) => {
    const { relay, lab, ports, ids } = await open(t, ["a@example.com", "b@example.com"]);
    const [dying = "", other = ""] = ids;
    const hung = relay.hang();
    const never = deliver({ notificationId: dying }, settings, ports);
    await hung;
    await relay.close();
    await never;
    await database.prisma.notification.update({ where: { id: dying }, data: { state: "sending" } });
    await database.prisma.relay.deleteMany();
    await deliver({ notificationId: other }, settings, portsTo(relay, lab));

    const attempt = await deliver({ notificationId: dying, takeOver: true }, settings, ports);

    const { state, waitsForRelay } = await rowOf(dying);
    assert.deepEqual([attempt.kind, state, waitsForRelay], ["waiting", "pending", true]);
  });

  test("what nobody could send for five days is tried a last time, by one mail for all, and given up", async (t) => {
    const { lab, relay, ports, ids } = await open(t, ["a@example.com", "b@example.com"]);
    await relay.close();
    for (const id of ids) await deliver({ notificationId: id }, settings, ports);
    lab.pass(5 * DAY);

    const kinds: string[] = [];
    for (const id of ids) kinds.push((await deliver({ notificationId: id }, settings, ports)).kind);

    const rows = await Promise.all(ids.map(rowOf));
    assert.deepEqual(kinds, ["attempted", "given up"]);
    assert.deepEqual(
      rows.map(({ state, reason }) => [state, reason]),
      [
        ["dead", "no attempt succeeded within five days"],
        ["dead", "the mail server could not be reached within five days"],
      ],
    );
    assert.equal((await lab.history()).at(-1)?.type, "notification.dead");
    assert.equal(await lab.brokenChain(), null);
  });

  test("for six hours and more: each recipient then gets one mail for all that it held up", async (t) => {
    const { lab, relay, ports, id } = await open(t, ["held-up@example.com"]);
    await relay.close();
    const owed = [id];
    for (const name of ["Contoso", "Fabrikam"]) {
      lab.pass(2 * HOUR);
      lab.invite({ organization_name: name });
      owed.push(...(await lab.sync()).notifications.map((one) => one.id));
      for (const one of owed) await deliver({ notificationId: one }, settings, ports);
    }
    lab.pass(4 * HOUR);
    const back = await startRelay(relay.port);
    t.after(back.close);

    // The inventory is the probe; what waited behind it becomes one.
    await deliver({ notificationId: id }, settings, ports);
    const kinds = [];
    for (const one of owed.slice(1)) kinds.push((await deliver({ notificationId: one }, settings, ports)).kind);
    const summary = await database.prisma.notification.findFirstOrThrow({
      where: { recipient: "held-up@example.com", kind: "summary", state: "pending" },
    });
    const sent = await deliver({ notificationId: summary.id }, settings, ports);

    assert.deepEqual(kinds, ["folded", "idle"]);
    assert.equal(receiptOf(sent).state, "delivered");
    assert.equal(back.transactions.length, 2);
    const { text = "" } = await simpleParser(back.transactions.at(-1)?.mail ?? "");
    for (const said of ["Contoso", "Fabrikam", "could not be reached"]) assert.ok(text.includes(said), said);
  });

  test("what is owed and due is counted; what waits or is done is not", async (t) => {
    const { lab, relay, ports, ids } = await open(t, ["a@example.com", "b@example.com", "c@example.com"]);
    const before = await ports.outbox.countDue(lab.now());
    relay.refuse("RCPT", 450, "busy");
    await deliver({ notificationId: ids[0] ?? "" }, settings, ports);
    await deliver({ notificationId: ids[1] ?? "" }, settings, ports);

    const after = await ports.outbox.countDue(lab.now());
    const { nextAttemptAt: next } = await rowOf(ids[0] ?? "");
    const waiting = await ports.outbox.countDue(new Date(+(next ?? 0) - 1));

    assert.deepEqual([before - after, waiting - after], [2, 0]);
  });
});

describe("a mail that the server refuses for good", () => {
  for (const [at, said, advice] of [
    ["RCPT", "550 no such user, whatever the password hunter2 says", "recipient"],
    ["DATA", "550 spam, whatever the password hunter2 says", "mail itself"],
  ] as const) {
    test(`at ${at} is dead at once, and the others go on`, async (t) => {
      const { relay, ports, ids } = await open(t, ["gone@example.com", "ops@example.com"]);
      relay.refuse(at, 550, said.slice(4));

      const attempts = [];
      for (const id of ids) attempts.push(receiptOf(await deliver({ notificationId: id }, settings, ports)).state);

      assert.deepEqual(attempts, ["dead", "delivered"]);
      const { state, reason, error, nextAttemptAt: next } = await rowOf(ids[0] ?? "");
      assert.deepEqual({ state, reason, next }, { state: "dead", reason: "refused for good", next: null });
      for (const part of [` refuses the ${advice}`, said.replace("hunter2", "[redacted]")]) {
        assert.ok(error?.includes(part), error ?? "");
      }
      assert.equal((await jobsOf(ids[0] ?? "")).length, 1);
    });
  }

  test("is an event of the history, which still verifies", async (t) => {
    const { lab, relay, ports, id } = await open(t);
    relay.refuse("RCPT", 550, "no such user");

    await deliver({ notificationId: id }, settings, ports);

    const newest = (await lab.history()).at(-1);
    assert.equal(newest?.type, "notification.dead");
    assert.deepEqual(newest.data, {
      by: "invitewatch",
      notificationId: id,
      recipient: "ops@example.com",
      reason: (newest.data as { reason: string }).reason,
      inviteIds: [...(await lab.known()).keys()],
      invites: 1,
    });
    assert.match(
      (newest.data as { reason: string }).reason,
      /^refused for good: the mail server .* refuses the recipient.*550 no such user/,
    );
    assert.equal(await lab.brokenChain(), null);
  });

  test("is not tried again", async (t) => {
    const { relay, ports, id } = await open(t);
    relay.refuse("RCPT", 550, "no such user");
    await deliver({ notificationId: id }, settings, ports);

    assert.deepEqual(await deliver({ notificationId: id }, settings, ports), { kind: "idle" });
    assert.equal(relay.recipients.length, 1);
  });
});

describe("a process that dies while it sends", () => {
  test("leaves the mail to the next one, which sends the same bytes", async (t) => {
    const { lab, relay, ports, id } = await open(t);
    const arrived = relay.hang();
    const never = deliver({ notificationId: id }, settings, ports);
    await arrived;
    const { state: left } = await rowOf(id);

    const beside = await deliver({ notificationId: id }, settings, ports);
    const second = await deliver({ notificationId: id, takeOver: true }, settings, portsTo(relay, lab));

    assert.equal(left, "sending");
    assert.equal(beside.kind, "idle", "a second job for a mail that is being sent leaves it alone");
    assert.equal(receiptOf(second).state, "delivered");
    const [first, repeated] = relay.transactions.map(({ mail }) => mail);
    assert.equal(first, repeated);
    // The hung attempt ends with its connection, and says nothing of a mail that is delivered by now.
    await relay.close();
    await never;
    const { state, attempts, error } = await rowOf(id);
    assert.deepEqual({ state, attempts, error }, { state: "delivered", attempts: 2, error: null });
  });

  test("before it sent leaves the mail as it was frozen", async (t) => {
    const { relay, ports, id } = await open(t);
    const dies = { ...ports.transport, send: () => Promise.reject(new Error("killed")) };
    await assert.rejects(deliver({ notificationId: id }, settings, { ...ports, transport: dies }), /killed/);
    const { mime: frozen, state } = await rowOf(id);

    await deliver({ notificationId: id, takeOver: true }, settings, ports);

    assert.equal(state, "sending");
    assert.deepEqual(
      relay.transactions.map(({ mail }) => mail),
      [Buffer.from(frozen ?? []).toString()],
    );
  });

  test("and one that freezes at the same moment keep one and the same mail", async (t) => {
    const { ports, id } = await open(t);
    const start = async (text: string) => {
      const composed = { own: Buffer.from(text), common: Buffer.alloc(0) };
      const one = { id, attempts: 0, at: new Date(), onlyIfWell: true, subject: text, ...composed };
      const [started] = await ports.outbox.startAttempts([one]);
      return started?.status === "fulfilled" ? started.value : assert.fail(String(started?.reason));
    };

    const kept = await Promise.all([start("one"), start("other"), start("third")]);

    const { mime, subject } = await rowOf(id);
    assert.deepEqual(kept.filter((bytes) => bytes !== null).map(String), [Buffer.from(mime ?? []).toString()]);
    assert.equal(subject, String(mime && Buffer.from(mime)));
  });
});

test("what no longer is owed is not sent: there is no such mail, or it was cancelled", async (t) => {
  const { relay, ports, id } = await open(t);
  await database.prisma.notification.update({ where: { id }, data: { state: "cancelled", reason: "moot" } });

  const attempts = [
    await deliver({ notificationId: id }, settings, ports),
    await deliver({ notificationId: randomUUID() }, settings, ports),
  ];

  assert.deepEqual(attempts, [{ kind: "idle" }, { kind: "idle" }]);
  assert.deepEqual(relay.recipients, []);
});

test("a mail that is cancelled between its rendering and its sending is not sent", async (t) => {
  const { relay, ports, id } = await open(t);
  const transport: typeof ports.transport = {
    ...ports.transport,
    async compose(...args) {
      const mime = await ports.transport.compose(...args);
      await database.prisma.notification.update({ where: { id }, data: { state: "cancelled" } });
      return mime;
    },
  };

  assert.deepEqual(await deliver({ notificationId: id }, settings, { ...ports, transport }), { kind: "idle" });
  assert.deepEqual(relay.recipients, []);
});

describe("whatever bytes the server says, the receipt is written", () => {
  /** Wherever the answer is cut, one of two such texts has the cut inside of a character. */
  const long = (offset: number) => "x".repeat(offset) + "\u{1F600}".repeat(400);
  for (const [words, said, kept] of [
    ["a NUL", "ok \0 so", "ok so"],
    ["what turns a terminal around", "ok \u202E\u001B[31m \u0007so", "ok [31m so"],
    ["characters of two units", long(0), null],
    ["characters of two units, one further", long(1), null],
  ] as const) {
    for (const [code, state] of [
      [250, "delivered"],
      [451, "pending"],
      [550, "dead"],
    ] as const) {
      test(`${words}, with ${code}`, async (t) => {
        const { lab, id } = await open(t);
        const relay = await startFaultyRelay();
        t.after(() => relay.close());
        const at = code === 550 ? "recipient" : "answer";
        relay.script({ at, does: "answer", text: `${code} ${said}`, keeps: code === 250 });

        const attempt = await deliver({ notificationId: id }, settings, portsTo(relay, lab));

        const [row, tried] = [
          await rowOf(id),
          await database.prisma.attempt.findFirst({ where: { notificationId: id } }),
        ];
        assert.deepEqual([receiptOf(attempt).state, row.state, tried?.code], [state, state, code]);
        assert.ok(tried?.said.isWellFormed() && (tried.said.endsWith("…") || tried.said.endsWith(`${code} ${kept}`)));
        assert.equal(await lab.brokenChain(), null);
      });
    }
  }
});

test("the mail of an inventory names the chain's head after its own sync, also where it is sent later", async (t) => {
  const { lab, relay, ports, id } = await open(t);
  const head = (await lab.history()).at(-1)?.hash ?? "";
  lab.pass(MINUTE);
  lab.invite();
  await lab.sync();

  await deliver({ notificationId: id }, settings, ports);

  const mail = (relay.transactions[0]?.mail ?? "").replaceAll("=\r\n", "");
  assert.equal(head.length, 64);
  assert.ok(mail.includes(head));
});
