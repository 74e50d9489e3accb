import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createMailTransport } from "../../src/adapters/smtp/transport.ts";
import { createWebhook } from "../../src/adapters/webhook/webhook.ts";
import type { FallbackChannel } from "../../src/app/fallback.ts";
import { refusals } from "../../src/demo/cloudflare-answers.ts";
import type { Audience } from "../../src/domain/plan.ts";
import { deliver } from "../support/deliver.ts";
import { DAY, HOUR, MINUTE } from "../support/durations.ts";
import { startFaultyRelay } from "../support/faulty-relay.ts";
import { audienceOf } from "../support/lab.ts";
import { startReceiver } from "../support/webhook-receiver.ts";
import { openStage, type Stage, sync, told, work } from "./promise-stage.ts";

const SECRET = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;

/** A stage whose second way out is a webhook, after another mail server where that is asked for. */
async function open(
  t: TestContext,
  { withMail = false, audience = audienceOf("ops@example.com") }: { withMail?: boolean; audience?: Audience } = {},
) {
  const receiver = await startReceiver();
  const other = await startFaultyRelay();
  t.after(() => Promise.all([receiver.close(), other.close()]));
  let now = () => new Date();
  const clock = { now: () => now() };
  const transport = createMailTransport(other.url, String);
  const bySmtp: FallbackChannel = {
    name: "smtp",
    send: ({ mime, recipient }) => transport.send(mime, { from: "invites@example.com", to: recipient }),
  };
  const webhook = createWebhook({ url: receiver.url, secret: SECRET }, { redact: String, clock });
  const stage = await openStage(t, { audience, fallbacks: withMail ? [bySmtp, webhook] : [webhook] });
  now = stage.lab.now;
  return { ...stage, stage, receiver, other };
}

/** A watch that saw once, and then had its credential refused until people had to be told. */
async function goBlind(stage: Stage): Promise<string> {
  stage.lab.api.fail({ kind: "answer", answer: refusals.tokenUnknown, times: 100 });
  await stage.lab.sync();
  const { notifications } = await stage.lab.sync();
  const [blind] = notifications;
  assert.equal(blind?.kind, "watch.blind");
  return blind.id;
}

function rowOf({ lab }: Stage, id: string) {
  return lab.database.prisma.notification.findUniqueOrThrow({
    where: { id },
    include: { tries: { orderBy: { number: "asc" } } },
  });
}

function kindsOf(posts: readonly { readonly body: string }[]): readonly string[] {
  return posts.map(({ body }) => JSON.parse(body).data.kind);
}

describe("while the mail server is away", () => {
  test("an invitation that is first seen shortly before its end is told by the second way out at once", async (t) => {
    const { stage, lab, relay, receiver } = await open(t);
    await sync(stage);
    await relay.away();
    lab.invite({ expires_on: lab.inMs(25 * MINUTE) });

    await sync(stage);

    assert.deepEqual(kindsOf(receiver.posts), ["invite.expiring"]);
  });

  test("each recipient hears by the second way out that a mail was given up", async (t) => {
    const { stage, lab, relay, receiver } = await open(t, {
      audience: audienceOf("ops@example.com", "lead@example.com", "gone@example.com"),
    });
    await sync(stage);
    relay.script({ at: "recipient", does: "answer", text: "550 5.1.1 no such user", to: "gone@example.com" });
    lab.invite();
    await sync(stage);
    await relay.away();
    lab.invite();

    await sync(stage);
    await work(stage, 2 * HOUR);

    const told = receiver.posts.map(({ body }) => JSON.parse(body).data.recipient);
    assert.deepEqual(told.toSorted(), ["gone@example.com", "lead@example.com", "ops@example.com"]);
  });

  test("a mail is given up when the second way fails too as its five days end, and not tried without end", async (t) => {
    const { stage, lab, relay, receiver } = await open(t);
    await sync(stage);
    await relay.away();
    receiver.answer((response) => response.writeHead(500).end());
    lab.invite();
    const { notifications } = await lab.sync();
    const id = notifications[0]?.id ?? "";

    await work(stage, 5 * DAY + HOUR);

    const { state, tries } = await rowOf(stage, id);
    const ways = tries.slice(-2).map(({ way }) => way);
    assert.deepEqual([state, ...ways], ["dead", "smtp", "fallback-webhook"]);
    assert.equal(receiver.posts.length, 1);
  });
});

