/** The promise, clause by clause, from the API to the mail server. docs/guarantees.md names what else holds each. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { simpleParser } from "mailparser";
import { createReader } from "../../src/adapters/postgres/read-store.ts";
import { badGateway, failureWith200, success } from "../../src/demo/cloudflare-answers.ts";
import type { FailurePlan } from "../../src/demo/cloudflare-failures.ts";
import { createLogger } from "../../src/log.ts";
import { healthPages } from "../../src/web/health.ts";
import { createReadiness } from "../../src/web/readiness.ts";
import { serveHttp } from "../../src/web/server.ts";
import { runCommand } from "../cli/command.ts";
import { route } from "../support/build.ts";
import { deliver } from "../support/deliver.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";
import { freePort } from "../support/free-port.ts";
import { audienceOf } from "../support/lab.ts";
import { openStage, owed, type Stage, sync, told, work } from "./promise-stage.ts";

describe("every event that a sync commits is delivered to every recipient it was routed to", () => {
  test("where the mail server refuses every mail for now, once", async (t) => {
    const routes = [route({ organization: ["Acme"] }, { to: ["legal@example.com"], also: true })];
    const audience = { ...audienceOf("ops@example.com", "lead@example.com"), routes };
    const stage = await openStage(t, { audience });
    const { lab, relay } = stage;
    const greylisted = { at: "recipient", does: "answer", text: "451 4.7.1 come back later", times: 1 } as const;
    const busy = async () => {
      relay.script(greylisted, greylisted, greylisted);
      await sync(stage);
    };

    lab.invite({ organization_name: "Northwind" });
    const acme = lab.invite({ organization_name: "Acme" });
    await busy();
    lab.invite({ organization_name: "Acme" });
    lab.invite({ organization_name: "Globex" });
    await busy();
    lab.api.invites.update(acme.id, { status: "accepted" });
    await busy();
    await work(stage, DAY);

    const expected = [
      ...(await owed(stage, "ops@example.com")),
      ...(await owed(stage, "lead@example.com")),
      ...(await owed(stage, "legal@example.com", "Acme")),
    ];
    assert.deepEqual(await told(stage), expected.sort());
    assert.equal(expected.length, 6 + 6 + 3);
  });

  test("where mail is accepted again a minute before five days are over", async (t) => {
    const stage = await openStage(t);
    const { lab, relay } = stage;
    await relay.away();
    lab.invite();
    const isOver = +lab.now() + 5 * DAY;
    await sync(stage);
    lab.invite();
    await sync(stage);

    await work(stage, isOver - MINUTE - +lab.now());
    await relay.back();
    await work(stage, MINUTE);

    assert.deepEqual(await told(stage), (await owed(stage, "ops@example.com")).toSorted());
  });

  test("where mail is accepted again two minutes before the event stops being useful", async (t) => {
    const stage = await openStage(t);
    const { lab, relay } = stage;
    await sync(stage);
    const isOver = +lab.now() + 30 * HOUR;
    lab.invite({ expires_on: new Date(isOver).toISOString() });
    await sync(stage);
    lab.pass(7 * HOUR);
    await relay.away();
    await sync(stage);

    await work(stage, isOver - 2 * MINUTE - +lab.now());
    await relay.back();
    await work(stage, 2 * MINUTE);

    assert.equal((await lab.history()).at(-1)?.type, "invite.expiring");
    assert.deepEqual(await told(stage), (await owed(stage, "ops@example.com")).toSorted());
  });

  test("where the mail that probed the mail server came to its end before that was back", async (t) => {
    const stage = await openStage(t);
    const { lab, relay } = stage;
    lab.invite({ expires_on: lab.inMs(30 * HOUR) });
    await sync(stage);
    await relay.away();
    lab.pass(7 * HOUR);
    await sync(stage);
    lab.invite();
    await sync(stage);

    await work(stage, 24 * HOUR);
    await relay.back();
    await work(stage, 2 * HOUR);

    const reminder = (await lab.history()).findLast(({ type }) => type === "invite.expiring");
    const expected = (await owed(stage, "ops@example.com")).filter((one) => !one.endsWith(`/${reminder?.seq}`));
    assert.deepEqual(await told(stage), expected.toSorted());
  });

  test("where the hour is full of other mails", async (t) => {
    const stage = await openStage(t, { floodCap: 2 });
    const { lab, relay } = stage;
    for (let nth = 0; nth < 4; nth += 1) {
      lab.invite();
      await sync(stage);
    }

    await work(stage, 2 * HOUR);

    assert.deepEqual(await told(stage), (await owed(stage, "ops@example.com")).toSorted());
    assert.equal(relay.accepted.length, 3, "a summary takes the place of two");
  });

  test("where the invitation is answered before its mail could leave", async (t) => {
    const stage = await openStage(t);
    const { lab, relay } = stage;
    await sync(stage);
    await relay.away();
    const invite = lab.invite();
    await sync(stage);
    lab.api.invites.update(invite.id, { status: "accepted" });
    await sync(stage);

    await work(stage, 8 * HOUR);
    await relay.back();
    await work(stage, 2 * HOUR);

    assert.deepEqual(await told(stage), (await owed(stage, "ops@example.com")).toSorted());
  });
});

describe("a repeat carries the same Message-ID and the same bytes", () => {
  const ENDS = [
    ["the mail server's answer was lost", "drop"],
    ["the process died before the answer came", "hang"],
  ] as const;
  for (const [what, does] of ENDS) {
    test(`where ${what}`, async (t) => {
      const stage = await openStage(t);
      const { lab, relay, ports, settings } = stage;
      const invite = lab.invite();
      const { notifications } = await lab.sync();
      const notificationId = notifications[0]?.id ?? "";
      relay.script({ at: "answer", does, keeps: true });
      const first = deliver({ notificationId }, settings, ports);
      await relay.whenAccepted(1);
      if (does === "drop") await first;
      // What the mail is about has changed meanwhile; the mail has not.
      lab.pass(MINUTE);
      lab.api.invites.update(invite.id, { organization_name: "Renamed" });
      await lab.sync();

      await deliver({ notificationId, takeOver: does === "hang" }, settings, ports);

      const [one, other] = relay.accepted;
      assert.equal(relay.accepted.length, 2);
      assert.equal(one?.messageId, notifications[0]?.messageId);
      assert.equal(other?.messageId, one?.messageId);
      assert.equal(String(other?.bytes), String(one?.bytes));
      await relay.cut();
      await first;
    });
  }
});

describe("a mail that was accepted is not sent again", () => {
  test("where a replica was paused until another had sent it", async (t) => {
    const { lab, relay, ports, settings } = await openStage(t);
    const { notifications } = await lab.sync();
    const job = { notificationId: notifications[0]?.id ?? "" };
    const paused: typeof ports.outbox = {
      ...ports.outbox,
      async startAttempts(...args) {
        await deliver(job, settings, ports);
        return ports.outbox.startAttempts(...args);
      },
    };

    const woken = await deliver(job, settings, { ...ports, outbox: paused });

    assert.equal(woken.kind, "idle");
    assert.equal(relay.accepted.length, 1);
  });

  /** One replica is paused once it was answered, and wakes while the one that took over is sending. */
  async function overtake({ lab, ports, settings }: Stage) {
    const { transport } = ports;
    const { notifications } = await lab.sync();
    const job = { notificationId: notifications[0]?.id ?? "" };
    const [paused, woken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const sleeps: typeof transport.send = async (...args) => {
      const outcome = await transport.send(...args);
      paused.resolve();
      await woken.promise;
      return outcome;
    };
    const first = deliver(job, settings, { ...ports, transport: { ...transport, send: sleeps } });
    await paused.promise;
    const sends: typeof transport.send = async (...args) => {
      woken.resolve();
      await first;
      return transport.send(...args);
    };
    await deliver({ ...job, takeOver: true }, settings, { ...ports, transport: { ...transport, send: sends } });
    return first;
  }

  const ANSWERS = [
    ["a failure of the mail server", { at: "recipient", does: "drop" }, "failed"],
    ["a refusal for now", { at: "answer", does: "answer", text: "451 4.3.0 later" }, "failed"],
    ["a refusal for good", { at: "answer", does: "answer", text: "554 5.6.0 no" }, "refused"],
  ] as const;
  for (const [what, fault, outcome] of ANSWERS) {
    test(`where a replica was paused, and wakes with ${what} while another is sending it`, async (t) => {
      const stage = await openStage(t);
      const { lab, relay, ports } = stage;
      relay.script(fault);

      const woken = await overtake(stage);
      await work(stage, HOUR);

      const { state, attempts, tries } = await lab.database.prisma.notification.findFirstOrThrow({
        include: { tries: { orderBy: { number: "asc" } } },
      });
      assert.equal(relay.accepted.length, 1);
      assert.deepEqual([woken.kind === "attempted" && woken.receipt, state, attempts], [null, "delivered", 2]);
      assert.deepEqual(
        tries.map((one) => [one.number, one.outcome]),
        [
          [1, outcome],
          [2, "accepted"],
        ],
      );
      assert.equal((await ports.outbox.mailServer()).downSince, null);
      assert.ok(!(await lab.history()).some(({ type }) => type === "notification.dead"));
    });
  }

  test("where a replica was paused, and wakes with the acceptance after another was refused", async (t) => {
    const stage = await openStage(t);
    const { lab, relay, ports, settings } = stage;
    const { notifications } = await lab.sync();
    const job = { notificationId: notifications[0]?.id ?? "" };
    const { transport } = ports;
    const sleeps: typeof transport.send = async (...args) => {
      const outcome = await transport.send(...args);
      relay.script({ at: "recipient", does: "answer", text: "451 4.7.1 you again" });
      await deliver({ ...job, takeOver: true }, settings, ports);
      return outcome;
    };

    await deliver(job, settings, { ...ports, transport: { ...transport, send: sleeps } });
    await work(stage, HOUR);

    const { state, reason } = await lab.database.prisma.notification.findFirstOrThrow();
    assert.deepEqual([state, relay.accepted.length], ["delivered", 1]);
    assert.match(reason ?? "", /may be a repeat/);
  });
});

