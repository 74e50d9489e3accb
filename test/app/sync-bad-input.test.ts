/** What a sync makes of answers that it should never have got: nothing is lost, nothing invented, nobody told gone. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, before, describe, type TestContext, test } from "node:test";
import type { Recording } from "../../src/app/store.ts";
import type { SyncPlan } from "../../src/app/sync.ts";
import type { ApiInvite } from "../../src/demo/sample-invite.ts";
import { type OpenedDatabase, openTestDatabase } from "../support/database.ts";
import { MINUTE } from "../support/durations.ts";
import { type Lab, openLab } from "../support/lab.ts";

let database: OpenedDatabase;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

type Respond = (response: ServerResponse, request: IncomingMessage) => void;

/** What a sync made of a bad answer to the list. */
type Told = { readonly lab: Lab; readonly recording: Recording };

/**
 * Two pending invites are known; then the list is answered badly, twice in a row.
 *
 * Whatever the answer is, both invites are pending afterwards and nobody was told otherwise, the second time adds
 * nothing to the first, the chain holds, and the next good answer is a complete sync without events.
 */
async function tell(t: TestContext, respond: Respond, plan: Partial<SyncPlan> = {}): Promise<Told> {
  const lab = await openLab({ database, plan });
  t.after(lab.close);
  const invites = [lab.invite(), lab.invite()];
  await lab.sync();
  lab.api.fail({ kind: "custom", respond: (request, response) => respond(response, request), match: "/user/invites?" });

  lab.pass(15 * MINUTE);
  const recording = await lab.sync();
  lab.pass(15 * MINUTE);
  const again = await lab.sync();
  lab.api.clearFailures();
  lab.pass(15 * MINUTE);
  const good = await lab.sync();

  const known = await lab.known();
  assert.deepEqual(
    invites.map(({ id }) => known.get(id)?.status),
    ["pending", "pending"],
  );
  const aboutThem = (await lab.history()).filter((event) => invites.some(({ id }) => id === event.inviteId));
  assert.deepEqual(
    aboutThem.map((event) => event.type),
    ["invite.received", "invite.received"],
  );
  assert.deepEqual([again.sync.outcome, again.events], [recording.sync.outcome, []]);
  assert.deepEqual([good.sync.outcome, good.events], ["complete", []]);
  assert.equal(await lab.brokenChain(), null);
  return { lab, recording };
}

/** The same, of an answer that is a page of the list with one element: a good one but for the changed fields. */
async function tellOf(t: TestContext, fields: object): Promise<Told & { readonly id: string }> {
  const { lab, recording } = await tell(t, json(page([{ ...good, ...fields }], 1)));
  const id = recording.events.find((event) => event.type === "invite.received")?.inviteId ?? "";
  return { lab, recording, id };
}

const good: ApiInvite = {
  id: "0123456789abcdef0123456789abcdef",
  invited_member_id: null,
  invited_member_email: "you@example.com",
  organization_id: "fedcba9876543210fedcba9876543210",
  organization_name: "Acme",
  organization_is_enforcing_twofactor: false,
  roles: ["Administrator"],
  invited_by: "amara@acme.example",
  invited_on: "2026-03-01T10:00:00Z",
  expires_on: "2026-03-20T10:00:00Z",
  status: "pending",
};

function invites(count: number, first = 1): readonly ApiInvite[] {
  return Array.from({ length: count }, (_, index) => ({ ...good, id: `invite-${first + index}` }));
}

function page(result: unknown, total?: number): object {
  const result_info = total === undefined ? undefined : { page: 1, per_page: 50, count: 1, total_count: total };
  return { success: true, errors: [], messages: [], result, result_info };
}

/** Answers with JSON: a text as it stands, anything else serialised. */
function json(body: unknown, status = 200): Respond {
  return text(typeof body === "string" ? body : JSON.stringify(body), status, "application/json");
}

function text(body: string, status = 200, type = "text/html"): Respond {
  return (response) => response.writeHead(status, { "content-type": type }).end(body);
}

function pageOf(request: IncomingMessage): number {
  return Number(new URL(request.url ?? "", "http://localhost").searchParams.get("page"));
}

