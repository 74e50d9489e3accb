import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { owe } from "../adapters/postgres/people-seed.ts";
import { at, invite, received, type Seeded, seededDatabase } from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

let seeded: Seeded;
let ids: Readonly<Record<"held" | "failed" | "behind" | "repeated" | "dead", string>>;

before(async () => {
  seeded = await seededDatabase("ops");
  await seeded.events("ops", [received(invite())], at("08:05"));
  ids = {
    held: await owe(seeded, {
      createdAt: at("08:01"),
      heldBy: "silence",
      reason: "the silence 1: moving",
      nextAttemptAt: at("07:00", 23),
    }),
    failed: await owe(seeded, { createdAt: at("08:02"), attempts: 2, error: "451 later", nextAttemptAt: at("21:00") }),
    behind: await owe(seeded, {
      createdAt: at("08:03"),
      attempts: 1,
      error: "connection refused",
      waitsForRelay: true,
      nextAttemptAt: at("21:00"),
    }),
    repeated: await owe(seeded, {
      createdAt: at("08:04"),
      state: "delivered",
      reason: "it may be a repeat",
      recipient: "Jo@example.com",
      kind: "digest",
    }),
    dead: await owe(seeded, { createdAt: at("08:05"), state: "dead", reason: "refused for good", error: "550 gone" }),
  };
});

after(() => seeded.close());

function run(...args: readonly string[]) {
  return runCommand(["notifications", ...args], { url: seeded.url, columns: 200 });
}

async function idsOf(...args: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await run(...args, "--json");
  assert.equal(stderr, "");
  return JSON.parse(stdout).notifications.map(({ id }: { id: string }) => id);
}

test("the remark says why a mail waits or was given up, and that a delivered one may be a repeat", async () => {
  const { code, stdout } = await run("--order", "asc");

  const remarks = Object.values(ids).map((id) => stdout.split("\n").find((line) => line.includes(id)) ?? "");
  assert.equal(code, 0);
  assert.match(remarks[0] ?? "", /held until 2026-11-23 07:00: the silence 1: moving/);
  assert.match(remarks[1] ?? "", /next attempt 2026-11-22 21:00: 451 later/);
  assert.match(remarks[2] ?? "", /waits for the mail server: connection refused/);
  assert.match(remarks[3] ?? "", /it may be a repeat/);
  assert.match(remarks[4] ?? "", /refused for good: 550 gone/);
});

test("mails are found by recipient, kind and time", async () => {
  assert.deepEqual(await idsOf("--recipient", "jo@example.com"), [ids.repeated]);
  assert.deepEqual(await idsOf("--kind", "digest"), [ids.repeated]);
  assert.deepEqual(await idsOf("--since", "2026-11-22T08:02:00Z", "--until", "2026-11-22T08:04:00Z"), [
    ids.behind,
    ids.failed,
  ]);
  assert.deepEqual(await idsOf("--state", "dead", "--kind", "digest"), []);
});

for (const [args, sentence] of [
  [["--kind", "invite"], /argument 'invite' is invalid\. It takes one of invite\.received, .*digest, summary, test\./],
  [["--since", "soon"], /^--since cannot be "soon"/],
  [["resend"], /too many arguments|unknown command/i],
] as const) {
  test(`notifications ${args.join(" ")} is wrong usage`, async () => {
    const { code, stdout, stderr } = await run(...args);

    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, sentence);
  });
}

test("what people decided about mails is told by the history in a sentence", async () => {
  await run("retry", ids.dead, "--by", "jo");
  await run("discard", ids.dead, ids.failed, "--reason", "told by phone", "--by", "kim");

  const { stdout } = await runCommand(["history"], { url: seeded.url, columns: 200 });

  assert.match(stdout, /notification\.retried +jo had 1 mail tried again\n/);
  assert.match(stdout, /notification\.discarded +kim discarded 2 mails: told by phone\n/);
});
