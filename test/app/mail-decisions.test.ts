import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, type TestContext, test } from "node:test";
import { createOutboxStore } from "../../src/adapters/postgres/outbox-store.ts";
import { createPeopleStore } from "../../src/adapters/postgres/people-store.ts";
import { createMailTransport } from "../../src/adapters/smtp/transport.ts";
import { deliver } from "../../src/app/deliver.ts";
import type { DeliverPorts, MailSettings } from "../../src/app/delivery-ports.ts";
import { discardMails, retryMails } from "../../src/app/mail-decisions.ts";
import { messageIdFor } from "../../src/mail/headers.ts";
import { type OpenedDatabase, openTestDatabase } from "../support/database.ts";
import { DAY, MINUTE, SECOND } from "../support/durations.ts";
import { audienceOf, openLab } from "../support/lab.ts";
import { startRelay } from "../support/relay.ts";

const settings: MailSettings = {
  from: "Invitewatch <invites@example.com>",
  timezoneOf: () => "UTC",
  quietHoursOf: () => null,
  floodCap: 20,
  messageId: (id, recipient) => messageIdFor(id, recipient, "invites@example.com"),
};

let database: OpenedDatabase;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

/** A mail that the relay refused for good, and what people and the delivery act with. */
async function openWithDead(t: TestContext) {
  const lab = await openLab({ database, plan: { audience: audienceOf("ops@example.com") } });
  const relay = await startRelay();
  t.after(async () => {
    await relay.close();
    await lab.close();
  });
  lab.invite();
  const { notifications } = await lab.sync();
  const id = notifications[0]?.id ?? "";
  const clock = { now: lab.now };
  const { enqueueDeliveries } = database.queue;
  const ports: DeliverPorts = {
    outbox: createOutboxStore(database, enqueueDeliveries),
    transport: createMailTransport(relay.url, (text) => text),
    fallbacks: [],
    clock,
    chance: () => 0.5,
    newId: randomUUID,
  };
  relay.refuse("DATA", 550, "5.6.0 not this");
  await deliver({ notificationId: id }, settings, ports);
  const store = createPeopleStore(database, enqueueDeliveries);
  const rowOf = () => database.prisma.notification.findUniqueOrThrow({ where: { id } });
  assert.equal((await rowOf()).state, "dead");
  return { lab, relay, id, ports, rowOf, people: { store, clock } };
}

test("a dead mail that is retried days later goes out with the same bytes and Message-ID", async (t) => {
  const { lab, relay, id, ports, rowOf, people } = await openWithDead(t);
  lab.pass(6 * DAY);

  await retryMails([id], "jo", people);
  await deliver({ notificationId: id }, settings, ports);

  const { state, reason, error, attempts } = await rowOf();
  const [first, second] = relay.transactions;
  assert.deepEqual([state, reason, error, attempts], ["delivered", null, null, 2]);
  assert.equal(second?.mail, first?.mail);
  assert.equal(await lab.brokenChain(), null);
});

test("a retried mail that fails again is tried for five more days", async (t) => {
  const { lab, relay, id, ports, rowOf, people } = await openWithDead(t);
  lab.pass(6 * DAY);
  relay.refuse("DATA", 451, "later");

  await retryMails([id], "jo", people);
  await deliver({ notificationId: id }, settings, ports);

  const { state, error } = await rowOf();
  assert.equal(state, "pending");
  assert.match(error ?? "", /451/);
});

test("a probe that people ask for and that fails does not put off the next one by more than the last one did", async (t) => {
  const { lab, relay, id, ports, people } = await openWithDead(t);
  t.after(() => database.prisma.relay.deleteMany());
  await relay.close();
  const delays: number[] = [];

  for (const passed of [0, 15 * SECOND, MINUTE, 2 * MINUTE, 4 * MINUTE]) {
    lab.pass(passed);
    await retryMails([id], "jo", people);
    await deliver({ notificationId: id }, settings, ports);
    const { nextProbeAt } = await database.prisma.relay.findUniqueOrThrow({ where: { name: "smtp" } });
    delays.push(Number(nextProbeAt) - lab.now().getTime());
  }

  assert.deepEqual(delays, [15 * SECOND, MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE]);
});

test("a discarded mail is not sent, whatever jobs there are", async (t) => {
  const { relay, id, ports, rowOf, people } = await openWithDead(t);

  await discardMails([id], { by: "jo", reason: "told by phone" }, people);
  const attempt = await deliver({ notificationId: id }, settings, ports);

  assert.equal(attempt.kind, "idle");
  assert.equal(relay.transactions.length, 1);
  assert.equal((await rowOf()).reason, "discarded by jo: told by phone");
});
