import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createTestDatabase } from "../support/postgres.ts";
import { runCommand } from "./command.ts";

const READING = ["status", "invites", "history", "syncs", "gaps", "notifications", "verify"];
const ALL = [
  ...[
    ...READING,
    "run",
    "sync",
    "check",
    "explain",
    "ack",
    "silence",
    "silences",
    "unsilence",
    "migrate",
    "healthcheck",
  ],
  ...["notifications show", "notifications retry", "notifications discard"],
  ...["mail test", "mail preview", "routes test"],
];

test("the help names every command, on stdout", async () => {
  const { code, stdout, stderr } = await runCommand(["--help"]);

  assert.deepEqual([code, stderr], [0, ""]);
  for (const name of READING) assert.match(stdout, new RegExp(`^  ${name} `, "m"));
});

for (const name of READING) {
  test(`the help of ${name} has examples, and needs neither configuration nor database`, async () => {
    const { code, stdout } = await runCommand([name, "--help"], { env: { DATABASE_URL: "nonsense" } });

    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`Examples:\n  \\$ invitewatch ${name}`));
  });
}

test("no help is wider than 80 columns but for its examples, which can be copied whole", async () => {
  const helps = await Promise.all(ALL.map((name) => runCommand([...name.split(" "), "--help"], { columns: 80 })));

  const lines = helps.flatMap(({ stdout }) => stdout.split("\n"));
  assert.deepEqual(
    lines.filter((line) => line.length > 80 && !line.startsWith("  $ ")),
    [],
  );
  assert.ok(
    lines.includes('  $ invitewatch silence --org "Acme" --until 3d --reason "we are moving to Acme, all is expected"'),
  );
});

test("the text of a help is as wide as the terminal", async () => {
  const { stdout } = await runCommand(["status", "--help"], { columns: 50 });

  assert.match(
    stdout,
    /\n\nEnds with 1 when a watch is blind or had no\ncomplete sync within two intervals, a mail is\noverdue /,
  );
});

test("the version is the package's", async () => {
  const { code, stdout } = await runCommand(["--version"]);

  assert.equal(code, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

for (const [args, sentence] of [
  [["bogus"], "Unknown command 'bogus'. See `invitewatch --help`.\n"],
  [["history", "--foo"], "Unknown option '--foo'. See `invitewatch history --help`.\n"],
  [["history", "--limit", "0"], /^Option '--limit <number>' argument '0' is invalid\. It takes .* --help`\.\n$/],
  [["history", "--format", "xml"], /^Option '--format <format>' argument 'xml' is invalid\..*\n$/],
  [["history", "--json", "--format", "csv"], /^Option '--json' cannot be used with option '--format <format>'\./],
  [["invites", "--expiring-within", "soon"], /It takes a duration such as 12h or 3d\./],
  [["verify", "--head", "abc"], /It takes a hash of 64 hexadecimal digits\./],
] as const) {
  test(`wrong usage is told in one line and exits 2: ${args.join(" ")}`, async () => {
    const { code, stdout, stderr } = await runCommand(args);

    assert.deepEqual([code, stdout], [2, ""]);
    if (typeof sentence === "string") assert.equal(stderr, sentence);
    else assert.match(stderr, sentence);
    assert.equal(stderr.split("\n").length, 2);
  });
}

test("without a command the help goes to stderr, and the exit code is 2", async () => {
  const { code, stdout, stderr } = await runCommand([]);

  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /^Usage: invitewatch/);
});

test("a wrong configuration is told with every problem, and exits 2", async () => {
  const { code, stdout, stderr } = await runCommand(["history"], {
    url: "mysql://x",
    env: { TIMEZONE: "Mars", LOG_LEVEL: "loud" },
  });

  assert.deepEqual([code, stdout], [2, ""]);
  for (const key of ["DATABASE_URL", "TIMEZONE", "LOG_LEVEL"]) assert.match(stderr, new RegExp(`^ +${key}: `, "m"));
});

test("a database that is away is told in one sentence, without the password, and exits 1", async () => {
  const { code, stdout, stderr } = await runCommand(["history"], { url: "postgres://u:topsecret@127.0.0.1:1/db" });

  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^The database at 127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\).*\n$/);
  assert.doesNotMatch(stderr, /topsecret/);
});

test("a stack trace is shown at LOG_LEVEL=debug alone, and no secret with it", async () => {
  const { stderr } = await runCommand(["history"], {
    url: "postgres://u:topsecret@127.0.0.1:1/db",
    env: { LOG_LEVEL: "debug" },
  });

  assert.match(stderr, /\n +at /);
  assert.doesNotMatch(stderr, /topsecret/);
});

test("a database that was never migrated is told, with what to do", async () => {
  const { url, drop } = await createTestDatabase();

  const { code, stdout, stderr } = await runCommand(["invites"], { url });

  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(stderr, "The database is not set up for this version; run `invitewatch migrate`.\n");
  await drop();
});

test("a file that is not there cannot be verified", async () => {
  const folder = await mkdtemp(join(tmpdir(), "invitewatch-"));

  const { code, stderr } = await runCommand(["verify", join(folder, "none.ndjson")]);

  assert.equal(code, 1);
  assert.match(stderr, /^The file .*none\.ndjson cannot be read: ENOENT/);
  await rm(folder, { recursive: true });
});
