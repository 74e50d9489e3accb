import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseInvite } from "../../../src/adapters/cloudflare/invite.ts";
import type { ListedInvite } from "../../../src/domain/invite.ts";
import { fixture, rawInvite } from "./api.ts";

function parse(raw: unknown): ListedInvite {
  const invite = parseInvite(raw);
  assert.ok(invite !== null);
  return invite;
}

/** A raw invite whose fields hold anything, as often as not in the places that are looked at. */
const anyInvite = fc.oneof(
  fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ stringUnit: "binary" })),
  fc.record(
    Object.fromEntries(Object.keys(rawInvite()).map((name) => [name, fc.jsonValue({ stringUnit: "binary" })])),
    {
      requiredKeys: [],
    },
  ),
);

test("the documentation's example is read without oddities", async () => {
  const [raw] = JSON.parse(await fixture("docs-user-invites-list")).result;

  const { fingerprint, ...invite } = parse(raw);

  assert.ok(fingerprint.length > 20);
  assert.deepEqual(invite, {
    id: "4f5f0c14a2a41d5063dd301b2f829f04",
    apiStatus: "accepted",
    organizationId: "5a7805061c76ada191ed06f989cc3dac",
    organizationName: "Cloudflare, Inc.",
    organizationEnforcesTwoFactor: true,
    invitedMemberId: "5a7805061c76ada191ed06f989cc3dac",
    invitedMemberEmail: "user@example.com",
    invitedBy: "user@example.com",
    roles: ["Account Administrator"],
    invitedAt: new Date("2014-01-01T05:20:00Z"),
    expiresAt: new Date("2014-01-01T05:20:00Z"),
    extra: null,
    oddities: [],
  });
});

test("roles given as objects are known by their names, and what else they hold is kept", async () => {
  const [raw] = JSON.parse(await fixture("go-v0.9.4-organization-invites-list")).result;

  const invite = parse(raw);

  assert.deepEqual(invite.roles, ["Organization Admin"]);
  assert.deepEqual(invite.extra, { roles: raw.roles });
  assert.deepEqual(invite.oddities, []);
  assert.equal(invite.organizationEnforcesTwoFactor, null);
});

test("roles without a name are an oddity and are kept", () => {
  const invite = parse(rawInvite({ roles: ["Admin", 7, null, { id: "x" }] }));

  assert.deepEqual(invite.roles, ["Admin"]);
  assert.deepEqual(invite.oddities, ["roles holds 3 of 4 without a name"]);
  assert.deepEqual(invite.extra, { roles: ["Admin", 7, null, { id: "x" }] });
});

test("an invite of which everything is null has a surrogate id and is taken for pending", () => {
  const nulls = Object.fromEntries(Object.keys(rawInvite()).map((name) => [name, null]));

  const [invite, empty] = [parse(nulls), parse({})];

  assert.match(invite.id, /^surrogate-[0-9a-f]{32}$/);
  assert.deepEqual(invite.oddities, ["status missing: the invite is taken for pending"]);
  assert.deepEqual([invite.extra, invite.roles, invite.expiresAt], [null, [], null]);
  assert.deepEqual(empty, invite);
});

test("a surrogate id depends on the organization, who was invited and when, and on nothing else", () => {
  const surrogate = (fields: object): string => parse(rawInvite({ id: null, ...fields })).id;

  const id = surrogate({});

  assert.equal(surrogate({ status: "accepted", roles: [], expires_on: null, invited_member_id: null }), id);
  assert.equal(surrogate({ invited_on: "2026-02-28T13:00:00.000+01:00" }), id);
  for (const other of [
    { organization_id: "org-2" },
    { invited_member_email: "other@example.com" },
    { invited_member_email: null },
    { invited_on: "2026-02-28T12:00:01Z" },
  ]) {
    assert.notEqual(surrogate(other), id);
  }
});

test("numbers as ids are taken for their digits", () => {
  const invite = parse(rawInvite({ id: 17, organization_id: 4, invited_member_id: 0 }));

  assert.deepEqual([invite.id, invite.organizationId, invite.invitedMemberId], ["17", "4", "0"]);
  assert.deepEqual(invite.oddities, []);
});

