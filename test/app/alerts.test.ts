/** Who is told what and when, from the API to the relay: the rules at work together, over a clock that tests turn. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, type TestContext, test } from "node:test";
import { simpleParser } from "mailparser";
import { createDigestStore } from "../../src/adapters/postgres/digest-store.ts";
import { createOutboxStore } from "../../src/adapters/postgres/outbox-store.ts";
import { createMailTransport } from "../../src/adapters/smtp/transport.ts";
import { deliver } from "../../src/app/deliver.ts";
import type { DeliverPorts, MailSettings } from "../../src/app/delivery-ports.ts";
import { makeDigests } from "../../src/app/digest.ts";
import type { QuietHours } from "../../src/domain/quiet-hours.ts";
import type { Route } from "../../src/domain/routing.ts";
import { messageIdFor } from "../../src/mail/headers.ts";
import { type OpenedDatabase, openTestDatabase } from "../support/database.ts";
import { HOUR, MINUTE } from "../support/durations.ts";
import { type Lab, openLab } from "../support/lab.ts";
import { refused } from "../support/outcomes.ts";
import { type Relay, startRelay } from "../support/relay.ts";

let database: OpenedDatabase;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

type Options = {
  readonly recipients?: readonly string[];
  readonly routes?: readonly Route[];
  readonly quietHours?: QuietHours;
  readonly floodCap?: number;
};

type Stage = {
  readonly lab: Lab;
  readonly relay: Relay;
  readonly ports: DeliverPorts;
  readonly settings: MailSettings;
};

/** A watch past its baseline, whose recipients no other test has, and a relay that accepts all. */
async function open(t: TestContext, options: Options = {}): Promise<Stage & { readonly me: string }> {
  const me = `${randomUUID().slice(0, 8)}@example.com`;
  const { recipients = [me], routes = [], quietHours = null, floodCap = 20 } = options;
  const lab = await openLab({ database, plan: { audience: { recipients, routes, quietHours } } });
  const relay = await startRelay();
  t.after(async () => {
    await relay.close();
    await lab.close();
  });
  const outbox = createOutboxStore(database, database.queue.enqueueDeliveries);
  const transport = createMailTransport(relay.url, String);
  const ports = { outbox, transport, fallbacks: [], clock: { now: lab.now }, chance: () => 0.5, newId: randomUUID };
  const settings: MailSettings = {
    from: "invites@example.com",
    timezoneOf: () => "UTC",
    quietHoursOf: (watch) => (watch === lab.plan.watch ? quietHours : null),
    floodCap,
    messageId: (id, recipient) => messageIdFor(id, recipient, "invites@example.com"),
  };
  const stage = { lab, relay, ports, settings };
  assert.deepEqual(await sync(stage), recipients.length === 0 ? [] : ["inventory"]);
  return { ...stage, me };
}

/** Turns the clock on, syncs, and delivers what is due; the kinds of the mails that went out. */
async function sync(stage: Stage, passMs = 0): Promise<readonly string[]> {
  stage.lab.pass(passMs);
  await stage.lab.sync();
  return deliverDue(stage);
}

/** Tries everything whose time has come, as the queue would. */
async function deliverDue({ lab, relay, ports, settings }: Stage): Promise<readonly string[]> {
  const sentBefore = relay.transactions.length;
  for (;;) {
    const due = await database.prisma.notification.findMany({
      where: { state: "pending", nextAttemptAt: { lte: lab.now() } },
      orderBy: { createdAt: "asc" },
    });
    if (due.length === 0) break;
    for (const { id } of due) await deliver({ notificationId: id }, settings, ports);
  }
  const mails = await Promise.all(relay.transactions.slice(sentBefore).map(({ mail }) => simpleParser(mail)));
  return mails.map((mail) => String(mail.headers.get("x-invitewatch-kind")));
}

async function lastMail({ relay }: Stage) {
  return simpleParser(relay.transactions.at(-1)?.mail ?? "");
}

const NIGHT: QuietHours = { fromMinute: 22 * 60, toMinute: 7 * 60, timezone: "UTC" };

