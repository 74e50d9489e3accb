import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import { createWebhook } from "../../../src/adapters/webhook/webhook.ts";
import type { FallbackMessage } from "../../../src/app/fallback.ts";
import { addressSecretsIn } from "../../../src/config/urls.ts";
import { createRedactor } from "../../../src/domain/redact.ts";
import { createOutbound } from "../../../src/outbound.ts";
import { after, NOW } from "../../support/build.ts";
import { MINUTE } from "../../support/durations.ts";
import { type Post, type Receiver, startReceiver } from "../../support/webhook-receiver.ts";

const KEY = Buffer.from("000102030405060708090a0b0c0d0e0f1011121314151617", "hex");
const SECRET = `whsec_${KEY.toString("base64")}`;

const MESSAGE: FallbackMessage = {
  notificationId: "n1",
  messageId: "0f3a@example.com",
  recipient: "ops@example.com",
  kind: "watch.blind",
  watch: "ops",
  subject: "[invitewatch] ops is blind",
  text: "Nothing was seen since noon.\nAct “now”.",
  createdAt: after(-MINUTE),
  mime: Buffer.from("From: a\r\n\r\n"),
};

const NEVER = new AbortController().signal;

let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(() => receiver.close());

function webhook(options: { readonly url?: string; readonly timeoutMs?: number; readonly now?: () => Date } = {}) {
  const { url = receiver.url, now = () => NOW, ...rest } = options;
  return createWebhook({ url, secret: SECRET }, { redact: createRedactor([SECRET, url]), clock: { now }, ...rest });
}

/** As a receiver does it, by the standard's words alone. */
function isGenuine({ headers, body }: Post): boolean {
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = createHmac("sha256", KEY).update(content).digest("base64");
  return headers["webhook-signature"] === `v1,${expected}`;
}

test("the answer may quote the secret address in part, and what is kept does not", async () => {
  const url = `${receiver.url}/T0AB/B0CDEFGHIJ/kZ9-secret~path?token=a%2Fsecret%20value&plain-secret`;
  for (const part of ["B0CDEFGHIJ", "kZ9-secret~path", "a/secret value", "a%2Fsecret%20value", "plain-secret"]) {
    receiver.answer((response) => response.writeHead(404).end(`no hook ${part} here`));

    const outcome = await createWebhook(
      { url, secret: SECRET },
      { redact: createRedactor(addressSecretsIn(url)), clock: { now: () => NOW } },
    ).send(MESSAGE, NEVER);

    assert.match(outcome.kind === "refused" ? outcome.error : "", /no hook \[redacted\] here/, part);
  }
});

test("a proxy that fails on the way to the receiver is blamed itself", async () => {
  const url = "https://hooks.example.test/alerts";
  const outbound = createOutbound(url, { https: "http://user:secret-word@127.0.0.1:1/", http: null, none: "" });

  const outcome = await createWebhook(
    { url, secret: SECRET },
    { redact: createRedactor([]), clock: { now: () => NOW }, outbound },
  ).send(MESSAGE, NEVER);

  assert.equal(
    outcome.kind === "failed" ? outcome.error : "",
    "the webhook at hooks.example.test cannot be reached: the proxy http://127.0.0.1:1 (HTTPS_PROXY) cannot be reached " +
      "(ECONNREFUSED): check its address, or add hooks.example.test to NO_PROXY",
  );
});

test("an alert is posted as JSON, with a signature that its receiver can verify", async () => {
  const outcome = await webhook().send(MESSAGE, NEVER);

  const [post] = receiver.posts;
  const { durationMs, ...said } = outcome;
  const exchange = { stage: "answer", code: 204, enhancedCode: null, queueId: null } as const;
  assert.deepEqual(said, { ...exchange, kind: "accepted", response: "HTTP 204" });
  assert.ok(Number.isInteger(durationMs));
  assert.equal(receiver.posts.length, 1);
  assert.equal(post?.method, "POST");
  assert.equal(post?.headers["content-type"], "application/json");
  assert.match(post?.headers["user-agent"] ?? "", /^invitewatch\/\d/);
  assert.equal(post?.headers["webhook-timestamp"], String(NOW.getTime() / 1000));
  assert.ok(post !== undefined && isGenuine(post));
  assert.deepEqual(JSON.parse(post.body), {
    type: "invitewatch.alert",
    timestamp: after(-MINUTE).toISOString(),
    data: {
      subject: MESSAGE.subject,
      text: MESSAGE.text,
      kind: "watch.blind",
      watch: "ops",
      recipient: "ops@example.com",
      notificationId: "n1",
      messageId: "0f3a@example.com",
    },
  });
});

