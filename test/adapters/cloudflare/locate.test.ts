import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { parseInvite } from "../../../src/adapters/cloudflare/invite.ts";
import type { Invite } from "../../../src/domain/invite.ts";
import { type Api, fixture, forever, NOW, page, pageOf, rawInvite, sendJson, sourceOf, startApi } from "./api.ts";

function known(fields: Record<string, unknown> = {}): Invite {
  const listed = parseInvite(rawInvite({ id: "inv-1", ...fields }));
  assert.ok(listed !== null);
  const observed = { firstSeenAt: NOW, lastChangedAt: NOW, alertedLeadMs: null, missingSince: null };
  const ours = { acknowledgedAt: null, cautions: [], calendarSequence: 0 };
  return { ...listed, ...observed, ...ours, watch: "ops", status: "pending", listed: true };
}

const locateOne = async (api: Api, invite: Invite) =>
  (await sourceOf(api).locate([invite], forever())).get(invite.id) ?? assert.fail();

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const answering =
  (detail: Answer, memberships: Answer): Answer =>
  (request, response) =>
    (request.url?.includes("/memberships?") ? memberships : detail)(request, response);

const gone: Answer = (_request, response) =>
  sendJson(response, { success: false, errors: [{ code: 7003, message: "No route for the URI" }], result: null }, 404);

const membership = (id: string, accountId: string, status: unknown = "accepted") => ({
  id,
  status,
  account: { id: accountId, name: "Account" },
});

const members =
  (...items: unknown[]): Answer =>
  (_request, response) =>
    sendJson(response, page(items, { total_count: items.length }));

test("an invite that the API still has is found, with its status there", async (t) => {
  const body = JSON.parse(await fixture("docs-user-invite-patch"));
  const api = await startApi(t, (_request, response) => sendJson(response, body));

  const whereabouts = await locateOne(api, known({ id: body.result.id }));

  assert.equal(whereabouts.kind === "found" && whereabouts.invite.apiStatus, "accepted");
  assert.deepEqual(
    api.requests.map(({ url }) => url),
    [`/client/v4/user/invites/${body.result.id}`],
  );
});

test("an id is never more than one part of the path", async (t) => {
  const api = await startApi(t, answering(gone, members()));

  await locateOne(api, known({ id: "../memberships/x?y=1#z" }));

  assert.equal(api.requests[0]?.url, "/client/v4/user/invites/..%2Fmemberships%2Fx%3Fy%3D1%23z");
});

test("an id too long to be asked for is looked for among the memberships, and so is a long organization's", async (t) => {
  const long = "x".repeat(12_000);
  const api = await startApi(t, answering(gone, members(membership("m", long))));

  const whereabouts = await locateOne(api, known({ id: long, organization_id: long }));

  assert.deepEqual(whereabouts, {
    kind: "accepted",
    evidence: "its id is too long to be asked for; its organization is among the accepted memberships",
  });
  assert.equal(api.requests.length, 1);
});

test("an answer about another invite leaves it open", async (t) => {
  for (const result of [rawInvite({ id: "inv-2" }), rawInvite({ id: null }), null, [rawInvite()]]) {
    const api = await startApi(t, (_request, response) => sendJson(response, { success: true, result }));

    assert.equal((await locateOne(api, known())).kind, "unknown");
  }
});

test("404, or 400 with code 7003, from the API itself means that there is no such invite", async (t) => {
  const body = await fixture("err-7003-no-route");
  for (const status of [400, 404]) {
    const api = await startApi(
      t,
      answering((_request, response) => sendJson(response, body, status), members()),
    );

    const whereabouts = await locateOne(api, known());

    const evidence = `GET /user/invites/inv-1 answered ${status} (code 7003); not among 0 accepted memberships`;
    assert.deepEqual(whereabouts, { kind: "absent", evidence });
  }
});

test("any other answer leaves it open, and the memberships are not asked", async (t) => {
  const envelope = { success: false, errors: [{ code: 1001, message: "?" }] };
  const answers: [number, unknown][] = [
    [404, "<html>not found</html>"],
    [404, ""],
    [404, { error: "not found" }],
    [400, envelope],
    [403, envelope],
    [410, envelope],
    [500, envelope],
    [200, envelope],
  ];
  for (const [status, body] of answers) {
    const api = await startApi(t, (_request, response) => sendJson(response, body, status));

    const whereabouts = await locateOne(api, known());

    assert.equal(whereabouts.kind, "unknown", `${status} ${JSON.stringify(body)}`);
    assert.ok(api.requests.every(({ url }) => url.includes("/user/invites/inv-1")));
  }
});

test("an organization among the accepted memberships means accepted", async (t) => {
  const api = await startApi(t, answering(gone, members(membership("m1", "org-9"), membership("m2", "org-1"))));

  const whereabouts = await locateOne(api, known());

  const evidence =
    "GET /user/invites/inv-1 answered 404 (code 7003); its organization is among the accepted memberships";
  assert.deepEqual(whereabouts, { kind: "accepted", evidence });
  assert.equal(api.requests[1]?.url, "/client/v4/memberships?status=accepted&page=1&per_page=50");
});