describe("quiet hours", () => {
  test("hold what comes at night, and one mail tells it all in the morning", async (t) => {
    const stage = await open(t, { quietHours: NIGHT });
    const { lab } = stage;
    lab.pass(13 * HOUR);

    const atNight: string[] = [];
    for (const name of ["Acme", "Northwind", "Globex"]) {
      lab.invite({ organization_name: name });
      atNight.push(...(await sync(stage, HOUR)));
    }
    lab.pass(6 * HOUR);
    const inTheMorning = await deliverDue(stage);

    assert.deepEqual([atNight, inTheMorning], [[], ["summary"]]);
    const { text = "" } = await lastMail(stage);
    for (const said of ["Acme", "Northwind", "Globex", "quiet hours"]) assert.ok(text.includes(said), said);
  });

  test("let through what ends before they do", async (t) => {
    const stage = await open(t, { quietHours: NIGHT });
    stage.lab.pass(13 * HOUR);
    stage.lab.invite({ expires_on: stage.lab.inMs(4 * HOUR) });

    const sent = await sync(stage);

    assert.deepEqual(sent, ["invite.expiring"]);
  });

  test("send no reminder in the morning of what was answered at night", async (t) => {
    const stage = await open(t, { quietHours: NIGHT });
    const { lab } = stage;
    const invite = lab.invite({ expires_on: lab.inMs(36 * HOUR) });
    await sync(stage);
    // At 22:30 the reminder of 24 hours is due, and waits.
    await sync(stage, 12.5 * HOUR);
    lab.api.invites.update(invite.id, { status: "accepted" });
    await sync(stage, HOUR);
    lab.pass(8 * HOUR);

    const sent = await deliverDue(stage);

    assert.deepEqual(sent, ["invite.status_changed"]);
    const [suppression] = await database.prisma.suppression.findMany({ where: { watchName: lab.plan.watch } });
    assert.deepEqual(
      [suppression?.reason, suppression?.detail],
      ["moot", "the invitation was accepted before the reminder was sent"],
    );
  });
});

describe("the limit of mails per hour", () => {
  test("folds what is beyond it into one summary, and drops nothing", async (t) => {
    const stage = await open(t, { floodCap: 3 });
    const { lab } = stage;
    lab.pass(HOUR);

    const within: string[] = [];
    for (let nth = 0; nth < 8; nth += 1) {
      lab.invite({ organization_name: `Organization ${nth}` });
      within.push(...(await sync(stage, MINUTE)));
    }
    lab.pass(HOUR);
    const later = await deliverDue(stage);

    assert.deepEqual(within, ["invite.received", "invite.received", "invite.received"]);
    assert.deepEqual(later, ["summary"]);
    const { text = "" } = await lastMail(stage);
    for (let nth = 3; nth < 8; nth += 1) assert.ok(text.includes(`Organization ${nth}`), `Organization ${nth}`);
  });
});

describe("a status that goes back and forth", () => {
  test("is told twice at once, and then in one mail with a count when it has settled", async (t) => {
    const stage = await open(t);
    const { lab } = stage;
    const invite = lab.invite();
    await sync(stage);

    const turns: (readonly string[])[] = [];
    for (const status of ["accepted", "pending", "accepted", "pending", "rejected"]) {
      lab.api.invites.update(invite.id, { status });
      turns.push(await sync(stage, 10 * MINUTE));
    }
    lab.pass(HOUR);
    const settled = await deliverDue(stage);

    assert.deepEqual(turns, [["invite.status_changed"], ["invite.status_changed"], [], [], []]);
    assert.deepEqual(settled, ["summary"]);
    const { text = "" } = await lastMail(stage);
    assert.match(text.replaceAll(/\s+/g, " "), /back and forth: 3 changes/);
  });
});

describe("an outcome", () => {
  test("is told to those who were told of the invite, and to nobody else", async (t) => {
    const legal = `legal-${randomUUID().slice(0, 8)}@example.com`;
    const match = { watch: null, organization: ["Acme*"], inviter: null, role: null, type: ["invite.received"] };
    const stage = await open(t, { routes: [{ name: "routes[0]", match, to: [legal], also: false }] });
    const { lab, relay } = stage;
    const invite = lab.invite({ organization_name: "Acme Labs" });
    await sync(stage);
    lab.api.invites.update(invite.id, { status: "accepted" });

    await sync(stage, 15 * MINUTE);

    assert.deepEqual(
      relay.transactions.slice(1).map(({ to }) => to),
      [legal, legal],
    );
    const { rules } = await database.prisma.notification.findFirstOrThrow({
      where: { watchName: lab.plan.watch, kind: "invite.status_changed" },
    });
    assert.deepEqual(rules, ["told of it"]);
  });
});

