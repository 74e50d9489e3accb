/** What is told of mail that could not be delivered, by those who look at the outbox as a whole. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { simpleParser } from "mailparser";
import { createDigestStore } from "../../src/adapters/postgres/digest-store.ts";
import { makeDigests } from "../../src/app/digest.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";
import { audienceOf } from "../support/lab.ts";
import { openStage, type Stage, sync, work } from "./promise-stage.ts";

/** What the digest says that is made now. @param reader whose last digest it follows */
async function digestNow({ lab, ports, settings }: Stage, reader = "reader@example.com"): Promise<string> {
  const { database } = lab;
  const digests = createDigestStore(database, database.queue.enqueueDeliveries);
  const plan = { watchesOf: new Map([[reader, [lab.plan.watch]]]), idFor: () => randomUUID() };
  const [made] = await makeDigests(plan, settings, { ...ports, digests });
  const { mime } = await database.prisma.notification.findUniqueOrThrow({ where: { id: made?.id ?? "" } });
  return ((await simpleParser(Buffer.from(mime ?? []))).text ?? "").replaceAll(/\s+/g, " ");
}

describe("the next digest", () => {
  test("names every mail that was given up, also one that was never tried", async (t) => {
    const stage = await openStage(t, { audience: audienceOf("a@example.com", "b@example.com", "c@example.com") });
    const { lab, relay } = stage;
    await sync(stage);
    await relay.away();
    lab.invite();
    await sync(stage);

    await work(stage, 4 * DAY);
    const before = await digestNow(stage);
    await work(stage, DAY + HOUR);
    const next = await digestNow(stage);
    lab.pass(HOUR);
    const later = await digestNow(stage);

    const dead = await lab.database.prisma.notification.findMany({ where: { state: "dead" } });
    assert.deepEqual([dead.length, dead.some(({ attempts }) => attempts === 0)], [3, true]);
    assert.doesNotMatch(before, /could not be delivered/);
    assert.match(next, /3 mails could not be delivered/);
    for (const who of ["a", "b", "c"]) assert.ok(next.includes(`${who}[at]example[.]com`), who);
    assert.equal(next.match(/within five days/g)?.length, 3);
    assert.doesNotMatch(later, /could not be delivered/);
  });

  test("does not name one that was given up and then sent again", async (t) => {
    const stage = await openStage(t);
    const { lab, relay } = stage;
    await sync(stage);
    relay.script({ at: "recipient", does: "answer", text: "550 5.1.1 no such user" });
    lab.invite();
    await sync(stage);

    const before = await digestNow(stage);
    await lab.database.prisma.notification.updateMany({ where: { state: "dead" }, data: { state: "pending" } });
    const after = await digestNow(stage, "other@example.com");

    assert.match(before, /refused for good: .*550 5\.1\.1/);
    assert.doesNotMatch(after, /could not be delivered/);
  });
});

describe("what a round could not deliver", () => {
  test("is also the mail that was not tried since the mail server is known to be away", async (t) => {
    const stage = await openStage(t);
    const { lab, relay, ports } = stage;
    await sync(stage);
    await relay.away();
    lab.invite();
    await lab.sync();
    await work(stage, 7 * MINUTE);

    lab.invite();
    const roundAt = lab.now();
    await lab.sync();
    await work(stage);
    const undelivered = await ports.outbox.undeliveredSince(roundAt);
    await relay.back();
    await work(stage, HOUR);

    assert.deepEqual(
      undelivered.map(({ recipient, state }) => [recipient, state]),
      [
        ["ops@example.com", "pending"],
        ["ops@example.com", "pending"],
      ],
    );
    assert.match(undelivered[1]?.why ?? "", /^waits for the mail server, down since .*cannot be reached/);
    assert.deepEqual(await ports.outbox.undeliveredSince(lab.now()), []);
  });

  test("is also the mail that it gave up without an attempt", async (t) => {
    const stage = await openStage(t, { audience: audienceOf("a@example.com", "b@example.com") });
    const { lab, relay, ports } = stage;
    await sync(stage);
    await relay.away();
    lab.invite();
    await lab.sync();
    const roundAt = lab.now();
    await work(stage, 5 * DAY + HOUR);

    const { recipient } = await lab.database.prisma.notification.findFirstOrThrow({
      where: { state: "dead", attempts: 0 },
    });
    const why = "the mail server could not be reached within five days";
    const undelivered = await ports.outbox.undeliveredSince(roundAt);
    assert.deepEqual(
      undelivered.filter((one) => one.recipient === recipient),
      [{ recipient, state: "dead", why }],
    );
    assert.deepEqual(await ports.outbox.undeliveredSince(lab.now()), []);
  });
});
