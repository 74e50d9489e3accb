import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  demoCredentials,
  type StandIn,
  type StandInOptions,
  startCloudflareStandIn,
} from "../../src/demo/cloudflare.ts";
import { badGateway, failureWith200 } from "../../src/demo/cloudflare-answers.ts";
import { sampleInvite } from "../../src/demo/sample-invite.ts";

let standIn: StandIn;
const headers = { authorization: `Bearer ${demoCredentials.token}` };

beforeEach(() => start({}));
afterEach(() => standIn.close());

async function start(options: StandInOptions): Promise<void> {
  await standIn?.close();
  standIn = await startCloudflareStandIn(options);
}

function get(path = "/user/invites"): Promise<Response> {
  return fetch(standIn.url + path, { headers });
}

describe("scripted failures", () => {
  test("the next n requests fail, and the one after them does not", async () => {
    standIn.fail({ kind: "answer", answer: badGateway, times: 2 });

    const statuses = [(await get()).status, (await get()).status, (await get()).status];

    assert.deepEqual(statuses, [502, 502, 200]);
  });

  test("a failure without a number lasts until it is cleared", async () => {
    standIn.fail({ kind: "answer", answer: badGateway });
    const failed = [(await get()).status, (await get()).status];

    standIn.clearFailures();

    assert.deepEqual(failed, [502, 502]);
    assert.equal((await get()).status, 200);
  });

  test("only requests that match fail", async () => {
    standIn.fail({ kind: "answer", answer: badGateway, match: "page=2" });

    const statuses = [(await get("/user/invites?page=1")).status, (await get("/user/invites?page=2")).status];

    assert.deepEqual(statuses, [200, 502]);
  });

  test("an edge error is HTML with a ray", async () => {
    standIn.fail({ kind: "answer", answer: badGateway });

    const response = await get();

    assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
    assert.match(response.headers.get("cf-ray") ?? "", /-FRA$/);
    assert.match(await response.text(), /502 Bad Gateway/);
  });

  test("the trap is HTTP 200 with success false and an empty list", async () => {
    standIn.fail({ kind: "answer", answer: failureWith200 });

    const response = await get();

    assert.equal(response.status, 200);
    const { success, result } = (await response.json()) as Record<string, unknown>;
    assert.deepEqual([success, result], [false, []]);
  });

  test("a stalled request is received and not answered, until close() ends it", async () => {
    standIn.fail({ kind: "stall" });
    const received = standIn.requests.next();
    const answer = get();
    const failed = assert.rejects(answer, TypeError);

    await received;
    await standIn.close();

    await failed;
  });

  test("a body that stalls has its headers and half of what it should hold, until close() ends it", async () => {
    standIn.invites.put(sampleInvite());
    const whole = await (await get()).text();
    standIn.fail({ kind: "stall-in-body" });

    const response = await get();
    const reader = response.body?.getReader();
    const half = new TextDecoder().decode((await reader?.read())?.value);
    const rest = reader?.read();
    const failed = assert.rejects(async () => rest, TypeError);
    await standIn.close();

    assert.equal(response.status, 200);
    assert.ok(half.length > 0 && half.length < whole.length && whole.startsWith(half));
    await failed;
  });

  test("a body that is cut ends with an error, not as a shorter body", async () => {
    standIn.invites.put(sampleInvite());
    standIn.fail({ kind: "cut" });

    await assert.rejects(async () => (await get()).text(), TypeError);
  });

  test("a dropped connection gives no answer at all", async () => {
    standIn.fail({ kind: "drop", times: 1 });

    await assert.rejects(get(), TypeError);
    assert.equal((await get()).status, 200);
  });

  test("anything else can be answered by hand", async () => {
    standIn.fail({
      kind: "custom",
      respond: (request, response) => response.writeHead(302, { location: `https://evil.example${request.url}` }).end(),
    });

    const response = await fetch(`${standIn.url}/memberships`, { redirect: "manual" });

    assert.equal(response.headers.get("location"), "https://evil.example/client/v4/memberships");
  });
});

describe("the limit", () => {
  test("each answer counts down, by the server's clock", async () => {
    let now = new Date("2030-01-01T00:00:00Z");
    await start({ now: () => now });

    const first = await get();
    now = new Date("2030-01-01T00:01:00Z");
    const second = await get();

    assert.equal(first.headers.get("ratelimit"), '"default";r=1199;t=300');
    assert.equal(first.headers.get("ratelimit-policy"), '"default";q=1200;w=300');
    assert.equal(second.headers.get("ratelimit"), '"default";r=1198;t=240');
    assert.equal(second.headers.get("date"), "Tue, 01 Jan 2030 00:01:00 GMT");
  });

  test("one call too many is throttled, and so is every call for a whole window after it", async () => {
    let now = new Date("2030-01-01T00:00:00Z");
    await start({ now: () => now, rateLimit: { requests: 2, windowMs: 300_000 } });
    const allowed = [(await get()).status, (await get()).status];

    now = new Date("2030-01-01T00:04:00Z");
    const tooMany = await get();
    now = new Date("2030-01-01T00:08:59Z");
    const stillBlocked = await get();
    now = new Date("2030-01-01T00:09:00Z");
    const afterwards = await get();

    assert.deepEqual(allowed, [200, 200]);
    assert.equal(tooMany.status, 429);
    assert.equal(tooMany.headers.get("retry-after"), "300");
    assert.equal(tooMany.headers.get("ratelimit"), '"default";r=0;t=300');
    const payload = new URL("../fixtures/cloudflare-examples/err-429-971-throttle.json", import.meta.url);
    assert.deepEqual(await tooMany.json(), JSON.parse(readFileSync(payload, "utf8")));
    assert.equal(stillBlocked.headers.get("retry-after"), "1");
    assert.equal(afterwards.status, 200);
  });

  test("where the limit is lifted, no answer speaks of it", async () => {
    await start({ rateLimit: null });

    const response = await get();

    assert.equal(response.headers.get("ratelimit"), null);
  });
});

test("close() ends idle connections, and waits for nothing", async () => {
  await (await get()).text();
  const waiting = assert.rejects(standIn.requests.next(), /closed before/);

  await standIn.close();

  await assert.rejects(get(), TypeError);
  await waiting;
});
