import assert from "node:assert/strict";
import { test } from "node:test";
import type { Snapshot } from "../../../src/domain/snapshot.ts";
import { type Api, fixture, forever, NOW, page, pageOf, rawInvites, sendJson, sourceOf, startApi } from "./api.ts";

function reasonOf(snapshot: Snapshot): string {
  assert.notEqual(snapshot.kind, "complete");
  return snapshot.kind === "complete" ? "" : snapshot.shortfall.reason;
}

const fetchFrom = (api: Api): Promise<Snapshot> => sourceOf(api).fetchSnapshot(forever());

const ids = (snapshot: Snapshot): string[] => snapshot.invites.map((invite) => invite.id);

test("a list whose pages add up to total_count is complete", async (t) => {
  const api = await startApi(t, (request, response) => {
    const first = (pageOf(request) - 1) * 50;
    sendJson(response, page(rawInvites(Math.min(50, 120 - first), first + 1), { total_count: 120, per_page: 50 }));
  });

  const snapshot = await fetchFrom(api);

  assert.equal(snapshot.kind, "complete");
  assert.equal(new Set(ids(snapshot)).size, 120);
  assert.deepEqual([snapshot.pages, snapshot.totalCount, snapshot.takenAt], [3, 120, NOW]);
  assert.deepEqual(
    api.requests.map(({ url }) => url),
    [1, 2, 3].map((number) => `/client/v4/user/invites?page=${number}&per_page=50`),
  );
});

test("an empty list is complete, with and without result_info", async (t) => {
  for (const body of [page([]), page([], { total_count: 0 }), page([], { total_count: null })]) {
    const api = await startApi(t, (_request, response) => sendJson(response, body));

    const snapshot = await fetchFrom(api);

    assert.equal(snapshot.kind, "complete");
    assert.deepEqual([snapshot.invites, api.requests.length], [[], 1]);
  }
});

test("without result_info, a page shorter than per_page proves the end", async (t) => {
  const api = await startApi(t, (request, response) =>
    sendJson(response, page(pageOf(request) === 1 ? rawInvites(50) : rawInvites(7, 51))),
  );

  const snapshot = await fetchFrom(api);

  assert.equal(snapshot.kind, "complete");
  assert.deepEqual([snapshot.invites.length, snapshot.totalCount], [57, null]);
});

test("without result_info, a full page is followed by an empty one", async (t) => {
  const api = await startApi(t, (request, response) =>
    sendJson(response, page(pageOf(request) === 1 ? rawInvites(50) : [])),
  );

  const snapshot = await fetchFrom(api);

  assert.equal(snapshot.kind, "complete");
  assert.equal(snapshot.invites.length, 50);
});

test("a server that caps per_page at 20 and says so is read to the end", async (t) => {
  for (const total of [{ total_count: 45 }, {}]) {
    const api = await startApi(t, (request, response) => {
      const first = (pageOf(request) - 1) * 20;
      sendJson(response, page(rawInvites(Math.min(20, 45 - first), first + 1), { ...total, per_page: 20 }));
    });

    const snapshot = await fetchFrom(api);

    assert.equal(snapshot.kind, "complete");
    assert.deepEqual([snapshot.invites.length, snapshot.pages], [45, 3]);
  }
});

test("the documentation's own example is not provably complete", async (t) => {
  const body = await fixture("docs-user-invites-list");
  const api = await startApi(t, (_request, response) => sendJson(response, body));

  const snapshot = await fetchFrom(api);

  assert.equal(snapshot.kind, "incomplete");
  assert.match(reasonOf(snapshot), /^page 2: 1 listed, but total_count is 2000/);
  assert.deepEqual([snapshot.invites.length, snapshot.totalCount, api.requests.length], [1, 2000, 2]);
});

test("a server that ignores page ends the paging without ids listed twice", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, page(rawInvites(60))));

  const snapshot = await fetchFrom(api);

  assert.equal(snapshot.kind, "incomplete");
  assert.match(reasonOf(snapshot), /the list ended with nothing new/);
  assert.deepEqual([snapshot.invites.length, api.requests.length], [60, 2]);
});

test("an id twice in a page leaves the list incomplete and the invite listed once", async (t) => {
  const api = await startApi(t, (_request, response) =>
    sendJson(response, page([...rawInvites(2), ...rawInvites(1)], { total_count: 2 })),
  );

  const snapshot = await fetchFrom(api);

  assert.equal(snapshot.kind, "incomplete");
  assert.match(reasonOf(snapshot), /the id "1" is listed twice/);
  assert.deepEqual(ids(snapshot), ["1", "2"]);
});

test("an id of an earlier page among new ones leaves the list incomplete", async (t) => {
  const api = await startApi(t, (request, response) =>
    sendJson(response, page(pageOf(request) === 1 ? rawInvites(50) : rawInvites(2, 50), { total_count: 51 })),
  );

  const snapshot = await fetchFrom(api);

  assert.match(reasonOf(snapshot), /^page 2: the id "50" is listed twice/);
  assert.equal(snapshot.invites.length, 51);
});