/** The sync failed for this reason and recorded no event. */
function assertFailed({ sync, events }: Recording, reason: RegExp): void {
  assert.equal(sync.outcome, "failed");
  assert.match(sync.reason ?? "", reason);
  assert.deepEqual(events, []);
}

/** The sync is incomplete for this reason, and received so many invites. */
function assertIncomplete({ sync, events }: Recording, reason: RegExp, received: number): void {
  assert.equal(sync.outcome, "incomplete");
  assert.match(sync.reason ?? "", reason);
  assert.deepEqual(
    events.map((event) => event.type),
    Array.from({ length: received }, () => "invite.received"),
  );
}

describe("an answer that is no list fails the sync:", () => {
  test("an HTML page", async (t) => {
    const { recording } = await tell(t, text("<!DOCTYPE html><title>Please sign in</title>"));

    assertFailed(recording, /HTTP 200 with an HTML page instead of JSON/);
  });

  test("JSON that breaks off", async (t) => {
    const { recording } = await tell(t, json(JSON.stringify(page(invites(3), 3)).slice(0, -40)));

    assertFailed(recording, /JSON that is malformed or breaks off/);
  });

  test("success: false with HTTP 200", async (t) => {
    const body = { success: false, errors: [{ code: 1001, message: "Internal error" }], messages: [], result: [] };
    const { recording } = await tell(t, json(body));

    assertFailed(recording, /success: false/);
    assert.equal(recording.sync.code, 1001);
  });

  test("no word of success", async (t) => {
    const { recording } = await tell(t, json({ result: [], result_info: { total_count: 0 } }));

    assertFailed(recording, /JSON without success: true/);
  });

  test("an empty body", async (t) => {
    const { recording } = await tell(t, json(""));

    assertFailed(recording, /an empty body instead of JSON/);
  });

  test("204 No Content", async (t) => {
    const { recording } = await tell(t, (response) => response.writeHead(204).end());

    assertFailed(recording, /HTTP 204/);
  });

  test("a redirect, which is not followed, not even to a good list", async (t) => {
    const location = "/client/v4/memberships";
    const { lab, recording } = await tell(t, (response) => response.writeHead(302, { location }).end());

    assertFailed(recording, /HTTP 302.*redirects are not followed/);
    assert.deepEqual(
      lab.api.requests.latest.filter(({ path }) => path.startsWith(location)),
      [],
    );
  });

  test("40 MB, which are not read to their end", async (t) => {
    const filler = Buffer.alloc(1 << 20, " ");
    const { recording } = await tell(t, (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      for (let megabytes = 0; megabytes < 40; megabytes += 1) response.write(filler);
      response.end(JSON.stringify(page([], 0)));
    });

    assertFailed(recording, /larger than 33554432 bytes/);
  });

  test("a body that stalls, which ends at the deadline", async (t) => {
    const half: Respond = (response) =>
      response.writeHead(200, { "content-type": "application/json" }).write('{"success":');
    const { recording } = await tell(t, half, { deadlineMs: 150 });

    assertFailed(recording, /deadline/);
    assert.equal(recording.sync.cause, "deadline");
  });

  for (const result of [null, {}, "none", 0]) {
    test(`a result that is ${JSON.stringify(result)}`, async (t) => {
      const { recording } = await tell(t, json(page(result, 0)));

      assertFailed(recording, /whose result is not a list/);
    });
  }
});

