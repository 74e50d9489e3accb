import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { afterEach, beforeEach, test } from "node:test";
import { chainOf, owe } from "../adapters/postgres/people-seed.ts";
import { at, type Seeded, seededDatabase } from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

const DEAD = { state: "dead", reason: "no attempt succeeded within five days" };
const FIRST = "abcdef01-0000-4000-8000-000000000000";
const SECOND = "abcdef02-0000-4000-8000-000000000000";

let seeded: Seeded;

beforeEach(async () => {
  seeded = await seededDatabase("ops");
});

afterEach(() => seeded.close());

function run(...args: readonly string[]) {
  return runCommand(["notifications", "retry", ...args], { url: seeded.url });
}

function stateOf(id: string) {
  return seeded.database.prisma.notification.findUniqueOrThrow({ where: { id } }).then(({ state }) => state);
}

/** Ids of the mails for which there is a job. */
async function jobs(): Promise<string[]> {
  const rows = await seeded.database.prisma.$queryRaw<{ id: string }[]>`
    SELECT data->>'notificationId' AS id FROM pgboss.job WHERE name = 'deliver' ORDER BY 1`;
  return rows.map(({ id }) => id);
}

test("retry needs the database alone, puts a job into the queue and says what is due", async () => {
  await owe(seeded, { ...DEAD, id: FIRST });

  const { code, stdout, stderr } = await run("ABCDEF");

  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(stdout, `Mail ${FIRST} to lead@example.com (invite.received) is due now.\n`);
  assert.deepEqual([await stateOf(FIRST), await jobs()], ["pending", [FIRST]]);
  const { username: by } = userInfo();
  assert.deepEqual((await chainOf(seeded, "ops")).at(-1)?.data, { by, reason: null, notificationIds: [FIRST] });
});

test("a mail that is named twice is retried once", async () => {
  await owe(seeded, { ...DEAD, id: FIRST });

  const { stdout } = await run("abcdef01", FIRST, "--by", "jo");

  assert.equal(stdout.split("\n").length, 2);
  assert.deepEqual(await jobs(), [FIRST]);
});

test("a mail is named also by its Message-ID", async () => {
  await owe(seeded, { ...DEAD, id: FIRST });

  const { code } = await run(`<${FIRST}@example.com>`);

  assert.deepEqual([code, await jobs()], [0, [FIRST]]);
});

test("of a mail that is held it says that the same may hold it again", async () => {
  const held = { heldBy: "quiet-hours", reason: "quiet hours until 7", nextAttemptAt: at("07:00", 23) };
  await owe(seeded, { ...held, id: FIRST });

  const { stdout } = await run(FIRST);

  assert.match(stdout, /was held \(quiet hours until 7\); it is decided anew now whether it goes, and the same may /);
});

test("where the mail server is down it says so", async () => {
  await owe(seeded, { ...DEAD, id: FIRST });
  const down = { downSince: at("12:00"), failures: 9, nextProbeAt: at("20:50"), error: "refused" };
  await seeded.database.prisma.relay.create({ data: { name: "smtp", ...down } });

  const { stdout } = await run(FIRST);

  assert.match(stdout, /\nThe mail server is down since 2026-11-22 12:00 \(UTC\): one mail finds out now whether /);
});

test("all that was given up is retried, one line for each", async () => {
  await owe(seeded, { ...DEAD, id: FIRST });
  await owe(seeded, { ...DEAD, id: SECOND, recipient: "ops@example.com" });
  await owe(seeded, { state: "delivered" });

  const { code, stdout } = await run("--all-dead");
  const again = await run("--all-dead");

  assert.equal(code, 0);
  assert.equal(stdout.split("\n").length, 3);
  assert.deepEqual(await jobs(), [FIRST, SECOND]);
  assert.deepEqual([again.code, again.stdout], [0, "No mail was given up.\n"]);
});

test("where one mail cannot be retried, nothing is done to any", async () => {
  await owe(seeded, { ...DEAD, id: FIRST });
  await owe(seeded, { id: SECOND, state: "delivered", deliveredAt: at("08:06") });

  const { code, stdout, stderr } = await run("abcdef01", "abcdef02");

  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(
    stderr,
    `Mail ${SECOND} to lead@example.com (invite.received) was delivered at 2026-11-22 08:06 (UTC); nothing can be done about it any more.\n` +
      "Nothing was done to the other mails either.\n",
  );
  assert.equal(await stateOf(FIRST), "dead");
});

for (const [given, sentence] of [
  [{ state: "sending" }, /is being sent; try again in a moment\.\n$/],
  [{ state: "cancelled", reason: "moot" }, /was cancelled \(moot\) and is not sent\.\n$/],
  [{ state: "cancelled", coveredBy: SECOND }, new RegExp(`is told by the mail ${SECOND} in its place; say that one`)],
] as const) {
  test(`a mail of which ${JSON.stringify(given)} holds is not retried`, async () => {
    await owe(seeded, { id: SECOND, watchName: null, kind: "summary" });
    await owe(seeded, { id: FIRST, ...given });

    const { code, stderr } = await run(FIRST);

    assert.equal(code, 1);
    assert.match(stderr, sentence);
  });
}

test("a beginning that several mails have is refused with the list of them", async () => {
  await owe(seeded, { ...DEAD, id: FIRST, createdAt: at("08:05") });
  await owe(seeded, { id: SECOND, createdAt: at("08:06"), recipient: "\u001b[31mred@example.com" });

  const { code, stderr } = await run("abcdef");

  assert.equal(code, 1);
  assert.equal(
    stderr,
    "Several mails begin with “abcdef”; give more of the id:\n" +
      `  ${SECOND}  2026-11-22 08:06 to \\u{1b}[31mred@example.com: pending\n` +
      `  ${FIRST}  2026-11-22 08:05 to lead@example.com: dead\n`,
  );
});

test("a mail that is not there, or a beginning that is too short, is told", async () => {
  const { code, stderr } = await run("abcdef", "abc");

  assert.equal(code, 1);
  assert.equal(
    stderr,
    "There is no mail “abcdef”. See `invitewatch notifications` for the ids.\n" +
      "There is no mail “abc”. The beginning of an id takes at least 6 characters. See `invitewatch notifications` for the ids.\n",
  );
});

for (const [args, sentence] of [
  [[], "Say which mails: by their ids, or --all-dead."],
  [[FIRST, "--all-dead"], "Name mails or say --all-dead, not both."],
  [[FIRST, "--by", " "], "--by is empty."],
] as const) {
  test(`retry ${args.join(" ")} is wrong usage`, async () => {
    const { code, stderr } = await run(...args);

    assert.equal(code, 2);
    assert.equal(stderr, `${sentence} See \`invitewatch notifications retry --help\`.\n`);
  });
}

test("its help has examples", async () => {
  const { code, stdout } = await runCommand(["notifications", "retry", "--help"], {
    env: { DATABASE_URL: "nonsense" },
  });

  assert.equal(code, 0);
  assert.match(stdout, /Examples:\n {2}\$ invitewatch notifications retry /);
});