test("a membership that states another status does not count, one that states none does", async (t) => {
  const pending = await startApi(t, answering(gone, members(membership("m1", "org-1", "pending"))));
  const silent = await startApi(t, answering(gone, members(membership("m1", "org-1", null))));

  assert.equal((await locateOne(pending, known())).kind, "absent");
  assert.equal((await locateOne(silent, known())).kind, "accepted");
});

test("memberships are paged, and read once for all invites", async (t) => {
  const all = Array.from({ length: 70 }, (_, index) => membership(`m${index}`, `org-${index}`));
  const paged: Answer = (request, response) => {
    const first = (pageOf(request) - 1) * 50;
    sendJson(response, page(all.slice(first, first + 50), { total_count: all.length }));
  };
  const api = await startApi(t, answering(gone, paged));
  const invites = ["org-69", "org-70", "org-0"].map((organization_id, id) => known({ id: `${id}`, organization_id }));

  const found = await sourceOf(api).locate(invites, forever());

  assert.deepEqual(
    [...found.values()].map(({ kind }) => kind),
    ["accepted", "absent", "accepted"],
  );
  assert.equal(api.requests.filter(({ url }) => url.includes("/memberships")).length, 2);
});

test("memberships that may not be all rule nothing out, but what they show counts", async (t) => {
  const body = JSON.parse(await fixture("php-listMemberships"));
  const api = await startApi(
    t,
    answering(gone, (_request, response) => sendJson(response, body)),
  );

  const other = await locateOne(api, known());
  const same = await locateOne(api, known({ organization_id: body.result[0].account.id }));

  assert.equal(other.kind, "unknown");
  assert.match(other.kind === "unknown" ? other.shortfall.reason : "", /^GET \/memberships: .*total_count is 2000/);
  assert.equal(same.kind, "accepted");
});

test("memberships that cannot be read leave it open", async (t) => {
  const refused = await fixture("err-9106-memberships-account-token");
  const api = await startApi(
    t,
    answering(gone, (_request, response) => sendJson(response, refused, 400)),
  );

  const whereabouts = await locateOne(api, known());

  assert.equal(whereabouts.kind === "unknown" && whereabouts.shortfall.code, 9106);
});

test("an invite without an id of its own is looked for among the memberships alone", async (t) => {
  const api = await startApi(t, answering(gone, members(membership("m1", "org-1"))));

  const whereabouts = await locateOne(api, known({ id: null }));

  assert.equal(whereabouts.kind, "accepted");
  assert.equal(api.requests.length, 1);
});

test("without an organization nothing can explain it, and the evidence says so", async (t) => {
  const api = await startApi(t, answering(gone, members(membership("m1", "org-1"))));

  const whereabouts = await locateOne(api, known({ organization_id: null }));

  assert.equal(whereabouts.kind, "absent");
  assert.match(whereabouts.kind === "absent" ? whereabouts.evidence : "", /no organization to look for/);
});

test("one that cannot be read holds up no other", async (t) => {
  const api = await startApi(t, (request, response) =>
    request.url?.endsWith("/a")
      ? sendJson(response, "", 500)
      : sendJson(response, { success: true, result: rawInvite({ id: "b" }) }),
  );

  const found = await sourceOf(api).locate([known({ id: "a" }), known({ id: "b" })], forever());

  assert.deepEqual(
    [...found].map(([id, { kind }]) => [id, kind]),
    [
      ["a", "unknown"],
      ["b", "found"],
    ],
  );
});

test("after a refused credential nothing more is asked, and all that are left stay open", async (t) => {
  const api = await startApi(t, (_request, response) => sendJson(response, { success: false }, 403));

  const found = await sourceOf(api).locate([known({ id: "a" }), known({ id: "b" })], forever());

  assert.deepEqual(
    [...found.values()].map(({ kind }) => kind),
    ["unknown", "unknown"],
  );
  assert.equal(api.requests.length, 1);
});

test("on an abort all that are left stay open", async (t) => {
  const api = await startApi(t, (request, response) => {
    if (request.url?.endsWith("/a")) sendJson(response, { success: true, result: rawInvite({ id: "a" }) });
  });
  const invites = ["a", "b", "c"].map((id) => known({ id }));

  const found = await sourceOf(api).locate(invites, AbortSignal.timeout(300));

  assert.deepEqual(
    [...found].map(([id, { kind }]) => [id, kind]),
    [
      ["a", "found"],
      ["b", "unknown"],
      ["c", "unknown"],
    ],
  );
  const last = found.get("c");
  assert.equal(last?.kind === "unknown" && last.shortfall.cause, "deadline");
});