describe("a list that does not add up is incomplete, and what it holds is recorded:", () => {
  test("an id that comes twice", async (t) => {
    const { recording } = await tell(t, json(page([...invites(2), ...invites(1)], 3)));

    assertIncomplete(recording, /the id "invite-1" is listed twice/, 2);
  });

  test("a total that changes between pages", async (t) => {
    const { recording } = await tell(t, (response, request) => {
      const nth = pageOf(request);
      json(page(nth === 1 ? invites(50) : invites(10, 51), nth === 1 ? 60 : 61))(response, request);
    });

    assertIncomplete(recording, /total_count changed from 60 to 61 while reading/, 60);
  });

  test("a server that ignores the page, with a total that is never reached", async (t) => {
    const { lab, recording } = await tell(t, json(page(invites(50), 120)));

    assertIncomplete(recording, /50 listed, but total_count is 120/, 50);
    assert.deepEqual(
      lab.api.requests.latest.filter(({ path }) => path.includes("page=3")),
      [],
    );
  });

  test("a server that ignores the page and states no total", async (t) => {
    const { recording } = await tell(t, json(page(invites(50))));

    assertIncomplete(recording, /no total_count says whether 50 are all/, 50);
  });

  test("a total of 2000 with one item, as in the documentation", async (t) => {
    const { recording } = await tell(t, json(page(invites(1), 2000)));

    assertIncomplete(recording, /1 listed, but total_count is 2000/, 1);
  });

  test("a total that is no number", async (t) => {
    const { recording } = await tell(t, json({ ...page(invites(1)), result_info: { total_count: "many" } }));

    assertIncomplete(recording, /total_count is not a number of invitations: "many"/, 1);
  });

  test("elements that are no invites", async (t) => {
    const { recording } = await tell(t, json(page([...invites(1), null, 7, "invite", []], 5)));

    assertIncomplete(recording, /an element of the list is not an object/, 1);
  });
});

describe("an invite that cannot be read whole is still an invite:", () => {
  test("null in every field gives it a stable id of ours, and asks a person to look", async (t) => {
    const { lab, recording, id } = await tellOf(t, Object.fromEntries(Object.keys(good).map((name) => [name, null])));

    assert.equal(recording.sync.outcome, "complete");
    assert.match(id, /^surrogate-[0-9a-f]{32}$/);
    assert.deepEqual(
      recording.events.map((event) => event.type),
      ["invite.received", "invite.unrecognised"],
    );
    const { status, organizationName, roles, expiresAt } = (await lab.known()).get(id) ?? {};
    assert.deepEqual([status, organizationName, roles, expiresAt], ["pending", null, [], null]);
  });

  test("nothing but an empty object is the same", async (t) => {
    const { recording } = await tell(t, json(page([{}], 1)));

    assert.deepEqual(
      recording.events.map((event) => event.type),
      ["invite.received", "invite.unrecognised"],
    );
  });

  test("roles as objects are known by their names, and kept as they came", async (t) => {
    const roles = [
      { id: "r1", name: "Administrator", permissions: { dns: { read: true } } },
      { id: "r2", name: "Billing" },
    ];
    const { lab, recording, id } = await tellOf(t, { roles });

    assert.deepEqual(
      recording.events.map((event) => event.type),
      ["invite.received"],
    );
    const invite = (await lab.known()).get(id);
    assert.deepEqual([invite?.roles, invite?.extra], [["Administrator", "Billing"], { roles }]);
  });

  test("an unknown status is kept in the API's own word and told once as unrecognised", async (t) => {
    const { lab, recording, id } = await tellOf(t, { status: "on_hold" });

    assert.deepEqual(
      recording.events.map((event) => event.type),
      ["invite.received", "invite.unrecognised"],
    );
    assert.equal((await lab.known()).get(id)?.status, "on_hold");
    assert.equal(recording.notifications.length, 1);
  });

  for (const expires_on of [
    "soon",
    "",
    "2026-02-30T00:00:00Z",
    "0000-00-00",
    1774000000,
    {},
    "+999999-01-01T00:00:00Z",
  ]) {
    test(`an end of ${JSON.stringify(expires_on)} is no date, and the invite has none`, async (t) => {
      const { lab, recording, id } = await tellOf(t, { expires_on });

      assert.deepEqual(
        recording.events.map((event) => event.type),
        ["invite.received", "invite.unrecognised"],
      );
      const invite = (await lab.known()).get(id);
      assert.equal(invite?.expiresAt, null);
      assert.deepEqual(invite?.extra, { expires_on });
      assert.match(invite?.oddities.join() ?? "", /^expires_on is not a date/);
    });
  }

  test("fields that we do not know are kept, however deep and however large their numbers", async (t) => {
    const fields = {
      seats: 1e300,
      tiny: -1e-300,
      huge: 2 ** 60,
      nested: { a: [{ b: null }] },
      constructor: 1,
      toJSON: "x",
    };
    const { lab, recording, id } = await tellOf(t, fields);

    assert.deepEqual(
      recording.events.map((event) => event.type),
      ["invite.received"],
    );
    assert.deepEqual((await lab.known()).get(id)?.extra, fields);
  });

  test("nesting without end is cut where it is kept", async (t) => {
    const nested = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
    const body = JSON.stringify(page([{ ...good, nested: "HERE" }], 1)).replace('"HERE"', nested);
    const { recording } = await tell(t, json(body));

    assert.deepEqual(
      recording.events.map((event) => event.type),
      ["invite.received"],
    );
  });
});

