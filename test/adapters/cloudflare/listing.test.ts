import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { type Api, forever, page, pageOf, rawInvites, sendJson, sourceOf, startApi } from "./api.ts";

type Waiting = { readonly number: number; readonly response: ServerResponse };

/** A list of so many invites whose pages from the third on are answered together, `order` deciding who comes first. */
function startHeldApi(
  t: TestContext,
  { total, order }: { total: number; order: (a: Waiting, b: Waiting) => number },
): Promise<Api> {
  const waiting: Waiting[] = [];
  let answered = 2;
  return startApi(t, (request, response) => {
    const number = pageOf(request);
    const send = (to: Waiting) => {
      const first = (to.number - 1) * 50;
      sendJson(
        to.response,
        page(rawInvites(Math.min(50, total - first), first + 1), { total_count: total, per_page: 50 }),
      );
    };
    if (number <= 2) return send({ number, response });
    waiting.push({ number, response });
    if (waiting.length < Math.min(4, Math.ceil(total / 50) - answered)) return;
    answered += waiting.length;
    waiting.splice(0).sort(order).forEach(send);
  });
}

test("up to four pages are asked for at once after the second, and their invites keep the order of the list", async (t) => {
  for (const order of [(a: Waiting, b: Waiting) => b.number - a.number, () => 0]) {
    const api = await startHeldApi(t, { total: 490, order });

    const snapshot = await sourceOf(api).fetchSnapshot(forever());

    assert.equal(snapshot.kind, "complete");
    assert.deepEqual(
      snapshot.invites.map(({ id }) => id),
      Array.from({ length: 490 }, (_, index) => String(index + 1)),
    );
    assert.deepEqual([snapshot.pages, api.requests.length], [10, 10]);
  }
});

test("no page beyond the total is asked for", async (t) => {
  const api = await startApi(t, (request, response) => {
    const first = (pageOf(request) - 1) * 20;
    sendJson(response, page(rawInvites(Math.min(20, 45 - first), first + 1), { total_count: 45, per_page: 20 }));
  });

  const snapshot = await sourceOf(api).fetchSnapshot(forever());

  assert.equal(snapshot.kind, "complete");
  assert.equal(api.requests.length, 3);
});

test("of pages that came after a failing one nothing is taken", async (t) => {
  const api = await startApi(t, (request, response) => {
    const number = pageOf(request);
    if (number === 3) return sendJson(response, { success: false, errors: [] }, 404);
    sendJson(response, page(rawInvites(50, (number - 1) * 50 + 1), { total_count: 400, per_page: 50 }));
  });

  const snapshot = await sourceOf(api).fetchSnapshot(forever());

  assert.equal(snapshot.kind, "incomplete");
  assert.match(snapshot.kind === "incomplete" ? snapshot.shortfall.reason : "", /^page 3: HTTP 404/);
  assert.deepEqual([snapshot.invites.length, snapshot.pages], [100, 2]);
});

test("a total_count that changes while several pages are under way leaves the list incomplete", async (t) => {
  const api = await startApi(t, (request, response) => {
    const number = pageOf(request);
    const total_count = number === 3 ? 399 : 400;
    sendJson(response, page(rawInvites(50, (number - 1) * 50 + 1), { total_count, per_page: 50 }));
  });

  const snapshot = await sourceOf(api).fetchSnapshot(forever());

  assert.match(
    snapshot.kind === "incomplete" ? snapshot.shortfall.reason : "",
    /^page 3: total_count changed from 400 to 399/,
  );
  assert.equal(snapshot.invites.length, 400);
});

test("a server that ignores page and states a large total is left after the first repetition", async (t) => {
  const api = await startApi(t, (_request, response) =>
    sendJson(response, page(rawInvites(50), { total_count: 5000, per_page: 50 })),
  );

  const snapshot = await sourceOf(api).fetchSnapshot(forever());

  assert.match(snapshot.kind === "incomplete" ? snapshot.shortfall.reason : "", /^page 2: 50 listed, but total_count/);
  assert.deepEqual([snapshot.invites.length, api.requests.length], [50, 2]);
});

test("near a rate limit, and after a refusal for it, pages are asked for one after the other", async (t) => {
  const headers = { ratelimit: '"burst";q=100;r=60;t=5, "default";r=8;t=30' };
  for (const refusals of [0, 1]) {
    let underWay = 0;
    let most = 0;
    const api = await startApi(t, (request, response, nth) => {
      underWay += 1;
      most = Math.max(most, underWay);
      response.once("finish", () => {
        underWay -= 1;
      });
      if (nth <= refusals) return sendJson(response, "", 429, { "retry-after": "0" });
      const info = { total_count: 400, per_page: 50 };
      const body = page(rawInvites(50, (pageOf(request) - 1) * 50 + 1), info);
      // The answer waits for whoever else is asked meanwhile.
      setImmediate(() => sendJson(response, body, 200, refusals === 0 ? headers : {}));
    });

    const snapshot = await sourceOf(api).fetchSnapshot(forever());

    assert.equal(snapshot.kind, "complete");
    assert.equal(most, 1);
  }
});

test("whoever is told to wait holds up the pages that are asked for meanwhile", async (t) => {
  const arrivals = new Map<string, number[]>();
  const api = await startApi(t, (request, response) => {
    const number = pageOf(request);
    const times = arrivals.get(`${number}`) ?? [];
    arrivals.set(`${number}`, [...times, performance.now()]);
    if (number === 3 && times.length === 0) return sendJson(response, "", 429, { "retry-after": "1" });
    if (number === 4 && times.length === 0) return sendJson(response, "", 502);
    sendJson(response, page(rawInvites(50, (number - 1) * 50 + 1), { total_count: 250, per_page: 50 }));
  });

  const snapshot = await sourceOf(api, { firstBackoffMs: 200 }).fetchSnapshot(forever());

  const [refused = 0] = arrivals.get("3") ?? [];
  const [, again = 0] = arrivals.get("4") ?? [];
  assert.equal(snapshot.kind, "complete");
  assert.ok(again - refused >= 900, `asked again after ${again - refused} ms`);
});
