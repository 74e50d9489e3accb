import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Shortfall, Snapshot } from "../../../src/domain/snapshot.ts";
import { forever, page, pageOf, rawInvites, sendJson, sourceOf, startApi, TOKEN } from "./api.ts";

function shortfallOf(snapshot: Snapshot): Shortfall {
  assert.notEqual(snapshot.kind, "complete");
  if (snapshot.kind === "complete") throw new Error("unreachable");
  return snapshot.shortfall;
}

const list = page(rawInvites(1), { total_count: 1 });

test("a token travels as Bearer, with our name and what we accept", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, list));

  await sourceOf(api).fetchSnapshot(forever());

  const headers = api.requests[0]?.headers;
  assert.equal(headers?.authorization, `Bearer ${TOKEN}`);
  assert.equal(headers?.["x-auth-key"], undefined);
  assert.match(headers?.["user-agent"] ?? "", /^invitewatch\/\d+\.\d+\.\d+/);
  assert.equal(headers?.accept, "application/json");
});

test("an e-mail address and key travel as X-Auth headers", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, list));
  const credential = { kind: "key", email: "me@example.com", key: "c".repeat(37) } as const;

  await sourceOf(api, { credential }).fetchSnapshot(forever());

  const headers = api.requests[0]?.headers;
  assert.deepEqual([headers?.["x-auth-email"], headers?.["x-auth-key"]], ["me@example.com", "c".repeat(37)]);
  assert.equal(headers?.authorization, undefined);
});

test("a credential that no header can carry is named as the problem", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, list));
  const source = sourceOf(api, { credential: { kind: "token", token: "secret\nvalue" } });

  const shortfall = shortfallOf(await source.fetchSnapshot(forever()));

  assert.equal(shortfall.cause, "credential");
  assert.doesNotMatch(shortfall.reason, /secret/);
});

test("a slash at the end of the base URL does no harm", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, list));

  await sourceOf(api, { baseUrl: `${api.url}/` }).fetchSnapshot(forever());

  assert.equal(api.requests[0]?.url, "/client/v4/user/invites?page=1&per_page=50");
});

test("pages share connections, one for each that is asked for at once", async (t) => {
  const ports = new Set<number | undefined>();
  const api = await startApi(t, (request, response) => {
    ports.add(request.socket.remotePort);
    sendJson(response, page(rawInvites(50, (pageOf(request) - 1) * 50 + 1), { total_count: 1000 }));
  });

  const snapshot = await sourceOf(api).fetchSnapshot(forever());

  assert.equal(snapshot.kind, "complete");
  assert.equal(api.requests.length, 20);
  assert.ok(ports.size <= 4, `${ports.size} connections`);
});

test("a redirect is a failure that names it, and is not followed", async (t) => {
  const target = await startApi(t, (_request, response) => sendJson(response, list));
  for (const status of [301, 302, 303, 307, 308]) {
    const api = await startApi(t, (_request, response) => response.writeHead(status, { location: target.url }).end());

    const shortfall = shortfallOf(await sourceOf(api).fetchSnapshot(forever()));

    assert.match(shortfall.reason, new RegExp(`HTTP ${status} .*redirects are not followed`));
    assert.deepEqual([shortfall.cause, shortfall.httpStatus], ["content", status]);
  }
  assert.equal(target.requests.length, 0);
});

test("an endless body is given up at the cap, while it still streams", async (t) => {
  let sent = 0;
  const api = await startApi(t, (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const chunk = Buffer.alloc(1024 * 1024, " ");
    const pump = (): void => {
      while (!response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) break;
      }
    };
    response.on("drain", pump);
    pump();
  });

  const shortfall = shortfallOf(await sourceOf(api).fetchSnapshot(forever()));

  assert.match(shortfall.reason, /^page 1: the answer is larger than 33554432 bytes/);
  assert.equal(shortfall.cause, "content");
  assert.ok(sent < 60 * 1024 * 1024, `${sent} bytes were sent`);
  assert.equal(api.requests.length, 1);
});

test("the cap counts what a compressed body unpacks to", async (t) => {
  const bomb = gzipSync(Buffer.alloc(4 * 1024 * 1024, " "));
  const api = await startApi(t, (_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip", "content-length": bomb.length }).end(bomb);
  });

  const snapshot = await sourceOf(api, { maxPageBytes: 1024 * 1024 }).fetchSnapshot(forever());

  assert.match(shortfallOf(snapshot).reason, /larger than 1048576 bytes/);
});