describe("text that is longer than an index takes is recorded all the same:", () => {
  // At random, since Postgres compresses what it can.
  const long = randomBytes(9_000).toString("base64");

  for (const name of ["id", "organization_id", "invited_member_id", "status", "invited_by"]) {
    test(`in ${name}`, async (t) => {
      const { lab, recording } = await tell(t, json(page([{ ...good, [name]: long }], 1)));

      assert.equal(recording.sync.outcome, "complete");
      const [added] = recording.newInvites;
      assert.ok((added?.id.length ?? 0) <= 200);
      const kept = JSON.stringify((await lab.known()).get(added?.id ?? ""));
      assert.ok(kept.includes(long), "the whole text is kept");
    });
  }

  test("two that begin alike stay two", async (t) => {
    const two = ["1", "2"].map((end) => ({ ...good, id: long + end }));
    const { recording } = await tell(t, json(page(two, 2)));

    assert.equal(new Set(recording.newInvites.map(({ id }) => id)).size, 2);
  });
});

describe("text of any kind is recorded and mailed:", () => {
  const names: readonly [what: string, given: string, stored?: string][] = [
    ["line breaks that would add a header", "Acme\r\nBcc: everyone@example.com\r\n\r\nHello"],
    ["marks that turn the direction of writing", "\u202EemcA\u202C\u2066x\u2069\u200F"],
    ["markup", '<script>alert(1)</script><img src=x onerror="alert(1)">&amp;'],
    ["addresses of pages", "https://evil.example/login?next=//evil.example www.evil.example"],
    ["10,000 characters", "A".repeat(10_000)],
    ["10,000 characters outside the basic plane", "\u{1F600}".repeat(10_000)],
    ["quotes and other SQL", `'; DROP TABLE event; -- " \\ $1 \${x} %s`],
    ["NUL, which Postgres refuses", "Ac\0me\0", "Ac\uFFFDme\uFFFD"],
    ["a lone high surrogate, which Postgres refuses", "Acme \uD800", "Acme \uFFFD"],
    ["a lone low surrogate in front of a letter", "\uDC00Acme", "\uFFFDAcme"],
    ["nothing but spaces", "   "],
    ["nothing", ""],
  ];
  for (const [what, given, stored = given] of names) {
    test(`an organization's name with ${what}`, async (t) => {
      const { lab, recording, id } = await tellOf(t, { organization_name: given });

      assert.equal(recording.sync.outcome, "complete");
      assert.equal((await lab.known()).get(id)?.organizationName, stored);
      assert.equal(recording.notifications.length, 1);
      const received = (await lab.history()).find((event) => event.inviteId === id);
      assert.equal(received?.type === "invite.received" && received.data.invite.organizationName, stored);
    });
  }

  for (const [what, bad] of [
    ["NUL", "x\0y"],
    ["a lone surrogate", "x\uD83Dy"],
  ] as const) {
    test(`${what} in every field at once, in names of fields too`, async (t) => {
      const fields = Object.fromEntries(Object.keys(good).map((name) => [name, `${bad} ${name}`]));
      const body = page([{ ...fields, roles: [bad, { name: bad, [bad]: bad }], [bad]: { [bad]: [bad] } }], 1);
      const { recording } = await tell(t, json(body));

      assert.equal(recording.sync.outcome, "complete");
      assert.deepEqual(
        recording.events.map((event) => event.type),
        ["invite.received", "invite.unrecognised"],
      );
    });
  }

  test("NUL and line breaks in the API's error message", async (t) => {
    const errors = [{ code: 1001, message: "Internal\0\r\n\uD800error" }];
    const { recording } = await tell(t, json({ success: false, errors, result: null }, 500));

    assertFailed(recording, /HTTP 500.*code 1001 \(Internal .error\)/u);
  });
});
