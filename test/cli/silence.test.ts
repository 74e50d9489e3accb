import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { chainOf, owe } from "../adapters/postgres/people-seed.ts";
import { at, invite, received, type Seeded, seededDatabase } from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

const WHY = ["--until", "3d", "--reason", "all is expected", "--by", "jo"];

let seeded: Seeded;

beforeEach(async () => {
  seeded = await seededDatabase("ops", "b");
  await seeded.invites(invite({ id: "abcdef01" }), invite({ id: "abcdef01", watch: "b" }), invite({ id: "ghijkl01" }));
  await seeded.events("ops", [received(invite({ id: "abcdef01" }))]);
});

afterEach(() => seeded.close());

function run(...args: readonly string[]) {
  return runCommand(args, { url: seeded.url });
}

/** Silences what the arguments say; the id of the silence. */
async function silence(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run("silence", ...args, ...WHY);
  assert.deepEqual([code, stderr], [0, ""]);
  return /^Silence (\S{36}) /.exec(stdout)?.[1] ?? "";
}

test("a silence of organizations says what it holds, where and until when, and that nothing is lost", async () => {
  const { code, stdout } = await run("silence", "--org", "acme", ...WHY);

  const [, id = ""] = /^Silence (\S{36}) /.exec(stdout) ?? [];
  assert.equal(code, 0);
  assert.equal(
    stdout,
    `Silence ${id} holds the alerts of organizations\n` +
      "  with “acme” in the name, or as id in b, ops until 2026-11-25 20:10 (UTC, in\n" +
      "  3d).\n" +
      "3 pending invitations match it now:\n" +
      "  abcdef01  “Acme GmbH”\n" +
      "  abcdef01  “Acme GmbH”\n" +
      "  ghijkl01  “Acme GmbH”\n" +
      "Alerts are held, not lost: what is still open when the silence ends is then\n" +
      "  told.\n" +
      "That a watch is blind is never silenced.\n" +
      `To end it before: invitewatch unsilence ${id.slice(0, 8)}\n`,
  );
});

test("of many invitations that match five are named", async () => {
  await seeded.invites(...[1, 2, 3, 4].map((number) => invite({ id: `more-${number}` })));

  const { stdout } = await run("silence", "--org", "acme", ...WHY);

  assert.match(stdout, /\n7 pending invitations match it now:\n(?: {2}\S+ {2}“Acme GmbH”\n){5} {2}\(and 2 more\)\n/);
});

test("a silence of an invitation is one of the watch that has it, and of all where several do", async () => {
  await silence("--invite", "ghijkl");
  await silence("--invite", "abcdef01");
  await silence("--invite", "abcdef01", "--watch", "b");

  const rows = await seeded.database.prisma.silence.findMany();
  assert.deepEqual(rows.map(({ watchName, inviteId }) => `${watchName} ${inviteId}`).sort(), [
    "b abcdef01",
    "null abcdef01",
    "ops ghijkl01",
  ]);
});

for (const [args, code, sentence] of [
  [[...WHY], 2, /^Say what to silence: --invite ID or --org TEXT\./],
  [["--org", "x", "--invite", "y", ...WHY], 2, /^Option '--invite <id>' cannot be used with option '--org <text>'/],
  [["--org", "a", ...WHY], 2, /^--org takes at least 2 characters: a shorter one would match too much\./],
  [["--org", " ", ...WHY], 2, /^--org is empty\./],
  [["--org", "acme", "--reason", "x"], 2, /^Required option '--until <time>' not specified\./],
  [["--org", "acme", "--until", "2h"], 2, /^Required option '--reason <text>' not specified\./],
  [["--org", "acme", "--until", "2h", "--reason", ""], 2, /^--reason is empty\./],
  [["--org", "acme", "--until", "2026-11-22", "--reason", "x"], 2, /^--until must lie ahead/],
  [["--org", "acme", "--until", "400d", "--reason", "x"], 2, /^--until is at most one year ahead/],
  [["--org", "acme", "--watch", "c", ...WHY], 1, /^There is no watch named c; known: b, ops\.\n$/],
  [["--invite", "nothing", ...WHY], 1, /^There is no invitation “nothing”\./],
] as const) {
  test(`silence ${args.join(" ")} is refused and writes nothing`, async () => {
    const outcome = await run("silence", ...args);

    assert.deepEqual([outcome.code, outcome.stdout], [code, ""]);
    assert.match(outcome.stderr, sentence);
    assert.equal(await seeded.database.prisma.silence.count(), 0);
    assert.equal((await chainOf(seeded, "ops")).length, 1);
  });
}

test("nothing is silenced before the first sync", async () => {
  const empty = await seededDatabase();

  const { code, stderr } = await runCommand(["silence", "--org", "acme", ...WHY], { url: empty.url });

  assert.equal(code, 1);
  assert.match(stderr, /^No watch was synced yet/);
  await empty.close();
});

