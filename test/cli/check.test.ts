import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MIGRATED } from "../support/database.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startRelay } from "../support/relay.ts";
import { runCommand } from "./command.ts";

const lineOf = (stdout: string, subject: string) =>
  stdout.split("\n").find((line) => line.slice(5).startsWith(subject));

test("an empty database is no fault: `run` sets it up", async () => {
  const database = await createTestDatabase();

  const { stdout } = await runCommand(["check"], { url: database.url });
  await database.drop();

  assert.match(
    lineOf(stdout, "migrations") ?? stdout,
    /^OK {3}migrations +the database is not set up yet; it will be set up by `run` or `sync`$/,
  );
  assert.equal(lineOf(stdout, "history"), undefined, "nobody can say yet who could alter it");
});

test("it says what the connection to Postgres is", async () => {
  const database = await createTestDatabase(MIGRATED);

  const { stdout } = await runCommand(["check"], { url: database.url });
  await database.drop();

  assert.match(
    lineOf(stdout, "database") ?? stdout,
    /^OK {3}database +Postgres answers at 127\.0\.0\.1:\d+: not encrypted/,
  );
  assert.match(lineOf(stdout, "migrations") ?? stdout, /^OK {3}migrations +up to date$/);
});

test("an embedded database that is not there yet is no fault, and nothing is made", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "check-"));
  t.after(() => rm(folder, { recursive: true }));

  const { stdout } = await runCommand(["check"], { url: `pglite:${folder}/a/data` });

  assert.match(
    lineOf(stdout, "database") ?? stdout,
    /^OK {3}database +there is none in \S+\/a\/data yet; it will be set up/,
  );
  assert.deepEqual(await readdir(folder), []);
});

test("a folder in which no embedded database can be made is a fault", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "check-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "file"), "");
  await symlink(folder, join(folder, "link"));

  for (const [name, why] of [
    ["file/data", /cannot be written to/],
    ["link", /is a symbolic link/],
  ] as const) {
    const { code, stdout } = await runCommand(["check"], { url: `pglite:${join(folder, name)}` });

    assert.equal(code, 1);
    assert.match(lineOf(stdout, "database") ?? stdout, /^FIX/);
    assert.match(stdout, why);
  }
  assert.equal(existsSync(join(folder, "pgdata")), false);
});

test("both mail servers are tried, one line each, and what is wrong makes it exit 1", async () => {
  const database = await createTestDatabase(MIGRATED);
  const second = await startRelay();

  const { code, stdout } = await runCommand(["check"], {
    url: database.url,
    env: {
      SMTP_URL: "smtp://127.0.0.1:1",
      MAIL_FROM: "invites@example.com",
      FALLBACK_SMTP_URL: second.url,
    },
  });
  const { stdout: turned } = await runCommand(["check"], {
    url: database.url,
    env: { SMTP_URL: second.url, MAIL_FROM: "invites@example.com", FALLBACK_SMTP_URL: "smtp://127.0.0.1:1" },
  });
  await second.close();
  await database.drop();

  assert.equal(code, 1);
  const lines = stdout.split("\n").filter((line) => /mail server {2}/.test(line));
  assert.equal(lines.length, 2, stdout);
  assert.match(lines[0] ?? "", /^FIX {2}mail server +the mail server 127\.0\.0\.1:1 cannot be reached/);
  assert.match(lineOf(turned, "second mail server") ?? turned, /is FALLBACK_SMTP_URL right\?|in FALLBACK_SMTP_URL/);
  assert.match(lines[1] ?? "", /^OK {3}second mail server +127\.0\.0\.1:\d+ takes our connection$/);
});

test("each schedule is told with its next three times, in its own time zone", async () => {
  const database = await createTestDatabase(MIGRATED);

  const { stdout } = await runCommand(["check"], {
    url: database.url,
    now: new Date("2026-10-24T23:50:00Z"),
    env: {
      CLOUDFLARE_API_TOKEN: "token",
      CLOUDFLARE_BASE_URL: "http://127.0.0.1:1/client/v4",
      SYNC_SCHEDULE: "*/30 * * * *",
      DIGEST_SCHEDULE: "0 9 1,15 * 1",
      TIMEZONE: "Europe/Berlin",
    },
  });
  await database.drop();

  // The half hour from two o'clock on comes twice in this night.
  const polls = "Sun 2026-10-25 02:00 +02:00, Sun 2026-10-25 02:30 +02:00, Sun 2026-10-25 02:00 +01:00";
  const digests = "Mon 2026-10-26 09:00 +01:00, Sun 2026-11-01 09:00 +01:00, Mon 2026-11-02 09:00 +01:00";
  assert.ok(stdout.includes(`OK   schedule of default     */30 * * * *: next at ${polls} (Europe/Berlin)\n`), stdout);
  assert.ok(stdout.includes(`OK   schedule of the digest  0 9 1,15 * 1: next at ${digests} (Europe/Berlin)\n`), stdout);
  assert.match(stdout, /^OK {3}clock +\d s (ahead of|behind) the database's$/m);
});