describe("a blind watch", () => {
  test("is told once, with what may end meanwhile, and so is that it sees again", async (t) => {
    const stage = await open(t);
    const { lab } = stage;
    lab.invite({ organization_name: "Acme", expires_on: lab.inMs(80 * HOUR) });
    await sync(stage);
    lab.api.fail({ kind: "answer", answer: { status: 502, body: "bad gateway" } });

    const blind = [];
    for (let nth = 0; nth < 5; nth += 1) blind.push(await sync(stage, 15 * MINUTE));
    const blindMail = await lastMail(stage);
    lab.api.clearFailures();
    const seeing = [await sync(stage, 15 * MINUTE), await sync(stage, 15 * MINUTE)];

    assert.deepEqual(blind, [[], [], ["watch.blind"], [], []]);
    assert.deepEqual(seeing, [["watch.recovered"], []]);
    assert.match(blindMail.text ?? "", /Acme/);
    assert.equal(await lab.brokenChain(), null);
  });
});

describe("a thread", () => {
  test("holds every mail about one invite, and none about another", async (t) => {
    const stage = await open(t);
    const { lab, relay } = stage;
    const invite = lab.invite();
    await sync(stage);
    lab.api.invites.update(invite.id, { status: "accepted" });
    await sync(stage, 15 * MINUTE);
    lab.invite();

    await sync(stage, 15 * MINUTE);

    const [first, second, other] = await Promise.all(relay.transactions.slice(1).map(({ mail }) => simpleParser(mail)));
    assert.equal(second?.inReplyTo, first?.messageId);
    const references = (mail: typeof first) => [mail?.references ?? []].flat();
    assert.deepEqual(references(second), [...references(first), first?.messageId]);
    assert.deepEqual(
      references(other).filter((id) => references(second).includes(id)),
      [],
    );
  });
});

describe("a mail that was given up", () => {
  test("is told in the next mail, once", async (t) => {
    const stage = await open(t);
    const { lab } = stage;
    lab.invite();
    await lab.sync();
    const lost = await database.prisma.notification.findFirstOrThrow({
      where: { watchName: lab.plan.watch, state: "pending" },
    });
    await stage.ports.outbox.begin({
      id: lost.id,
      attempts: 0,
      onlyIfWell: true,
      at: lab.now(),
      subject: "lost",
      mime: Buffer.from("lost"),
    });
    const receipt = {
      state: "dead",
      at: lab.now(),
      error: "550 5.1.1 gone",
      reason: "refused",
    } as const;
    const outcome = refused("recipient", receipt.error);
    const attempted = { number: 1, startedAt: lab.now(), way: "smtp", outcome } as const;
    await stage.ports.outbox.receive(lost.id, receipt, [attempted], null);

    const texts: string[] = [];
    for (const name of ["Acme", "Northwind"]) {
      lab.invite({ organization_name: name });
      await sync(stage, 15 * MINUTE);
      texts.push((await lastMail(stage)).text ?? "");
    }

    assert.deepEqual(
      texts.map((text) => text.includes("could not be delivered")),
      [true, false],
    );
  });
});

describe("a digest", () => {
  test("says that all is quiet, and is made once however often its job runs", async (t) => {
    const stage = await open(t);
    const { lab, ports, settings } = stage;
    const me = `${randomUUID().slice(0, 8)}@example.com`;
    const digests = createDigestStore(database, database.queue.enqueueDeliveries);
    const id = randomUUID();
    const plan = { watchesOf: new Map([[me, [lab.plan.watch]]]), idFor: () => id };
    lab.pass(HOUR);
    await lab.sync();

    for (let run = 0; run < 2; run += 1) await makeDigests(plan, settings, { ...ports, digests });
    const sent = await deliverDue(stage);

    assert.deepEqual(sent, ["digest"]);
    const mail = await lastMail(stage);
    const { headHash } = await database.prisma.watch.findUniqueOrThrow({ where: { name: lab.plan.watch } });
    assert.match(mail.subject ?? "", /^Digest: .*nothing pending$/);
    assert.ok(mail.text?.includes(headHash));
  });
});