const stalls: [string, (response: ServerResponse) => void][] = [
  ["stalled headers", () => undefined],
  ["a stalled body", (response) => response.writeHead(200).write('{"success":true,')],
  [
    "a dripping body",
    (response) => {
      const drip = setInterval(() => response.write(" "), 10);
      response.on("close", () => clearInterval(drip));
    },
  ],
];
for (const [name, stall] of stalls) {
  test(`the deadline holds for ${name}, and the reason says how far it got`, async (t) => {
    const api = await startApi(t, (request, response) => {
      if (pageOf(request) === 2) stall(response);
      else sendJson(response, page(rawInvites(50), { total_count: 60 }));
    });
    const startedAt = performance.now();

    const snapshot = await sourceOf(api).fetchSnapshot(AbortSignal.timeout(300));

    assert.ok(performance.now() - startedAt < 2000);
    assert.equal(snapshot.kind, "incomplete");
    assert.equal(shortfallOf(snapshot).cause, "deadline");
    assert.match(
      shortfallOf(snapshot).reason,
      /^page 2: the deadline came before the answer did, after 50 of 60 listed/,
    );
    assert.equal(snapshot.invites.length, 50);
  });
}

test("a wait between attempts ends with the deadline, and the reason says what was waited for", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, "", 503, { "retry-after": "60" }));
  const startedAt = performance.now();

  const snapshot = await sourceOf(api).fetchSnapshot(AbortSignal.timeout(200));

  assert.ok(performance.now() - startedAt < 2000);
  assert.equal(shortfallOf(snapshot).cause, "deadline");
  assert.match(shortfallOf(snapshot).reason, /the deadline came .*before that, HTTP 503/);
  assert.equal(shortfallOf(snapshot).httpStatus, 503);
});

test("an abort that is no deadline is told as a stop", async (t) => {
  const stop = new AbortController();
  const api = await startApi(t, () => stop.abort());

  const shortfall = shortfallOf(await sourceOf(api).fetchSnapshot(stop.signal));

  assert.match(shortfall.reason, /stopped before it finished/);
  assert.equal(shortfall.cause, "deadline");
});

test("nothing is sent once the signal is aborted", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, list));

  const snapshot = await sourceOf(api).fetchSnapshot(AbortSignal.abort());

  assert.equal(snapshot.kind, "failed");
  assert.equal(api.requests.length, 0);
});

test("what may pass by itself is tried again", async (t) => {
  for (const status of [408, 429, 500, 502, 503, 504, 520, 525, 530]) {
    const api = await startApi(t, (_request, response, nth) =>
      nth < 3 ? sendJson(response, "<html>", status) : sendJson(response, list),
    );

    const snapshot = await sourceOf(api).fetchSnapshot(forever());

    assert.equal(snapshot.kind, "complete", `after ${status}`);
    assert.equal(api.requests.length, 3);
  }
});

test("a refusal is not tried again", async (t) => {
  for (const status of [400, 401, 403, 404, 410, 451]) {
    const api = await startApi(t, (_request, response) => sendJson(response, { success: false }, status));

    await sourceOf(api).fetchSnapshot(forever());

    assert.equal(api.requests.length, 1, `after ${status}`);
  }
});

test("a connection that breaks is tried again, before and within an answer", async (t) => {
  const api = await startApi(t, (request, response, nth) => {
    if (nth === 1) request.socket.destroy();
    else if (nth === 2)
      response.writeHead(200, { "content-length": "1000" }).write("{", () => request.socket.destroy());
    else sendJson(response, list);
  });

  const snapshot = await sourceOf(api).fetchSnapshot(forever());

  assert.equal(snapshot.kind, "complete");
  assert.equal(api.requests.length, 3);
});

test("an API that stays down is given up after four attempts", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, "<html>", 502, { "cf-ray": "8f0-FRA" }));

  const shortfall = shortfallOf(await sourceOf(api).fetchSnapshot(forever()));

  assert.equal(api.requests.length, 4);
  assert.deepEqual([shortfall.cause, shortfall.httpStatus, shortfall.cfRay], ["server", 502, "8f0-FRA"]);
  assert.match(shortfall.reason, /^page 1: HTTP 502 with an HTML page instead of JSON: /);
});

test("a host that does not listen is a network failure that names the host", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, list));
  const source = sourceOf(api, { baseUrl: "http://127.0.0.1:1/client/v4" });

  const shortfall = shortfallOf(await source.fetchSnapshot(forever()));

  assert.equal(shortfall.cause, "network");
  assert.match(shortfall.reason, /no complete answer from 127\.0\.0\.1:1 \(ECONNREFUSED\)/);
});