test("a repeat has the same id and body, and the time of its own attempt", async () => {
  await webhook().send(MESSAGE, NEVER);
  await webhook({ now: () => after(MINUTE) }).send(MESSAGE, NEVER);

  const [first, second] = receiver.posts;
  assert.deepEqual([first?.headers["webhook-id"], second?.headers["webhook-id"]], Array(2).fill("0f3a@example.com"));
  assert.equal(second?.body, first?.body);
  assert.notEqual(second?.headers["webhook-timestamp"], first?.headers["webhook-timestamp"]);
  assert.ok(receiver.posts.every(isGenuine));
});

test("a very long text is cut", async () => {
  await webhook().send({ ...MESSAGE, text: "😀".repeat(100_000) }, NEVER);

  const body = receiver.posts[0]?.body ?? "";
  assert.ok(body.length < 20_000);
  assert.match(JSON.parse(body).data.text, /^(😀)+\n\(cut here\)$/u);
});

for (const [status, kind] of [
  [200, "accepted"],
  [202, "accepted"],
  [301, "failed"],
  [307, "failed"],
  [400, "refused"],
  [404, "refused"],
  [408, "failed"],
  [410, "refused"],
  [429, "failed"],
  [500, "failed"],
  [503, "failed"],
] as const) {
  test(`HTTP ${status} means ${kind}, after one request`, async () => {
    receiver.answer((response) => response.writeHead(status, { location: receiver.url }).end("so it is"));

    const outcome = await webhook().send(MESSAGE, NEVER);

    assert.equal(outcome.kind, kind);
    assert.match("error" in outcome ? outcome.error : outcome.response, new RegExp(`HTTP ${status}: so it is`));
    assert.equal(receiver.posts.length, 1);
  });
}

test("what the receiver echoes is kept on one line, short, and without the secrets", async () => {
  receiver.answer((response) =>
    response.writeHead(500).end(`bad\r\n${SECRET}\u202E ${receiver.url} ${"x".repeat(999)}`),
  );

  const outcome = await webhook().send(MESSAGE, NEVER);

  const error = "error" in outcome ? outcome.error : "";
  assert.match(error, /HTTP 500: bad \[redacted\] \[redacted\] x+…$/);
  assert.ok(error.length < 300);
});

test("an answer without end is not read to its end", async () => {
  receiver.answer((response) => {
    response.writeHead(200);
    const more = () => {
      if (!response.destroyed) response.write("y".repeat(2_000), () => setImmediate(more));
    };
    more();
  });

  const outcome = await webhook().send(MESSAGE, NEVER);

  assert.equal(outcome.kind, "accepted");
});

test("nobody listening means another try, and is said without the path", async () => {
  await receiver.close();

  const outcome = await webhook().send(MESSAGE, NEVER);

  assert.equal(outcome.kind, "failed");
  assert.match(
    "error" in outcome ? outcome.error : "",
    /^the webhook at 127\.0\.0\.1:\d+ cannot be reached .*\(ECONNREFUSED\)$/,
  );
});

test("a receiver that does not answer is given up in time", async () => {
  receiver.answer(null);

  const outcome = await webhook({ timeoutMs: 100 }).send(MESSAGE, NEVER);

  assert.equal(outcome.kind, "failed");
  assert.match("error" in outcome ? outcome.error : "", /did not answer in time$/);
});

test("an answer whose end does not come counts by its status", async () => {
  receiver.answer((response) => response.writeHead(200).write("a"));

  const outcome = await webhook({ timeoutMs: 100 }).send(MESSAGE, NEVER);

  assert.deepEqual([outcome.kind, "response" in outcome && outcome.response], ["accepted", "HTTP 200: a"]);
});

test("an attempt that is stopped has failed, and does not reject", async () => {
  receiver.answer(null);

  const outcome = await webhook().send(MESSAGE, AbortSignal.timeout(50));

  const error = `the webhook at ${new URL(receiver.url).host} was not waited for: the attempt was stopped`;
  assert.deepEqual([outcome.kind, "error" in outcome && outcome.error], ["failed", error]);
});