test("the silences in force are listed, and with --all the others too", async () => {
  const [first, second] = [await silence("--org", "acme"), await silence("--invite", "ghijkl")];
  await run("unsilence", second);
  const ids = async (...args: readonly string[]) => {
    const answer = JSON.parse((await run("silences", "--json", ...args)).stdout);
    assert.equal(answer.next, null);
    return answer.silences.map(({ id }: { id: string }) => id).sort();
  };

  assert.deepEqual(await ids(), [first]);
  assert.deepEqual(await ids("--all"), [first, second].sort());
  assert.deepEqual(await ids("--all", "--watch", "b"), [first]);
});

test("a silence is the same in JSON, NDJSON and CSV", async () => {
  const id = await silence("--org", "=acme");

  const [row] = JSON.parse((await run("silences", "--json")).stdout).silences;
  const ndjson = await run("silences", "--format", "ndjson");
  const csv = await run("silences", "--format", "csv");

  assert.deepEqual(row, {
    id,
    watch: null,
    inviteId: null,
    organization: "=acme",
    until: "2026-11-25T20:10:00.000Z",
    reason: "all is expected",
    by: "jo",
    createdAt: "2026-11-22T20:10:00.000Z",
    endedAt: null,
  });
  assert.deepEqual(JSON.parse(ndjson.stdout), row);
  assert.equal(csv.stdout.split("\r\n")[0], `"${Object.keys(row).join('","')}"`);
  assert.match(csv.stdout, /,"'=acme",/);
});

test("silences come page by page", async () => {
  const ids = [await silence("--org", "acme"), await silence("--org", "other")];
  const first = JSON.parse((await run("silences", "--json", "--limit", "1")).stdout);
  const second = JSON.parse((await run("silences", "--json", "--limit", "1", "--cursor", first.next)).stdout);

  assert.deepEqual([first.silences[0].id, second.silences[0].id].sort(), ids.sort());
  assert.equal(second.next, null);
});

test("the table of silences says what is held, for how long and by whom", async () => {
  const id = await silence("--org", "\u202eacme");

  const { stdout } = await run("silences");
  const none = await run("silences", "--watch", "nobody");

  assert.match(
    stdout,
    new RegExp(`\n${id.slice(0, 8)}  2026-11-25 20:10  in 3d +“\\\\u\\{202e\\}acme” +all +jo +all is expected\n`),
  );
  assert.match(none.stderr, /^There is no watch named nobody; known: b, ops\.\n$/);
});

test("unsilence ends a silence by the beginning of its id, and puts what was held into the queue", async () => {
  const id = await silence("--org", "acme");
  const mail = await owe(seeded, { heldBy: "silence", nextAttemptAt: at("20:10", 25) });

  const { code, stdout, stderr } = await run("unsilence", id.slice(0, 8), "--by", "kim");

  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(
    stdout,
    new RegExp(`^Silence ${id} is ended; .*\n  .*\n1 mail that a silence held is decided upon anew now\\.\n$`),
  );
  const jobs = await seeded.database.prisma.$queryRaw`SELECT data FROM pgboss.job WHERE name = 'deliver'`;
  assert.deepEqual(jobs, [{ data: { notificationId: mail } }]);
});

test("a silence that was ended or is over is said to be so", async () => {
  const id = await silence("--org", "acme");
  const unsilence = (now = at("20:10")) => runCommand(["unsilence", id], { url: seeded.url, now, columns: 160 });
  const over = await unsilence(at("20:10", 25));
  await unsilence();
  const again = await unsilence();

  assert.deepEqual([over.code, over.stdout], [0, `Silence ${id} is over since 2026-11-25 20:10 (UTC).\n`]);
  assert.deepEqual([again.code, again.stdout], [0, `Silence ${id} was ended already, at 2026-11-22 20:10 (UTC).\n`]);
});

test("on a narrow terminal the answers of silence and unsilence are not wider than it", async () => {
  const name = "An organization with a name that takes more than one line ".repeat(3).trim();
  await seeded.invites(invite({ id: "named000", organizationName: name }));
  const narrow = (...args: readonly string[]) => runCommand(args, { url: seeded.url, columns: 50 });

  const silenced = await narrow("silence", "--org", "takes more", ...WHY);
  const [id = ""] = /(?<=unsilence )\S+/.exec(silenced.stdout) ?? [];
  const ended = await narrow("unsilence", id);
  const again = await narrow("unsilence", id);

  for (const { code, stdout } of [silenced, ended, again]) {
    assert.equal(code, 0);
    assert.ok(
      stdout.split("\n").every((line) => line.length <= 50),
      stdout,
    );
  }
  assert.match(silenced.stdout, /\n {2}named000 {2}“An organization with a name that\n {4}takes more than one line /);
});

test("unsilence refuses what means no silence, or several", async () => {
  for (const id of ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"]) {
    const row = { id, organization: "x", until: at("20:10", 25), reason: "r", createdBy: "jo", createdAt: at("20:00") };
    await seeded.database.prisma.silence.create({ data: row });
  }

  const several = await run("unsilence", "aaaa");
  const none = await run("unsilence", "b%");

  assert.deepEqual([several.code, several.stderr.split("\n").length], [1, 4]);
  assert.match(several.stderr, /^Several silences begin with “aaaa”; give more of the id:\n {2}aaaaaaaa-0000-/);
  assert.deepEqual([none.code, none.stderr.slice(0, 27)], [1, "There is no silence “b%”; s"]);
});