test("Retry-After is waited for, in seconds and as a date", async (t) => {
  for (const retryAfter of ["1", new Date(Date.now() + 2000).toUTCString()]) {
    const api = await startApi(t, (_request, response, nth) =>
      nth === 1 ? sendJson(response, "", 429, { "retry-after": retryAfter }) : sendJson(response, list),
    );
    const startedAt = performance.now();

    const snapshot = await sourceOf(api).fetchSnapshot(forever());

    assert.equal(snapshot.kind, "complete");
    assert.ok(performance.now() - startedAt >= 900);
  }
});

test("a Retry-After beyond the deadline ends the poll at once, with the real cause", async (t) => {
  const api = await startApi(t, (_request, response) =>
    sendJson(response, { success: false, errors: [{ code: 971, message: "Please wait" }] }, 429, {
      "retry-after": "300",
    }),
  );
  const startedAt = performance.now();

  const shortfall = shortfallOf(await sourceOf(api).fetchSnapshot(AbortSignal.timeout(5000)));

  assert.ok(performance.now() - startedAt < 2000);
  assert.deepEqual([shortfall.cause, shortfall.httpStatus, shortfall.code], ["rate_limit", 429, 971]);
  assert.match(shortfall.reason, /HTTP 429, code 971 \(Please wait\).* a wait of 300 s ends after the deadline/);
});

test("our own wait between attempts is the least, whatever Retry-After says", async (t) => {
  for (const retryAfter of ["0", "-1", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "1e9"]) {
    const api = await startApi(t, (_request, response, nth) =>
      nth < 3 ? sendJson(response, "", 429, { "retry-after": retryAfter }) : sendJson(response, list),
    );
    const startedAt = performance.now();

    const snapshot = await sourceOf(api, { firstBackoffMs: 100 }).fetchSnapshot(forever());

    assert.equal(snapshot.kind, "complete", retryAfter);
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs >= 220 && tookMs < 5000, `${retryAfter}: ${tookMs} ms`);
  }
});

test("a poll begins with a request even where an earlier answer forbade it for longer than the poll may take", async (t) => {
  const api = await startApi(t, (_request, response, nth) =>
    sendJson(response, list, 200, nth === 1 ? { ratelimit: '"default";r=0;t=31536000' } : {}),
  );
  const source = sourceOf(api);
  await source.fetchSnapshot(forever());

  const kinds = [await source.fetchSnapshot(forever()), await source.fetchSnapshot(forever())].map(({ kind }) => kind);

  assert.deepEqual(kinds, ["complete", "complete"]);
});

test("a limit that still stands at the next poll's first answer ends that poll", async (t) => {
  const api = await startApi(t, (_request, response) =>
    sendJson(response, page(rawInvites(50), { total_count: 60 }), 200, { ratelimit: '"default";r=0;t=200' }),
  );
  const source = sourceOf(api);
  await source.fetchSnapshot(forever());

  const snapshot = await source.fetchSnapshot(forever());

  assert.equal(shortfallOf(snapshot).cause, "rate_limit");
  assert.equal(api.requests.length, 2);
});

test("a used-up Ratelimit is waited out before the next request", async (t) => {
  const api = await startApi(t, (request, response) =>
    pageOf(request) === 1
      ? sendJson(response, page(rawInvites(50), { total_count: 51 }), 200, { ratelimit: '"default";r=0;t=1' })
      : sendJson(response, page(rawInvites(1, 51), { total_count: 51 }), 200, { ratelimit: '"default";r=50;t=30' }),
  );
  const startedAt = performance.now();

  const snapshot = await sourceOf(api).fetchSnapshot(forever());

  assert.equal(snapshot.kind, "complete");
  assert.ok(performance.now() - startedAt >= 950);
});

test("a Ratelimit used up beyond the deadline ends the poll at once", async (t) => {
  const api = await startApi(t, (_request, response) =>
    sendJson(response, page(rawInvites(50), { total_count: 60 }), 200, { ratelimit: '"default";r=0;t=600' }),
  );

  const snapshot = await sourceOf(api).fetchSnapshot(forever());

  assert.equal(snapshot.kind, "incomplete");
  assert.equal(shortfallOf(snapshot).cause, "rate_limit");
  assert.equal(api.requests.length, 1);
});

test("nothing but GET is ever sent", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, list));
  const source = sourceOf(api);

  const snapshot = await source.fetchSnapshot(forever());
  await source.checkCredential(forever());
  await source.locate(snapshot.invites as never, forever());

  assert.ok(api.requests.length >= 3);
  assert.deepEqual([...new Set(api.requests.map(({ method }) => method))], ["GET"]);
});