test("a field of a wrong type is null, an oddity, and kept under the API's name", () => {
  const wrong = {
    id: { a: 1 },
    status: 7,
    organization_id: true,
    organization_name: ["Acme"],
    organization_is_enforcing_twofactor: "yes",
    invited_member_id: [],
    invited_member_email: 7,
    invited_by: {},
    roles: "Admin",
    invited_on: 1_388_553_600,
    expires_on: "soon",
  };

  const invite = parse(wrong);

  assert.deepEqual(invite.extra, wrong);
  assert.equal(invite.oddities.length, 11);
  assert.ok(invite.oddities.includes('expires_on is not a date: "soon"'), invite.oddities.join("\n"));
  assert.ok(invite.oddities.includes("invited_on is not a date: 1388553600"));
  assert.deepEqual([invite.apiStatus, invite.organizationName, invite.expiresAt, invite.roles], [null, null, null, []]);
});

test("a status that we do not know is kept as it came, as an oddity", () => {
  for (const status of ["canceled", "LEFT", "", "pending "]) {
    const invite = parse(rawInvite({ status }));

    assert.equal(invite.apiStatus, status);
    assert.match(invite.oddities.join(), /^status is none that we know/);
  }
  assert.deepEqual(parse(rawInvite({ status: "Pending" })).oddities, []);
});

test("fields that we do not know are kept", () => {
  const invite = parse(rawInvite({ code: "x", nested: { b: [1, null], a: true } }));

  assert.deepEqual(invite.extra, { code: "x", nested: { b: [1, null], a: true } });
  assert.deepEqual(invite.oddities, []);
});

test("a key called __proto__ stays a key", () => {
  const { extra } = parse(JSON.parse('{"id":"1","status":"pending","__proto__":{"polluted":true}}'));

  assert.deepEqual(Object.keys(extra ?? {}), ["__proto__"]);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test("hostile texts are kept as they came, but for what Postgres refuses", () => {
  const name = `A\r\nBcc: x\u202E<b>&${"x".repeat(10_000)}`;

  assert.equal(parse(rawInvite({ organization_name: name })).organizationName, name);
  assert.equal(parse(JSON.parse('{"organization_name":"a\\u0000b\\ud800c"}')).organizationName, "a\uFFFDb\uFFFDc");
});

test("what is nested too deeply, and a number beyond all numbers, can still be stored", () => {
  const deep = parse(JSON.parse(`{"id":"1","x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`));
  const huge = parse(JSON.parse('{"id":"1","x":1e999}'));

  assert.match(JSON.stringify(deep.extra), /nested too deeply/);
  assert.deepEqual(huge.extra, { x: "Infinity" });
});

test("an oddity quotes at most 100 characters", () => {
  const { oddities } = parse(rawInvite({ expires_on: `\r\n${"9".repeat(5000)}` }));

  assert.ok((oddities[0] ?? "").length < 130);
  assert.doesNotMatch(oddities[0] ?? "", /[\r\n]/);
});

test("what is no object is no invite", () => {
  for (const raw of [null, undefined, 1, "x", true, [], [rawInvite()]]) assert.equal(parseInvite(raw), null);
});

test("any object is read without an error, into text that can be stored", () => {
  fc.assert(
    fc.property(anyInvite, (raw) => {
      const { fingerprint: _, ...invite } = parse(JSON.parse(JSON.stringify(raw)));

      const text = JSON.stringify(invite);

      assert.doesNotMatch(text, /(?<!\\)(?:\\\\)*\\u0000/);
      assert.doesNotMatch(text, /(?<!\\)(?:\\\\)*\\ud[89a-f]/i);
      assert.ok(text.isWellFormed());
    }),
  );
});

test("the order of keys does not change the fingerprint", () => {
  fc.assert(
    fc.property(anyInvite, (raw) => {
      const reversed = Object.fromEntries(Object.entries(raw).reverse());

      assert.equal(parse(reversed).fingerprint, parse(raw).fingerprint);
    }),
  );
});

test("any difference in what the API says changes the fingerprint", () => {
  const { fingerprint } = parse(rawInvite());

  for (const name of Object.keys(rawInvite())) {
    assert.notEqual(parse(rawInvite({ [name]: null })).fingerprint, fingerprint, name);
    assert.notEqual(parse(rawInvite({ [name]: { odd: 1 } })).fingerprint, fingerprint, name);
  }
  assert.notEqual(parse(rawInvite({ more: 1 })).fingerprint, fingerprint);
  assert.notEqual(parse(rawInvite({ more: 1 })).fingerprint, parse(rawInvite({ more: 2 })).fingerprint);
});