describe("while the mail server is away, an alert that cannot wait", () => {
  test("takes the second way out after half an hour, and is delivered", async (t) => {
    const { stage, relay, receiver } = await open(t);
    await sync(stage);
    await relay.away();
    const id = await goBlind(stage);

    await work(stage, 29 * MINUTE);
    const before = receiver.posts.length;
    await work(stage, 2 * MINUTE);

    const { state, response, tries } = await rowOf(stage, id);
    assert.deepEqual([before, ...kindsOf(receiver.posts)], [0, "watch.blind"]);
    assert.deepEqual([state, response, tries.at(-1)?.way], ["delivered", "HTTP 204", "fallback-webhook"]);
  });

  test("takes it also where it was the mail that found out that the server is still away", async (t) => {
    const { stage, lab, relay, receiver } = await open(t);
    await sync(stage);
    await relay.away();
    const id = await goBlind(stage);
    // Its bytes are kept, and all is as if it had waited for hours for the one probe that is due now.
    await work(stage);
    const down = { downSince: lab.now(), failures: 9, nextProbeAt: lab.now(), failedAt: lab.now(), error: "refused" };
    await lab.database.prisma.relay.updateMany({ data: down });
    lab.pass(HOUR);
    await lab.database.prisma.notification.update({ where: { id }, data: { nextAttemptAt: lab.now() } });

    await work(stage, MINUTE);

    const { state, tries } = await rowOf(stage, id);
    assert.deepEqual(
      tries.map(({ way }) => way),
      ["smtp", "smtp", "fallback-webhook"],
    );
    assert.deepEqual([state, receiver.posts.length], ["delivered", 1]);
  });

  test("goes by the other mail server, with the same bytes, before the webhook is asked", async (t) => {
    const { stage, lab, relay, receiver, other } = await open(t, { withMail: true });
    await sync(stage);
    await relay.away();
    const id = await goBlind(stage);

    await work(stage, HOUR);

    const { mime } = await lab.database.prisma.notification.findUniqueOrThrow({ where: { id } });
    assert.deepEqual(
      other.accepted.map(({ bytes }) => bytes.equals(mime ?? Buffer.alloc(0))),
      [true],
    );
    assert.equal(receiver.posts.length, 0);
  });

  test("goes by the webhook where the other mail server will not have it", async (t) => {
    const { stage, relay, receiver, other } = await open(t, { withMail: true });
    await sync(stage);
    await relay.away();
    await other.away();
    const id = await goBlind(stage);

    await work(stage, HOUR);

    const { attempts, tries } = await rowOf(stage, id);
    assert.deepEqual(kindsOf(receiver.posts), ["watch.blind"]);
    assert.deepEqual(
      tries.slice(-2).map(({ way, outcome, stage: at }) => [way, outcome, at]),
      [
        ["fallback-smtp", "failed", "connect"],
        ["fallback-webhook", "accepted", "answer"],
      ],
    );
    assert.equal(attempts, tries.length);
  });

  test("goes no further way where another replica took it over meanwhile", async (t) => {
    const { stage, lab, relay, receiver, other } = await open(t, { withMail: true });
    const { ports, settings } = stage;
    await sync(stage);
    await relay.away();
    await other.away();
    const id = await goBlind(stage);
    await work(stage, 29 * MINUTE);
    lab.pass(2 * MINUTE);
    const [bySmtp, webhook] = ports.fallbacks as [FallbackChannel, FallbackChannel];
    const paused: FallbackChannel = {
      ...bySmtp,
      async send(...args) {
        const outcome = await bySmtp.send(...args);
        await deliver({ notificationId: id, takeOver: true }, settings, ports);
        return outcome;
      },
    };

    await deliver({ notificationId: id }, settings, { ...ports, fallbacks: [paused, webhook] });

    const { state, attempts, tries } = await rowOf(stage, id);
    assert.deepEqual(kindsOf(receiver.posts), ["watch.blind"]);
    assert.deepEqual(
      tries.slice(-3).map(({ way, outcome }) => [way, outcome]),
      [
        ["fallback-smtp", "failed"],
        ["fallback-smtp", "failed"],
        ["fallback-webhook", "accepted"],
      ],
    );
    assert.deepEqual([state, attempts], ["delivered", tries.length]);
  });

  test("stays owed where no way is open, says why of each, and leaves by the first that opens", async (t) => {
    const { stage, relay, receiver, other } = await open(t, { withMail: true });
    await sync(stage);
    await relay.away();
    await other.away();
    receiver.answer((response) => response.writeHead(500).end());
    const id = await goBlind(stage);

    await work(stage, 2 * HOUR);
    const { state, error } = await rowOf(stage, id);
    receiver.answer((response) => response.writeHead(204).end());
    await work(stage, 2 * HOUR);

    assert.equal(state, "pending");
    assert.match(error ?? "", /^smtp: .*; webhook: .*HTTP 500/);
    assert.equal((await rowOf(stage, id)).state, "delivered");
  });
});

describe("a repeat by the second way out", () => {
  test("says the same, whatever the time and however things stand by then", async (t) => {
    const { stage, lab, relay, receiver } = await open(t);
    const invited = lab.invite({ expires_on: lab.inMs(3 * DAY) });
    await sync(stage);
    await relay.away();
    receiver.answer((response) => response.writeHead(500).end());
    lab.pass(3 * DAY - 50 * MINUTE);
    await lab.sync();

    await work(stage, 45 * MINUTE);
    lab.api.invites.update(invited.id, { organization_name: "Renamed since" });
    await lab.sync();
    await work(stage, 2 * DAY);

    const idOf = (body: string) => JSON.parse(body).data.messageId;
    const repeats = receiver.posts
      .map(({ body }) => body)
      .filter((body, _, [first = ""]) => idOf(body) === idOf(first));
    assert.ok(repeats.length > 2);
    assert.equal(new Set(repeats).size, 1);
  });
});

describe("while the mail server is away, an alert that can wait", () => {
  test("waits for it, whatever other way there is", async (t) => {
    const { stage, lab, relay, receiver } = await open(t);
    await sync(stage);
    await relay.away();
    lab.invite();
    await sync(stage);

    await work(stage, DAY);
    const posts = receiver.posts.length;
    await relay.back();
    await work(stage, 2 * HOUR);

    assert.equal(posts, 0);
    assert.equal((await told(stage)).length, (await lab.history()).length);
  });

  test("takes the second way out when it would be given up", async (t) => {
    const { stage, lab, relay, receiver } = await open(t);
    await sync(stage);
    await relay.away();
    lab.invite();
    await sync(stage);

    await work(stage, 5 * DAY);

    assert.deepEqual(kindsOf(receiver.posts), ["invite.received"]);
  });
});
