import assert from "node:assert/strict";
import { test } from "node:test";
import { fixture, forever, NOW, page, sendJson, sourceOf, startApi } from "./api.ts";

test("a good token is verified, with its end where it has one", async (t) => {
  for (const [name, expiresAt] of [
    ["ok-token-verify-live", null],
    ["go-v0.116-token-verify", new Date("2020-01-01T00:00:00Z")],
  ] as const) {
    const body = await fixture(name);
    const api = await startApi(t, (_request, response) => sendJson(response, body));

    const check = await sourceOf(api).checkCredential(forever());

    assert.deepEqual(check, { kind: "verified", status: "active", expiresAt });
    assert.equal(api.requests[0]?.url, "/client/v4/user/tokens/verify");
  }
});

test("a token that is disabled or expired is told by its status", async (t) => {
  const api = await startApi(t, (_request, response) =>
    sendJson(response, { success: true, result: { status: "disabled" } }),
  );

  const check = await sourceOf(api).checkCredential(forever());

  assert.equal(check.kind === "verified" && check.status, "disabled");
});

test("a token that the API refuses fails the check with what to do", async (t) => {
  const body = await fixture("err-403-9109-invalid-access-token");
  const api = await startApi(t, (_request, response) => sendJson(response, body, 403));

  const check = await sourceOf(api).checkCredential(forever());

  assert.equal(check.kind === "failed" && check.shortfall.code, 9109);
});

test("an answer that says nothing of the status is no good token", async (t) => {
  for (const result of [null, [], {}, { status: 1 }]) {
    const api = await startApi(t, (_request, response) => sendJson(response, { success: true, result }));

    assert.equal((await sourceOf(api).checkCredential(forever())).kind, "failed");
  }
});

test("an e-mail address and key are not verified apart from a read", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, "", 500));
  const source = sourceOf(api, { credential: { kind: "key", email: "me@example.com", key: "k".repeat(37) } });

  const check = await source.checkCredential(forever());

  assert.equal(check.kind, "not_verifiable");
  assert.equal(api.requests.length, 0);
});

test("the clock skew is that of the latest answer", async (t) => {
  const date = new Date(NOW.getTime() - 300_000).toUTCString();
  const api = await startApi(t, (_request, response) => sendJson(response, page([]), 200, { date }));
  const source = sourceOf(api);
  const before = source.clockSkewMs();

  await source.fetchSnapshot(forever());

  assert.equal(before, null);
  assert.ok(Math.abs((source.clockSkewMs() ?? 0) - 300_000) <= 1000);
});