test("a total_count that changes between pages leaves the list incomplete", async (t) => {
  for (const [second, text] of [
    [52, "52"],
    [undefined, "none"],
  ] as const) {
    const api = await startApi(t, (request, response) =>
      pageOf(request) === 1
        ? sendJson(response, page(rawInvites(50), { total_count: 51 }))
        : sendJson(response, page(rawInvites(2, 51), { total_count: second })),
    );

    const snapshot = await fetchFrom(api);

    assert.ok(reasonOf(snapshot).startsWith(`page 2: total_count changed from 51 to ${text}`), reasonOf(snapshot));
    assert.equal(snapshot.invites.length, 52);
  }
});

test("more invites than total_count, or a total_count that is no number, prove nothing", async (t) => {
  for (const total_count of [1, "2", -1, 1.5, {}]) {
    const api = await startApi(t, (_request, response) => sendJson(response, page(rawInvites(2), { total_count })));

    const snapshot = await fetchFrom(api);

    assert.match(reasonOf(snapshot), /total_count/);
    assert.equal(snapshot.invites.length, 2);
  }
});

test("an element that is no object leaves the list incomplete and the others in it", async (t) => {
  for (const stranger of [null, "x", 7, [], true]) {
    const api = await startApi(t, (_request, response) =>
      sendJson(response, page([stranger, ...rawInvites(1)], { total_count: 2 })),
    );

    const snapshot = await fetchFrom(api);

    assert.equal(snapshot.kind, "incomplete");
    assert.match(reasonOf(snapshot), /an element of the list is not an object/);
    assert.deepEqual(ids(snapshot), ["1"]);
  }
});

test("a failing first page is a failed snapshot", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, page([]), 404));

  const snapshot = await fetchFrom(api);

  assert.equal(snapshot.kind, "failed");
  assert.match(reasonOf(snapshot), /^page 1: HTTP 404/);
});

test("what the pages before a failing one held is kept", async (t) => {
  const api = await startApi(t, (request, response) => {
    if (pageOf(request) === 1) return sendJson(response, page(rawInvites(50), { total_count: 60 }));
    response.writeHead(200, { "content-type": "text/html", "cf-ray": "8f0-FRA" });
    response.end("<!DOCTYPE html><title>Just a moment…</title>");
  });

  const snapshot = await fetchFrom(api);

  assert.equal(snapshot.kind, "incomplete");
  assert.match(reasonOf(snapshot), /^page 2: HTTP 200 with an HTML page instead of JSON/);
  assert.deepEqual([snapshot.invites.length, snapshot.pages], [50, 1]);
  assert.equal(snapshot.kind === "incomplete" && snapshot.shortfall.cfRay, "8f0-FRA");
});

test("HTTP 200 that is not the JSON of a success never counts as an empty list", async (t) => {
  const answers: [string, RegExp][] = [
    ["<html></html>", /HTTP 200 with an HTML page instead of JSON/],
    ["", /HTTP 200 with an empty body instead of JSON/],
    ['{"success":true,"result":[', /HTTP 200 with JSON that is malformed or breaks off/],
    ["upstream error", /HTTP 200 with a text instead of JSON/],
    ["[]", /HTTP 200 with JSON that is no object/],
    ["{}", /HTTP 200 with JSON without success: true/],
    ['{"success":"true","result":[]}', /HTTP 200 with JSON without success: true/],
    ['{"success":false,"errors":[],"result":[]}', /HTTP 200 with success: false/],
    ['{"success":false,"errors":[{"code":1001,"message":"No"}]}', /success: false, code 1001 \(No\)/],
    ['{"success":true,"result":null}', /HTTP 200 whose result is not a list: null/],
    ['{"success":true,"result":{}}', /HTTP 200 whose result is not a list: an object/],
  ];
  for (const [body, reason] of answers) {
    const api = await startApi(t, (_request, response) => sendJson(response, body));

    const snapshot = await fetchFrom(api);

    assert.equal(snapshot.kind, "failed");
    assert.match(reasonOf(snapshot), reason);
    assert.equal(snapshot.kind === "failed" && snapshot.shortfall.cause, "content");
    assert.equal(api.requests.length, 1);
  }
});

test("HTTP 204 is not an empty list", async (t) => {
  const api = await startApi(t, (_request, response) => response.writeHead(204).end());

  const snapshot = await fetchFrom(api);

  assert.equal(snapshot.kind, "failed");
  assert.match(reasonOf(snapshot), /HTTP 204 with an empty body/);
});

test("invites without anything in them are not lost, and two of a kind prove nothing", async (t) => {
  const api = await startApi(t, (_request, response) =>
    sendJson(response, page([{}, { id: null }], { total_count: 2 })),
  );

  const snapshot = await fetchFrom(api);

  assert.equal(snapshot.kind, "incomplete");
  assert.match(ids(snapshot)[0] ?? "", /^surrogate-[0-9a-f]{32}$/);
});
