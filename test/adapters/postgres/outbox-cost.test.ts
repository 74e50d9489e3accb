/** What it costs to decide about many mails of one recipient: as much for each, however many there are. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { createOutboxStore } from "../../../src/adapters/postgres/outbox-store.ts";
import { decideDispatch } from "../../../src/domain/delivery/dispatch.ts";
import type { QuietHours } from "../../../src/domain/quiet-hours.ts";
import type { Prisma, PrismaClient } from "../../../src/generated/prisma/client.ts";
import { after as later, NOW } from "../../support/build.ts";
import { type OpenedDatabase, openTestDatabase } from "../../support/database.ts";
import { HOUR } from "../../support/durations.ts";
import { openLab } from "../../support/lab.ts";

let database: OpenedDatabase;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

type Cost = { statements: number; rows: number };

/** The client, counting what its transactions ask for in SQL and how many rows they get. */
function counting(prisma: PrismaClient, cost: Cost): PrismaClient {
  const counted = (tx: Prisma.TransactionClient) =>
    new Proxy(tx, {
      get(target, name) {
        if (name !== "$queryRaw" && name !== "$executeRaw") return Reflect.get(target, name);
        return async (...args: Parameters<Prisma.TransactionClient["$queryRaw"]>) => {
          const result = await target[name](...args);
          cost.statements += 1;
          cost.rows += Array.isArray(result) ? result.length : 0;
          return result;
        };
      },
    });
  type Work = (tx: Prisma.TransactionClient) => Promise<unknown>;
  const transaction = (work: Work, options?: object) => prisma.$transaction((tx) => work(counted(tx)), options);
  return new Proxy(prisma, {
    get: (target, name) => (name === "$transaction" ? transaction : Reflect.get(target, name)),
  });
}

type Setting = {
  readonly heldBy: string | null;
  readonly quietHours?: QuietHours;
  readonly floodCap?: number;
  readonly silenced?: boolean;
  /** Whether all are claimed in one batch. */
  readonly together?: boolean;
};

/** Looks once at each of so many mails to one person, each of an invitation of its own, that are due now. */
async function lookAt(
  count: number,
  { heldBy, quietHours, floodCap = 10_000, silenced = false, together = false }: Setting,
) {
  const lab = await openLab({ database });
  for (let nth = 0; nth < count; nth += 1) lab.invite({ organization_name: "Acme" });
  const { events } = await lab.sync();
  await lab.close();
  const { prisma } = database;
  const recipient = `${randomUUID()}@example.com`;
  const received = events.filter(({ type }) => type === "invite.received");
  const mails = received.map(({ seq, watch: watchName }) => {
    const id = randomUUID();
    const about = { recipient, kind: "invite.received", messageId: id, state: "pending", heldBy, eventSeqs: [seq] };
    return { id, watchName, createdAt: NOW, nextAttemptAt: NOW, ...about };
  });
  await prisma.notification.createMany({ data: mails });
  const silence = { organization: "Acme", until: later(HOUR), reason: "a move", createdBy: "jo", createdAt: NOW };
  if (silenced) await prisma.silence.create({ data: { id: randomUUID(), ...silence } });
  const cost: Cost = { statements: 0, rows: 0 };
  const outbox = createOutboxStore({ ...database, prisma: counting(prisma, cost) }, database.queue.enqueueDeliveries);
  const newSummary = () => ({ id: randomUUID(), messageId: randomUUID() });
  const rules = { now: NOW, quietHoursOf: () => quietHours ?? null, floodCap, hasFallback: false, newSummary };
  const kinds: string[] = [];
  const jobs = mails.map(({ id }) => ({ notificationId: id }));
  for (const batch of together ? [jobs] : jobs.map((job) => [job])) {
    const claims = await outbox.claim(batch, NOW, (input) => decideDispatch(input, rules));
    kinds.push(...claims.map((one) => (one.status === "fulfilled" ? one.value.kind : String(one.reason))));
  }
  await prisma.silence.deleteMany();
  const waiting = await prisma.notification.count({ where: { recipient, nextAttemptAt: { gt: NOW } } });
  return { ...cost, kinds, waiting };
}

const QUIET: QuietHours = { fromMinute: 8 * 60, toMinute: 12 * 60, timezone: "UTC" };

describe("the cost of mails that are looked at grows with their number and not with its square", () => {
  for (const [words, setting] of [
    ["that are held on by quiet hours", { heldBy: "quiet-hours", quietHours: QUIET }],
    ["that are held on by a full hour", { heldBy: "flood", floodCap: 0 }],
    ["that are held on by a silence", { heldBy: "silence", silenced: true }],
    ["that become one", { heldBy: "quiet-hours" }],
    ["that were never held, of which the hour takes a few", { heldBy: null, floodCap: 5 }],
  ] as const) {
    test(words, async () => {
      const few = await lookAt(20, setting);
      const many = await lookAt(180, setting);

      assert.ok(many.rows <= 16 * 180, `${many.rows} rows for 180 mails`);
      assert.ok(many.statements <= 16 * 180, `${many.statements} statements for 180 mails`);
      const perMail = ({ rows, statements }: Cost, count: number) => (rows + statements) / count;
      assert.ok(perMail(many, 180) <= 1.5 * perMail(few, 20), `${perMail(few, 20)} then ${perMail(many, 180)} a mail`);
    });
  }

  test("and none is forgotten that is held along with another", async () => {
    const { waiting, kinds } = await lookAt(30, { heldBy: "quiet-hours", quietHours: QUIET });

    assert.equal(waiting, 30);
    assert.deepEqual(kinds.slice(0, 2), ["held", "idle"]);
  });
});

describe("a batch of mails is decided about in as many statements, however many there are", () => {
  const RECEIVED = { heldBy: null, together: true } as const;

  for (const [words, prepare] of [
    ["", async () => {}],
    [" after an outage of a day", () => noteOutage()],
    [" with a dead letter of the last two weeks", () => noteDeadLetter()],
  ] as const) {
    test(`also${words}`.replace(/^also$/, "of every day"), async (t) => {
      await prepare();
      t.after(() => database.prisma.relay.deleteMany());

      const few = await lookAt(10, RECEIVED);
      const many = await lookAt(100, RECEIVED);

      assert.ok(
        many.statements <= few.statements + 1 && many.statements <= 16,
        `${few.statements}, ${many.statements}`,
      );
      assert.ok(many.kinds.includes("send") || many.kinds.includes("folded"));
    });
  }
});

async function noteOutage(): Promise<void> {
  await database.prisma.relay.create({
    data: { name: "smtp", outageSince: later(-25 * HOUR), outageUntil: later(-HOUR) },
  });
}

async function noteDeadLetter(): Promise<void> {
  const { prisma } = database;
  const watch = await prisma.watch.findFirstOrThrow();
  await prisma.$executeRaw`
    INSERT INTO event (watch, seq, id, type, occurred_at, recorded_at, data, prev_hash, hash)
    VALUES (${watch.name}, 1000000, gen_random_uuid(), 'notification.dead', ${NOW}, ${NOW}, '{}', 'x', 'x')`;
}
