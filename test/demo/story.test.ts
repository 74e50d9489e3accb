import assert from "node:assert/strict";
import { test } from "node:test";
import { demoCredentials, type StandIn, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import { type StoryStep, story } from "../../src/demo/story.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { goodAnswer, violations } from "./openapi-validator.ts";

const startedAt = new Date("2030-01-01T00:00:00Z");
const stepMs = 2000;

type Seen = { readonly step: StoryStep; readonly status: number; readonly body: string };

/** What a client sees after each step, each played at its time of a clock that nobody waits for. */
async function play(see: (standIn: StandIn, step: StoryStep) => Promise<void>): Promise<void> {
  const standIn = await startCloudflareStandIn();
  try {
    for (const step of story(startedAt, stepMs)) {
      step.act(standIn, new Date(startedAt.getTime() + step.at));
      await see(standIn, step);
    }
  } finally {
    await standIn.close();
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

test("the steps come one after the other, each with a sentence for the screen", () => {
  const steps = story(startedAt, stepMs);

  assert.deepEqual(
    steps.map(({ at }) => at),
    steps.map((_, index) => index * stepMs),
  );
  for (const { title } of steps) assert.match(title, /^[A-Z].*\.$/);
});

test("the story begins with two pending invitations and an accepted one, as the baseline", async () => {
  const [first] = await seen();

  assert.deepEqual(
    listed(first as Seen).map(({ status }) => status),
    ["pending", "pending", "accepted"],
  );
});

test("every list of the story is as the API describes it, but for the failures and the status nobody knows", async () => {
  const all = await seen();

  const odd = all.filter(({ status, body }) => {
    return status !== 200 || violations(JSON.parse(body), goodAnswer("/user/invites")).length > 0;
  });

  assert.deepEqual(
    odd.map(({ step }) => step.title.split(":")[0]),
    [
      "Cloudflare's edge answers 502 with a page of HTML",
      "Now it answers 200 with an empty list, and success",
      "Litware's invitation takes a status that no documentation knows",
    ],
  );
});

test("two invitations vanish: the memberships explain one, nothing explains the other", async () => {
  const vanished = new Map<string, string>();
  let accounts: readonly unknown[] = [];
  let before: readonly JsonObject[] = [];

  await play(async (standIn) => {
    const now = standIn.invites.list();
    for (const { id, organization_id, organization_name } of before.filter((invite) => !now.includes(invite))) {
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

test("played at speed, the two steps that wait for an hour to strike wait for five seconds at most", async () => {
  const waits: number[] = [];

  await play(async (standIn, step) => {
    const visibleAt = step.visibleAt?.(standIn);
    if (visibleAt !== undefined) waits.push(visibleAt.getTime() - startedAt.getTime() - 2 * stepMs);
  });

  assert.equal(waits.length, 2);
  for (const wait of waits) assert.ok(wait > 0 && wait <= 5000, `${wait} ms`);
});

test("the story ends with an API that is well", async () => {
  const last = (await seen()).at(-1);

  assert.equal(last?.status, 200);
  assert.ok(listed(last as Seen).some(({ status }) => status === "under_review"));
});