describe("what could not be delivered is visible", () => {
  /** The first mail is refused for good, and the next one is not. */
  async function lose(t: TestContext): Promise<Stage> {
    const stage = await openStage(t);
    stage.relay.script({ at: "recipient", does: "answer", text: "550 5.1.1 no such user" });
    await sync(stage);
    assert.equal(stage.relay.accepted.length, 0);
    return stage;
  }

  test("in `status`, which exits 1", async (t) => {
    const { lab } = await lose(t);

    const { code, stdout } = await runCommand(["status"], { url: lab.database.url, now: lab.now() });

    assert.equal(code, 1);
    assert.match(stdout, /given up +1/);
  });

  test("in `/readyz`, which answers 503", async (t) => {
    const { lab } = await lose(t);
    const watches = [{ name: lab.plan.watch, intervalMs: HOUR }];
    const readiness = createReadiness({ watches, clock: { now: lab.now } });
    readiness.attach(createReader(lab.database));
    const port = await freePort();
    const log = createLogger({ level: "silent", format: "json", redact: String });
    const server = await serveHttp({ host: "127.0.0.1", port }, healthPages(readiness), log);
    t.after(server.close);

    const response = await fetch(`http://127.0.0.1:${port}/readyz`);

    assert.equal(response.status, 503);
    assert.match(await response.text(), /"1 mail was given up/);
  });

  test("in the next mail", async (t) => {
    const stage = await lose(t);
    stage.lab.invite();

    await sync(stage);

    const { text = "" } = await simpleParser(stage.relay.accepted[0]?.bytes ?? "");
    assert.match(text.replaceAll(/\s+/g, " "), /could not be delivered.*no such user/);
  });

  test("in the history, with the reason", async (t) => {
    const { lab } = await lose(t);

    const { stdout } = await runCommand(["history", "--type", "notification.dead", "--json"], {
      url: lab.database.url,
      now: lab.now(),
    });

    const { events } = JSON.parse(stdout);
    assert.equal(events.length, 1);
    assert.equal(events[0].data.recipient, "ops@example.com");
    assert.match(events[0].data.reason, /550 5\.1\.1 no such user/);
  });
});

describe("no invite is ever reported gone on the strength of a failed or partial read:", () => {
  const noneOf59 = {
    status: 200,
    body: success([], { result_info: { page: 1, per_page: 50, count: 0, total_count: 59 } }),
  };
  const READS: readonly (readonly [string, FailurePlan])[] = [
    ["a connection that is dropped", { kind: "drop" }],
    ["a gateway's error page", { kind: "answer", answer: badGateway }],
    ["an error on the second page", { kind: "answer", answer: badGateway, match: "page=2" }],
    ["a second page that breaks off", { kind: "cut", match: "page=2" }],
    ["an empty list that is not all", { kind: "answer", answer: noneOf59 }],
    ["a list that is shorter than its count", { kind: "answer", answer: noneOf59, match: "page=2" }],
    ["an empty list that is no success", { kind: "answer", answer: failureWith200 }],
  ];
  for (const [what, failure] of READS) {
    test(what, async (t) => {
      const { lab } = await openStage(t);
      const invites = Array.from({ length: 60 }, () => lab.invite());
      await lab.sync();
      // One is really gone, and was missed once already.
      lab.api.invites.remove(invites[0]?.id ?? "");
      lab.pass(15 * MINUTE);
      await lab.sync();

      lab.api.fail(failure);
      for (let nth = 0; nth < 3; nth += 1) {
        lab.pass(15 * MINUTE);
        assert.notEqual((await lab.sync()).sync.outcome, "complete");
      }

      const known = [...(await lab.known()).values()];
      assert.deepEqual([known.length, new Set(known.map(({ status }) => status))], [60, new Set(["pending"])]);
      const reported = new Set((await lab.history()).map(({ type }) => type));
      assert.ok(!reported.has("invite.withdrawn") && !reported.has("invite.status_changed"), [...reported].join());
    });
  }
});
