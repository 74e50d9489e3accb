import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, beforeEach, describe, test } from "node:test";
import { demoCredentials, type StandIn, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import { refusals } from "../../src/demo/cloudflare-answers.ts";
import { sampleInvite } from "../../src/demo/sample-invite.ts";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import { goodAnswer, refusal, violations } from "./openapi-validator.ts";

const { token, email, key } = demoCredentials;
const unknownToken = "x".repeat(40);
let standIn: StandIn;

before(async () => {
  standIn = await startCloudflareStandIn();
});
beforeEach(() => {
  standIn.invites.clear();
  standIn.memberships.clear();
});
after(() => standIn.close());

function get(path: string, headers: Record<string, string> = { authorization: `Bearer ${token}` }): Promise<Response> {
  return fetch(standIn.url + path, { headers });
}

// biome-ignore lint/suspicious/noExplicitAny: JSON as it comes off the wire
async function getJson(path: string, headers?: Record<string, string>): Promise<any> {
  return (await get(path, headers)).json();
}

function example(name: string) {
  return JSON.parse(readFileSync(new URL(`../fixtures/cloudflare-examples/${name}.json`, import.meta.url), "utf8"));
}

/** Paths of all values with their types; an array is known by its first item. */
function shape(value: Json, path = ""): readonly string[] {
  if (Array.isArray(value)) return value.length === 0 ? [`${path}[]`] : shape(value[0], `${path}[]`);
  if (typeof value !== "object" || value === null) return [`${path} ${value === null ? "null" : typeof value}`];
  return Object.entries(value).flatMap(([name, inner]) => shape(inner, `${path}.${name}`));
}

describe("answers", () => {
  test("the list of invitations is as the OpenAPI document describes it", async () => {
    standIn.invites.replaceAll(Array.from({ length: 25 }, () => sampleInvite()));

    const list = await getJson("/user/invites");

    assert.deepEqual(violations(list, goodAnswer("/user/invites")), []);
    assert.equal(list.result.length, 20);
  });

  test("the document is a judge that finds something", () => {
    const list = { success: true, errors: [], messages: [], result: [{ ...sampleInvite(), expires_on: "soon" }] };

    const found = violations(list, goodAnswer("/user/invites"));

    assert.deepEqual(found, ['/result/0/expires_on must match format "date-time"']);
  });

  test("one invitation is as the OpenAPI document describes it", async () => {
    const invite = sampleInvite();
    standIn.invites.put(invite);

    const detail = await getJson(`/user/invites/${invite.id}`);

    assert.deepEqual(violations(detail, goodAnswer("/user/invites/{invite_id}")), []);
    assert.deepEqual(detail.result, invite);
  });

  test("memberships and the token's verification are as the OpenAPI document describes them", async () => {
    const invite = sampleInvite();
    standIn.invites.put(invite);
    standIn.invites.accept(invite.id);

    const memberships = await getJson("/memberships");
    const verification = await getJson("/user/tokens/verify");

    assert.deepEqual(violations(memberships, goodAnswer("/memberships")), []);
    assert.equal(memberships.result.length, 1);
    assert.deepEqual(violations(verification, goodAnswer("/user/tokens/verify")), []);
  });

  test("refusals that come with all their keys are as the OpenAPI document describes them", async () => {
    const refused = [
      await getJson("/user/invites/0123456789abcdef0123456789abcdef"),
      await getJson("/no/such/route"),
      await getJson("/user/invites", { authorization: "Bearer short" }),
      await getJson("/user/invites", { authorization: `Bearer ${unknownToken}` }),
    ];

    assert.deepEqual(
      refused.flatMap((body) => violations(body, refusal)),
      [],
    );
  });

  test("the list has the fields of the documentation's own example", async () => {
    standIn.invites.put(sampleInvite({ status: "accepted", invited_member_id: "5a7805061c76ada191ed06f989cc3dac" }));
    const { errors: _, messages: __, ...documented } = example("docs-user-invites-list");

    const { errors, messages, ...list } = await getJson("/user/invites");

    assert.deepEqual(shape(list).toSorted(), shape(documented).toSorted());
    assert.deepEqual([errors, messages], [[], []]);
  });

  test("one invitation has the fields of the documentation's own example", async () => {
    const invite = sampleInvite({ invited_member_id: "5a7805061c76ada191ed06f989cc3dac" });
    standIn.invites.put(invite);
    const { errors: _, messages: __, ...documented } = example("docs-user-invite-patch");

    const { errors: ___, messages: ____, ...detail } = await getJson(`/user/invites/${invite.id}`);

    assert.deepEqual(shape(detail).toSorted(), shape(documented).toSorted());
  });

  test("a membership has every field of the known example, apart from some scopes of its permissions", async () => {
    standIn.invites.put(sampleInvite({ id: "a" }));
    standIn.invites.accept("a");
    const known = shape(example("php-listMemberships")).filter((path) => !path.includes(".permissions."));

    const sent = shape(await getJson("/memberships"));

    assert.deepEqual(
      known.filter((path) => !sent.includes(path)),
      [],
    );
    assert.ok(sent.includes(".result[].permissions.zones.read boolean"));
  });

  test("a good token's verification looks like the one captured", async () => {
    const verification = await getJson("/user/tokens/verify");

    assert.deepEqual(shape(verification), shape(example("ok-token-verify-live")));
    assert.deepEqual(verification.messages, example("ok-token-verify-live").messages);
  });
});

describe("refusals", () => {
  const bearer = (value: string) => ({ authorization: `Bearer ${value}` });
  const pair = (address: string, secret: string) => ({ "x-auth-email": address, "x-auth-key": secret });
  const cases: readonly (readonly [string, Record<string, string>, number, string])[] = [
    ["no credentials", {}, 400, "err-400-9106-missing-headers"],
    ["a key without its e-mail", { "x-auth-key": key }, 400, "err-400-9106-missing-headers"],
    ["a malformed token", bearer("short"), 400, "err-400-6003-6111-bad-bearer-format"],
    ["another scheme", { authorization: `Basic ${token}` }, 400, "err-400-6003-6111-bad-bearer-format"],
    ["an unknown token", bearer(unknownToken), 403, "err-403-9109-invalid-access-token"],
    ["an account's token", bearer(`cfat_${unknownToken}`), 400, "err-9106-memberships-account-token"],
    ["a token in place of the key", pair(email, token), 400, "err-400-6003-6103-bad-key-format"],
    ["a malformed e-mail and key", pair("nobody", "short"), 400, "err-400-6003-6102-6103"],
    ["an unknown key", pair(email, "f".repeat(37)), 400, "err-9103-unknown-key-or-email"],
  ];
  for (const [what, headers, status, payload] of cases) {
    test(`${what}: HTTP ${status}, word for word as in ${payload}`, async () => {
      const response = await get("/user/invites", headers);

      assert.equal(response.status, status);
      assert.deepEqual(await response.json(), example(payload));
    });
  }

  test("e-mail and key open the list, but verify no token", async () => {
    const list = await get("/user/invites", pair(email, key));
    const verification = await get("/user/tokens/verify", pair(email, key));

    assert.equal(list.status, 200);
    assert.deepEqual(await verification.json(), example("err-1001-verify-missing-authorization"));
  });

  test("an unknown invitation, an unknown path and any method but GET have no route", async () => {
    const authorized = { headers: bearer(token) };
    const responses = [
      await get("/user/invites/0123456789abcdef0123456789abcdef"),
      await get("/user"),
      await fetch(`${standIn.url}/user/invites/a`, { ...authorized, method: "PATCH", body: '{"status":"accepted"}' }),
      await fetch(new URL("/user/invites", standIn.url), authorized),
    ];

    for (const response of responses) {
      assert.equal(response.status, 404);
      assert.deepEqual(await response.json(), example("err-7003-no-route"));
    }
  });

  test("a missing permission can be scripted, word for word as captured", async () => {
    standIn.fail({ kind: "answer", answer: refusals.permissionMissing, times: 1 });

    const response = await get("/user/invites");

    assert.equal(response.status, 403);
    assert.deepEqual(await response.json(), example("err-403-10000-authentication-error"));
  });
});

describe("paging", () => {
  const ids = (list: { result: readonly JsonObject[] }) => list.result.map(({ id }) => id);

  test("pages of 50 hold every invitation once, in order, and count them", async () => {
    const invites = Array.from({ length: 120 }, () => sampleInvite());
    standIn.invites.replaceAll(invites);

    const pages = [1, 2, 3].map((page) => getJson(`/user/invites?page=${page}&per_page=50`));
    const lists = await Promise.all(pages);

    assert.deepEqual(
      lists.flatMap(ids),
      invites.map(({ id }) => id),
    );
    assert.deepEqual(lists[2].result_info, { count: 20, page: 3, per_page: 50, total_count: 120 });
  });

  test("a page past the end is empty, and a page size beyond 50 is 50", async () => {
    standIn.invites.replaceAll(Array.from({ length: 60 }, () => sampleInvite()));

    const past = await getJson("/user/invites?page=4");
    const wide = await getJson("/user/invites?per_page=1000");

    assert.deepEqual(past.result_info, { count: 0, page: 4, per_page: 20, total_count: 60 });
    assert.deepEqual(wide.result_info, { count: 50, page: 1, per_page: 50, total_count: 60 });
  });

  test("a change shows on the next request, though pages are kept", async () => {
    standIn.invites.put(sampleInvite({ id: "a" }));
    await getJson("/user/invites");

    standIn.invites.update("a", { status: "rejected" });
    standIn.invites.put(sampleInvite({ id: "b" }));
    const changed = await getJson("/user/invites");
    standIn.invites.remove("a");
    const removed = await getJson("/user/invites");

    assert.deepEqual(ids(changed), ["a", "b"]);
    assert.equal(changed.result[0].status, "rejected");
    assert.deepEqual(ids(removed), ["b"]);
  });

  test("an invitation taken off the list is still known by its id", async () => {
    standIn.invites.put(sampleInvite({ id: "a" }));

    standIn.invites.unlist("a");

    assert.deepEqual(ids(await getJson("/user/invites")), []);
    assert.equal((await getJson("/user/invites/a")).result.id, "a");
  });

  test("what is malformed is listed as it was given", async () => {
    const twice = sampleInvite();
    const { id: _, ...nameless } = sampleInvite();

    standIn.invites.replaceAll([twice, twice, nameless, { ...sampleInvite(), roles: [{ name: "Administrator" }] }]);
    standIn.invites.put(nameless);

    const list = await getJson("/user/invites");
    assert.deepEqual(ids(list).slice(0, 3), [twice.id, twice.id, undefined]);
    assert.equal(list.result.length, 5);
  });

  test("memberships are paged from 5 to 50, and by their status", async () => {
    for (let number = 1; number <= 7; number += 1) {
      standIn.memberships.put({ id: `m${number}`, status: number === 7 ? "pending" : "accepted" });
    }

    const accepted = await getJson("/memberships?status=accepted&per_page=1&page=2");
    const pending = await getJson("/memberships?status=pending");

    assert.deepEqual(accepted.result_info, { count: 1, page: 2, per_page: 5, total_count: 6 });
    assert.deepEqual(ids(pending), ["m7"]);
  });
});

test("an accepted invitation stays listed, and its organization is among the memberships", async () => {
  const invite = sampleInvite();
  standIn.invites.put(invite);

  standIn.invites.accept(invite.id);

  const list = await getJson("/user/invites");
  const memberships = await getJson("/memberships?status=accepted");
  assert.equal(list.result[0].status, "accepted");
  assert.equal(memberships.result[0].account.id, invite.organization_id);
});

test("a further user has other credentials, and invitations of their own", async (t) => {
  const shared = await startCloudflareStandIn();
  t.after(shared.close);
  const key = "f".repeat(37);
  const other = shared.addUser({ token: `${"x".repeat(39)}y`, email: "other@example.com", key });
  shared.invites.put(sampleInvite({}, 1));
  other.invites.put(sampleInvite({}, 2));
  const idsFor = async (headers: Readonly<Record<string, string>>) => {
    const list = await (await fetch(`${shared.url}/user/invites`, { headers })).json();
    return (list as { result: { id: string }[] }).result.map(({ id }) => id);
  };

  const seen = [
    await idsFor({ authorization: `Bearer ${demoCredentials.token}` }),
    await idsFor({ "x-auth-email": "other@example.com", "x-auth-key": key }),
  ];

  assert.deepEqual(seen, [[sampleInvite({}, 1).id], [sampleInvite({}, 2).id]]);
});

test("every answer says its date, its type and its ray, and refusals do too", async () => {
  const responses = [await get("/user/invites"), await get("/user/invites", {}), await get("/nowhere")];

  for (const { headers } of responses) {
    assert.match(headers.get("cf-ray") ?? "", /^[0-9a-f]{16}-[A-Z]{3}$/);
    assert.equal(headers.get("content-type"), "application/json");
    assert.ok(Math.abs(Date.parse(headers.get("date") ?? "") - Date.now()) < 5000);
  }
  assert.equal(new Set(responses.map(({ headers }) => headers.get("cf-ray"))).size, 3);
});

test("requests are counted, and the latest are kept with method and path", async () => {
  const before = standIn.requests.count;

  await get("/user/invites?page=2&per_page=50");

  assert.equal(standIn.requests.count, before + 1);
  assert.deepEqual(standIn.requests.latest.at(-1), {
    method: "GET",
    path: "/client/v4/user/invites?page=2&per_page=50",
  });
});

describe("sample invitations", () => {
  test("the same number gives the same invitation, another number another", () => {
    const [first, again, other] = [7, 7, 8].map((number) => sampleInvite({ invited_on: "", expires_on: "" }, number));

    assert.deepEqual(first, again);
    assert.notEqual(first?.id, other?.id);
    assert.match(first?.id ?? "", /^[0-9a-f]{32}$/);
  });

  test("a thousand of them have ids of their own and keep to the document's limits", () => {
    const result = Array.from({ length: 1000 }, (_, number) => sampleInvite({}, number));

    const found = violations({ success: true, errors: [], messages: [], result }, goodAnswer("/user/invites"));

    assert.deepEqual(found, []);
    assert.equal(new Set(result.map(({ id }) => id)).size, 1000);
  });
});
