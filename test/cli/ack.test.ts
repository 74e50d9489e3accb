import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { afterEach, beforeEach, test } from "node:test";
import { chainOf } from "../adapters/postgres/people-seed.ts";
import { at, invite, received, type Seeded, seededDatabase } from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

let seeded: Seeded;

beforeEach(async () => {
  seeded = await seededDatabase("ops", "b");
  await seeded.invites(
    invite({ id: "abcdef01" }),
    invite({ id: "abcdef02", organizationName: "\u001b[31mred" }),
    invite({ id: "shared00" }),
    invite({ id: "shared00", watch: "b" }),
  );
  await seeded.events("ops", [received(invite({ id: "abcdef01" }))]);
});

afterEach(() => seeded.close());

function run(...args: readonly string[]) {
  return runCommand(["ack", ...args], { url: seeded.url });
}

test("ack needs the database alone, and says what it did and what is still mailed", async () => {
  const { code, stdout, stderr } = await run("abcdef01", "--note", " on Monday ", "--by", "jo");

  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(
    stdout,
    "The invitation abcdef01 of “Acme GmbH” (watch ops) is acknowledged by jo.\n" +
      "No more reminders of it are sent; how it ends is still mailed.\n",
  );
  assert.deepEqual((await chainOf(seeded, "ops")).at(-1)?.data, { by: "jo", reason: "on Monday" });
});

test("the one who acknowledges is the user who is logged in, unless somebody else is named", async () => {
  await run("abcdef01");

  assert.deepEqual((await chainOf(seeded, "ops")).at(-1)?.data, { by: userInfo().username, reason: null });
});

test("what is acknowledged already is said to be, with the time", async () => {
  await run("abcdef01");

  const { code, stdout } = await run("abcdef01");

  assert.equal(code, 0);
  assert.match(stdout, / is acknowledged already\n {2}since 2026-11-22 20:10 \(UTC\)\.\n$/);
  assert.equal((await chainOf(seeded, "ops")).length, 2);
});

test("on a narrow terminal the answer is not wider than it", async () => {
  const { stdout } = await runCommand(["ack", "abcdef01", "--by", "jo"], { url: seeded.url, columns: 50 });

  assert.equal(
    stdout,
    "The invitation abcdef01 of “Acme GmbH” (watch\n  ops) is acknowledged by jo.\n" +
      "No more reminders of it are sent; how it ends is\n  still mailed.\n",
  );
});

test("an invitation of two watches is acknowledged in both, or in the one that is named", async () => {
  await run("shared", "--watch", "b");
  const { code, stdout } = await run("shared");

  assert.equal(code, 0);
  assert.match(stdout, /\(watch b\) is acknowledged already/);
  assert.match(stdout, /\(watch ops\) is acknowledged by/);
});

test("a beginning that several invitations have is refused with the list of them", async () => {
  const { code, stdout, stderr } = await run("abcdef");

  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(
    stderr,
    "Several invitations begin with “abcdef”; give more of the id:\n" +
      "  abcdef01  “Acme GmbH” (pending)\n  abcdef02  “\\u{1b}[31mred” (pending)\n",
  );
});

for (const [args, sentence] of [
  [["nothing"], "There is no invitation “nothing”. See `invitewatch invites --all` for the ids.\n"],
  [["abc"], /^There is no invitation “abc”\. The beginning of an id takes at least 6 characters\./],
  [["abcdef01", "--watch", "b"], /^There is no invitation “abcdef01” in the watch b\./],
  [["abcdef01", "--watch", "c"], "There is no watch named c; known: b, ops.\n"],
] as const) {
  test(`ack ${args.join(" ")} finds nothing and exits 1`, async () => {
    const { code, stdout, stderr } = await run(...args);

    assert.deepEqual([code, stdout], [1, ""]);
    if (typeof sentence === "string") assert.equal(stderr, sentence);
    else assert.match(stderr, sentence);
  });
}

test("an invitation that is over is not acknowledged, and the exit code is 1", async () => {
  await seeded.invites(
    invite({ id: "accepted", status: "accepted" }),
    invite({ id: "ended0", expiresAt: at("20:00") }),
  );

  const accepted = await run("accepted");
  const ended = await run("ended0");

  assert.deepEqual([accepted.code, ended.code], [1, 1]);
  assert.match(accepted.stderr, /is over: it is accepted\. There is nothing to acknowledge/);
  assert.match(ended.stderr, /is past its end\. There is nothing to acknowledge/);
});

for (const args of [
  ["--note", " "],
  ["--by", ""],
  ["--note", "x".repeat(501)],
]) {
  test(`ack refuses ${args[0]} with ${args[1]?.length} characters`, async () => {
    const { code, stderr } = await run("abcdef01", ...args);

    assert.equal(code, 2);
    assert.match(stderr, /^--(note|by) is (empty|longer than 500 characters)\. See `invitewatch ack --help`\.\n$/);
  });
}
