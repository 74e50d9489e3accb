import assert from "node:assert/strict";
import { test } from "node:test";
import { MAILED_TYPES } from "../../src/config/event-types.ts";
import { leadCredentials } from "../../src/demo/cast.ts";
import { createStoryClock, lastMondayMorning } from "../../src/demo/clock.ts";
import { demoCredentials, type StandIn, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import type { Step } from "../../src/demo/step.ts";
import { story } from "../../src/demo/story.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { MINUTE } from "../support/durations.ts";
import { goodAnswer, violations } from "./openapi-validator.ts";

const startedAt = new Date("2030-01-07T09:00:00Z");
const STEP_MS = 15 * MINUTE;
const steps = story(startedAt, STEP_MS);

type Seen = { readonly step: Step; readonly status: number; readonly body: string };

/** What a client sees after each act, each played at its time of a clock that nobody waits for. */
async function play(see: (standIn: StandIn, step: Step) => Promise<void>): Promise<void> {
  const clock = createStoryClock(startedAt);
  const api = await startCloudflareStandIn({ accepted: demoCredentials, now: clock.now });
  const scene = { api, lead: api.addUser(leadCredentials) };
  try {
    for (const step of steps) {
      if (step.at !== undefined) clock.pass(clock.msUntil(step.at));
      for (const act of step.acts) {
        act(scene, clock.now());
        await see(api, step);
        clock.pass(step.apartMs ?? STEP_MS);
      }
    }
  } finally {
    await api.close();
  }
}

function get(standIn: StandIn, path: string): Promise<Response> {
  return fetch(standIn.url + path, { headers: { authorization: `Bearer ${demoCredentials.token}` } });
}

async function seen(): Promise<readonly Seen[]> {
  const all: Seen[] = [];
  await play(async (standIn, step) => {
    const response = await get(standIn, "/user/invites");
    all.push({ step, status: response.status, body: await response.text() });
  });
  return all;
}

function listed({ body }: Seen): readonly JsonObject[] {
  return JSON.parse(body).result;
}

test("each step has a sentence for the screen, and something happens in it", () => {
  for (const { title, acts } of steps) {
    assert.match(title, /^\S.*\.$/);
    assert.ok(acts.length > 0, title);
  }
});

test("the story brings mails of every kind, to several people", () => {
  const kinds = new Set(steps.flatMap(({ mails }) => mails.map((mail) => mail.split(" ")[0])));
  const people = new Set(steps.flatMap(({ mails }) => mails.flatMap((mail) => mail.split(" ")[1] ?? [])));

  const all = [...MAILED_TYPES.filter((type) => type !== "watch.baseline"), "inventory", "summary", "digest"];
  assert.deepEqual([...kinds].sort(), all.sort());
  assert.deepEqual([...people].sort(), ["lead@example.com", "legal@example.com"]);
});

test("what takes hours comes last, so that the story can be told without it", () => {
  const first = steps.findIndex(({ at }) => at !== undefined);

  assert.ok(first > 0);
  assert.ok(steps.slice(first).every(({ at }) => at !== undefined));
});

test("the story begins with two pending invitations and an accepted one, as the baseline", async () => {
  const [first] = await seen();

  assert.deepEqual(
    listed(first as Seen).map(({ status }) => status),
    ["pending", "pending", "accepted"],
  );
});

test("every list is as the API describes it, but for the failures and what nobody understands", async () => {
  const all = await seen();

  const odd = all.filter(({ status, body }) => {
    return status !== 200 || violations(JSON.parse(body), goodAnswer("/user/invites")).length > 0;
  });

  const [firstOdd, ...more] = [...new Set(odd.map(({ step }) => step.title.split(/[:,.]/)[0]))];
  assert.equal(firstOdd, "Cloudflare's edge answers 502 with a page of HTML");
  assert.equal(more[0], "Now it answers 200 with an empty list");
  assert.equal(more[1], "Litware's invitation takes a status that no documentation knows");
});

test("two invitations vanish: the memberships explain one, nothing explains the other", async () => {
  const vanished = new Map<string, string>();
  let accounts: readonly unknown[] = [];
  let before: readonly JsonObject[] = [];

  await play(async (standIn) => {
    const now = standIn.invites.list();
    for (const { id, organization_id, organization_name } of before.filter(
      ({ id }) => !now.some((one) => one.id === id),
    )) {
      const gone = (await get(standIn, `/user/invites/${id}`)).status === 404;
      if (gone) vanished.set(String(organization_name), String(organization_id));
    }
    before = [...now];
    const memberships = await get(standIn, "/memberships?status=accepted");
    if (memberships.ok) {
      const { result } = (await memberships.json()) as { result: { account: { id: string } }[] };
      accounts = result.map(({ account }) => account.id);
    }
  });

  assert.deepEqual([...vanished.keys()], ["Fabrikam, Inc.", "Woodgrove Bank"]);
  assert.ok(accounts.includes(vanished.get("Fabrikam, Inc.")));
  assert.ok(!accounts.includes(vanished.get("Woodgrove Bank")));
});

test("the story ends with an API that is well", async () => {
  const last = (await seen()).at(-1);

  assert.equal(last?.status, 200);
  assert.ok(listed(last as Seen).some(({ status }) => status === "under_review"));
});

test("the story's clock stands still, and is turned on to a time of day that is still to come", () => {
  const clock = createStoryClock(startedAt);

  const [later, tomorrow] = [clock.msUntil("16:30"), clock.msUntil("09:00")];
  clock.pass(later);

  assert.equal(tomorrow, 24 * 60 * MINUTE);
  assert.equal(clock.now().toISOString(), "2030-01-07T16:30:00.000Z");
});

test("a story at speed begins on a Monday morning that is over", () => {
  const begins = ["2030-01-07T09:00:01Z", "2030-01-07T09:00:00Z", "2030-01-13T23:59:59Z"].map((before) =>
    lastMondayMorning(new Date(before)).toISOString(),
  );

  assert.deepEqual(begins, ["2030-01-07T09:00:00.000Z", "2029-12-31T09:00:00.000Z", "2030-01-07T09:00:00.000Z"]);
});
