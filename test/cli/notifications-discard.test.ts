import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { chainOf, owe } from "../adapters/postgres/people-seed.ts";
import { type Seeded, seededDatabase } from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

const ID = "abcdef01-0000-4000-8000-000000000000";

let seeded: Seeded;

beforeEach(async () => {
  seeded = await seededDatabase("ops");
});

afterEach(() => seeded.close());

function run(...args: readonly string[]) {
  return runCommand(["notifications", "discard", ...args], { url: seeded.url });
}

test("discard cancels the mail with who did it and why, and status does not complain of it any more", async () => {
  await owe(seeded, { id: ID, state: "dead", reason: "refused for good" });

  const { code, stdout, stderr } = await run("abcdef", "--reason", " Jo has left ", "--by", "kim");

  const { state, reason } = await seeded.database.prisma.notification.findUniqueOrThrow({ where: { id: ID } });
  const { mail } = JSON.parse((await runCommand(["status", "--json"], { url: seeded.url })).stdout);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(stdout, `Mail ${ID} to lead@example.com (invite.received) is discarded and will not be sent.\n`);
  assert.deepEqual([state, reason, mail.dead], ["cancelled", "discarded by kim: Jo has left", 0]);
  assert.deepEqual(await chainOf(seeded, "ops"), [
    {
      type: "notification.discarded",
      inviteId: null,
      data: { by: "kim", reason: "Jo has left", notificationIds: [ID] },
    },
  ]);
});

test("a mail that is being sent is not discarded", async () => {
  await owe(seeded, { id: ID, state: "sending" });

  const { code, stdout, stderr } = await run(ID, "--reason", "x");

  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(stderr, `Mail ${ID} to lead@example.com (invite.received) is being sent; try again in a moment.\n`);
});

for (const [args, sentence] of [
  [[ID], /^Required option '--reason <text>' not specified\. See `invitewatch notifications discard --help`\.\n$/],
  [[ID, "--reason", " "], /^--reason is empty\. /],
  [["--reason", "x"], /^Missing required argument 'id'\. /],
  [[ID, "--reason", "x", "--state", "dead"], /^Unknown option '--state'\. /],
] as const) {
  test(`discard ${args.slice(0, 2).join(" ")} ${args[2] ?? ""} is wrong usage`, async () => {
    const { code, stderr } = await run(...args);

    assert.equal(code, 2);
    assert.match(stderr, sentence);
  });
}

test("its help has examples", async () => {
  const args = ["notifications", "discard", "--help"];

  const { code, stdout } = await runCommand(args, { env: { DATABASE_URL: "nonsense" } });

  assert.equal(code, 0);
  assert.match(stdout, /Examples:\n {2}\$ invitewatch notifications discard /);
});
