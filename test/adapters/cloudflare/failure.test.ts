import assert from "node:assert/strict";
import { test } from "node:test";
import { createRedactor } from "../../../src/domain/redact.ts";
import type { Shortfall } from "../../../src/domain/snapshot.ts";
import { encodings } from "../../support/encodings.ts";
import { fixture, forever, page, rawInvite, sendJson, sourceOf, startApi, TOKEN } from "./api.ts";

async function shortfallFrom(t: test.TestContext, body: unknown, status: number): Promise<Shortfall> {
  const api = await startApi(t, (_request, response) => sendJson(response, body, status, { "cf-ray": "8f0a-FRA" }));
  const snapshot = await sourceOf(api).fetchSnapshot(forever());
  assert.equal(snapshot.kind, "failed");
  return snapshot.kind === "failed" ? snapshot.shortfall : assert.fail();
}

const cases: [name: string, status: number, cause: Shortfall["cause"], code: number, said: RegExp, advice: RegExp][] = [
  [
    "err-400-6003-6111-bad-bearer-format",
    400,
    "credential",
    6003,
    /code 6111 \(Invalid format/,
    /API token is malformed/,
  ],
  ["err-400-6003-6103-bad-key-format", 400, "credential", 6003, /code 6103/, /global API key is malformed/],
  ["err-400-6003-6102-6103", 400, "credential", 6003, /code 6102 .*code 6103/, /malformed/],
  ["err-400-9106-missing-headers", 400, "credential", 9106, /Missing X-Auth-Key/, /account-owned token/],
  ["err-9106-memberships-account-token", 400, "credential", 9106, /Authentication failed/, /account-owned token/],
  ["err-9103-unknown-key-or-email", 400, "credential", 9103, /Unknown X-Auth-Key/, /CLOUDFLARE_API_KEY/],
  ["err-403-9109-invalid-access-token", 403, "credential", 9109, /Invalid access token/, /invalid, revoked/],
  ["err-403-9109-location", 403, "credential", 9109, /from location: 183\.154\.104\.196/, /IP filter/],
  ["err-403-10000-authentication-error", 403, "credential", 10000, /Authentication error/, /Memberships Read/],
  ["err-403-10000-authentication-error", 400, "credential", 10000, /Authentication error/, /Memberships Read/],
  ["err-403-10000-authentication-error", 401, "credential", 10000, /Authentication error/, /Memberships Read/],
  ["err-429-971-throttle", 429, "rate_limit", 971, /Please wait/, /throttled/],
  ["err-429-10100-legacy-throttle", 429, "rate_limit", 10100, /1200 requests/, /throttled/],
  ["err-7003-no-route", 404, "content", 7003, /No route for the URI/, /CLOUDFLARE_BASE_URL/],
  ["err-7003-no-route", 400, "content", 7003, /No route for the URI/, /CLOUDFLARE_BASE_URL/],
];
for (const [name, status, cause, code, said, advice] of cases) {
  test(`HTTP ${status} with ${name} says what to do`, async (t) => {
    const shortfall = await shortfallFrom(t, await fixture(name), status);

    assert.deepEqual([shortfall.cause, shortfall.httpStatus, shortfall.code], [cause, status, code]);
    assert.equal(shortfall.cfRay, "8f0a-FRA");
    assert.ok(shortfall.reason.startsWith(`page 1: HTTP ${status}, code ${code}`), shortfall.reason);
    assert.match(shortfall.reason, said);
    assert.match(shortfall.reason, advice);
  });
}

test("401 and 403 mean the credential whatever their body is", async (t) => {
  for (const status of [401, 403]) {
    for (const body of ["", "<html>Sorry, you have been blocked</html>", "{}", '{"success":false,"errors":null}']) {
      const shortfall = await shortfallFrom(t, body, status);

      assert.equal(shortfall.cause, "credential");
      assert.match(shortfall.reason, /check it in the dashboard/);
    }
  }
});

test("errors of every odd shape are survived", async (t) => {
  for (const errors of [null, "no", {}, [null], [7], [{}], [{ code: "9109" }], [{ code: {}, message: [] }]]) {
    const shortfall = await shortfallFrom(t, { success: false, errors }, 400);

    assert.match(shortfall.reason, /^page 1: HTTP 400/);
  }
});

test("the API's words come on one line, short, and without control or bidi characters", async (t) => {
  const message = `bad\r\nSubject: x\u0000\u202Eevil\uD800\u2028${"a".repeat(5000)}`;

  const { reason } = await shortfallFrom(t, { success: false, errors: [{ code: 1, message }] }, 400);

  assert.match(reason, /bad Subject: x evil/);
  assert.doesNotMatch(reason, /[\p{Cc}\p{Cf}\p{Zl}]/u);
  assert.ok(reason.isWellFormed());
  assert.ok(reason.length < 400, String(reason.length));
});

test("a credential that the API echoes is masked in every spelling, also where the cap cuts", async (t) => {
  const spellings = [
    TOKEN,
    Buffer.from(TOKEN).toString("base64"),
    Buffer.from(TOKEN).toString("base64url"),
    encodeURIComponent(TOKEN),
  ];
  for (const spelling of spellings) {
    for (const message of [`Token ${spelling} is bad`, `${"x".repeat(180)} ${spelling}`]) {
      const { reason } = await shortfallFrom(t, { success: false, errors: [{ code: 1, message }] }, 400);

      assert.ok(!reason.includes(spelling.slice(0, 12)), reason);
    }
  }
});

test("other secrets of the configuration are masked as well", async (t) => {
  const errors = [{ code: 1, message: "hunter22 seen" }];
  const api = await startApi(t, (_request, response) => sendJson(response, { success: false, errors }, 400));

  const snapshot = await sourceOf(api, { redact: createRedactor(["hunter22"]) }).fetchSnapshot(forever());

  assert.match(snapshot.kind === "failed" ? snapshot.shortfall.reason : "", /\[redacted\] seen/);
});

test("a credential that the API echoes inside an invite is not kept", async (t) => {
  const invite = rawInvite({ organization_name: `Acme ${TOKEN}`, roles: [TOKEN], status: TOKEN, note: { a: [TOKEN] } });
  const api = await startApi(t, (_request, response) => sendJson(response, page([invite], { total_count: 1 })));

  const snapshot = await sourceOf(api).fetchSnapshot(forever());

  assert.equal(snapshot.kind, "complete");
  assert.equal(snapshot.invites[0]?.organizationName, "Acme [redacted]");
  assert.ok(!JSON.stringify(snapshot).includes("abcdefghijkl"));
});

test("a credential that the API echoes in a success is kept and quoted nowhere", async (t) => {
  for (const [name, encode] of Object.entries(encodings)) {
    const echoed = encode(TOKEN);
    const bodies: unknown[] = [
      { success: true, result: `Authorization: Bearer ${echoed}` },
      { success: true, result: [], result_info: { total_count: `${"x".repeat(90)}${echoed}` } },
      page([rawInvite({ id: `${echoed}` }), rawInvite({ id: `${echoed}` })], { total_count: 2 }),
      page([
        rawInvite({
          organization_id: echoed,
          invited_member_id: `x${echoed}`,
          invited_by: echoed,
          expires_on: `until ${echoed}`,
          roles: [{ name: echoed, id: echoed }],
          [echoed]: { [echoed]: [echoed] },
        }),
      ]),
    ];
    for (const body of bodies) {
      const api = await startApi(t, (_request, response) => sendJson(response, body));

      const told = JSON.stringify(await sourceOf(api).fetchSnapshot(forever()));

      assert.ok(!told.includes(echoed) && !told.includes(JSON.stringify(echoed).slice(1, -1)), `${name}: ${told}`);
      assert.ok(!told.includes("0123456789abcdefgh"), `${name}: ${told}`);
    }
  }
});

test("ids that hold the credential stay apart, the same at each read, and are not asked for", async (t) => {
  const ids = [`a-${TOKEN}`, `b-${TOKEN}`, Buffer.from(TOKEN).toString("base64"), "plain"];
  const api = await startApi(t, (_request, response) =>
    sendJson(
      response,
      page(
        ids.map((id) => rawInvite({ id, organization_id: `${TOKEN}${id}` })),
        { total_count: 4 },
      ),
    ),
  );
  const source = sourceOf(api);

  const snapshot = await source.fetchSnapshot(forever());
  const again = await source.fetchSnapshot(forever());
  const before = api.requests.length;
  await source.locate(snapshot.invites.slice(0, 1) as never, forever());

  assert.equal(snapshot.kind, "complete");
  assert.deepEqual(again, snapshot);
  assert.equal(new Set(snapshot.invites.map(({ id }) => id)).size, 4);
  assert.equal(new Set(snapshot.invites.map(({ organizationId }) => organizationId)).size, 4);
  assert.ok(snapshot.invites.some(({ id }) => id === "plain"));
  assert.ok(api.requests.slice(before).every(({ url }) => url.includes("/memberships")));
});
