import assert from "node:assert/strict";
import { chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import pg from "pg";
import { sampleInvite } from "../../src/demo/sample-invite.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startServer, temporaryFolder } from "../support/postgres-server.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { FAR, startSurroundings } from "../support/surroundings.ts";

const { api, mail, settings, close } = await startSurroundings();
after(close);

/** A database of the test's own, and its administrator; the roles are gone with it. */
async function emptyDatabase(t: TestContext, ...roles: readonly string[]) {
  const { url, drop } = await createTestDatabase();
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  for (const role of roles) await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
  t.after(async () => {
    for (const role of roles) await admin.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    await admin.end();
    await drop();
  });
  return { url, admin };
}

function as(role: string, url: string, query = ""): string {
  return Object.assign(new URL(url), { username: role, password: "x", search: query }).href;
}

test("mail leaves also where the user has a schema of its name", async (t) => {
  const { url, admin } = await emptyDatabase(t, "iw_own");
  await admin.query("CREATE SCHEMA iw_own AUTHORIZATION iw_own; CREATE SCHEMA pgboss_iw_own AUTHORIZATION iw_own");
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  const before = mail.raw.length;

  const synced = await runProgram(["sync"], settings(as("iw_own", url)));
  const { rows } = await admin.query(
    "SELECT DISTINCT schemaname::text AS schema FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)' ORDER BY 1",
  );

  assert.equal(synced.code, 0, synced.stderr);
  assert.equal(mail.raw.length, before + 1);
  assert.deepEqual(rows, [{ schema: "iw_own" }, { schema: "pgboss_iw_own" }]);
});

test("two installations share a database, each in a schema of its own", async (t) => {
  const { url } = await emptyDatabase(t);
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  const [one, two] = ["one", 'Two "of" th\'em'].map((schema) =>
    settings(`${url}?schema=${encodeURIComponent(schema)}`),
  );
  const before = mail.raw.length;

  const codes = [];
  for (const env of [one, two, one]) codes.push((await runProgram(["sync"], env ?? {})).code);
  const events = await Promise.all([one, two].map((env) => runProgram(["history", "--json"], env ?? {})));

  assert.deepEqual(codes, [0, 0, 0]);
  assert.equal(mail.raw.length, before + 2);
  assert.deepEqual(
    events.map(({ stdout }) => JSON.parse(stdout).events.length),
    [2, 2],
  );
});

test("a user who may make no schema for the queue is told what to grant, and the command ends", async (t) => {
  const { url, admin } = await emptyDatabase(t, "iw_poor");
  await admin.query("GRANT CREATE ON SCHEMA public TO iw_poor");

  for (const command of ["migrate", "sync", "run"]) {
    const { code, stderr } = await runProgram([command], settings(as("iw_poor", url)));

    assert.equal(code, 1);
    assert.match(
      stderr,
      /The user "iw_poor" may not make the schema "pgboss" in the database .*; have its owner run: /,
    );
  }
});

test("check says what to grant before anything is set up, and makes nothing", async (t) => {
  const { url, admin } = await emptyDatabase(t, "iw_asks");
  const migrations = async () => {
    const { stdout } = await runProgram(["check"], settings(as("iw_asks", url)));
    return /^(?:OK|FIX) +migrations .*$/m.exec(stdout)?.[0] ?? stdout;
  };

  const nothing = await migrations();
  await admin.query("GRANT CREATE ON SCHEMA public TO iw_asks");
  const noQueue = await migrations();
  await admin.query("CREATE SCHEMA pgboss AUTHORIZATION iw_asks");
  const all = await migrations();
  const { rows } = await admin.query("SELECT FROM pg_tables WHERE schemaname IN ('public', 'pgboss')");

  assert.match(
    nothing,
    /^FIX .*may not make tables in the schema "public" .*GRANT CREATE ON SCHEMA "public" TO "iw_asks";/,
  );
  assert.match(noQueue, /^FIX .*run: CREATE SCHEMA "pgboss" AUTHORIZATION "iw_asks";/);
  assert.match(all, /^OK .*will be set up/);
  assert.equal(rows.length, 0);
});

test("migrate ends when its work does", async (t) => {
  const program = startProgram(["migrate"], settings((await emptyDatabase(t)).url));
  const said = await new Promise<number>((resolve) => {
    program.child.stdout?.once("data", () => resolve(Date.now()));
  });

  assert.equal(await program.ended, 0, program.stderr());
  assert.ok(Date.now() - said < 5_000, `it stayed for ${Date.now() - said} ms`);
});

for (const [command, code] of [
  ["migrate", "SIGTERM"],
  ["sync", 1],
  ["run", 0],
] as const) {
  test(`a ${command} that waits for another process to migrate obeys SIGTERM at once`, async (t) => {
    const { url, admin: rival } = await emptyDatabase(t);
    await rival.query("BEGIN; SELECT pg_advisory_xact_lock(7312046511)");
    const program = startProgram([command], settings(url));
    await untilSomebodyWaits(rival);

    const toldAt = Date.now();
    program.child.kill("SIGTERM");
    const ended = await program.ended;
    await rival.query("ROLLBACK");

    assert.equal(ended, code, program.stderr());
    assert.ok(Date.now() - toldAt < 5_000);
    assert.doesNotMatch(program.stderr(), / {4}at /);
  });
}

async function untilSomebodyWaits(onlooker: pg.Client): Promise<void> {
  for (let waiting = 0; waiting === 0; ) {
    const { rowCount } = await onlooker.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
    waiting = rowCount ?? 0;
  }
}

async function refusedEverywhere(databaseUrl: string, sentence: RegExp): Promise<void> {
  const env = settings(databaseUrl);
  for (const args of [["migrate"], ["sync"], ["run"], ["ack", "x"]]) {
    const { code, stderr } = await runProgram(args, env);
    assert.deepEqual([args, code], [args, 1]);
    assert.match(stderr, sentence);
  }
  const check = await runProgram(["check"], env);
  assert.equal(check.code, 1);
  assert.match(check.stdout, /^FIX {2}database /m);
  assert.match(check.stdout, sentence);
}

test("a standby is read from; what writes ends with a sentence", async (t) => {
  const folder = await mkdtemp(join(temporaryFolder(), "standby-"));
  const server = await startServer(folder, false);
  t.after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
  const env = settings(server.url);
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  await runProgram(["sync"], env);
  const signal = join(folder, "data", "standby.signal");
  await writeFile(signal, "");
  const { uid, gid } = await stat(join(folder, "data"));
  await chown(signal, uid, gid);
  await server.restart("fast");

  await refusedEverywhere(server.url, /is read-only: it is a standby\. Name the primary in DATABASE_URL\./);
  for (const args of [["history"], ["invites"], ["verify"], ["notifications"]]) {
    const { code, stderr } = await runProgram(args, env);
    assert.deepEqual([args, code, stderr], [args, 0, ""]);
  }
});

test("a database that is read-only by its settings is told apart from a standby", async (t) => {
  const { url, admin } = await emptyDatabase(t);
  await runProgram(["migrate"], settings(url));
  await admin.query(
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`,
  );

  await refusedEverywhere(url, /is read-only: default_transaction_read_only is on .* Turn it off/);
});

test("a database that is not UTF-8 is refused, with how to make one that is", async (t) => {
  const { url, admin } = await emptyDatabase(t);
  await admin.query("CREATE DATABASE iw_latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'");
  const latin1 = Object.assign(new URL(url), { pathname: "/iw_latin1" }).href;

  await refusedEverywhere(
    latin1,
    /iw_latin1 at .* is encoded in LATIN1.*CREATE DATABASE invitewatch TEMPLATE template0/,
  );
  await admin.query("DROP DATABASE iw_latin1");
});

test("a schema that nobody made is named, and so is what to do", async (t) => {
  const { url, admin } = await emptyDatabase(t, "iw_lost");
  await admin.query("ALTER ROLE iw_lost SET search_path = nowhere");

  const { code, stderr } = await runProgram(["sync"], settings(as("iw_lost", url)));

  assert.equal(code, 1);
  assert.match(stderr, /search path of the user iw_lost names no schema .*\?schema=NAME in DATABASE_URL\./);
});

test("with DATABASE_DIRECT_URL the daemon's user needs no right to change tables", async (t) => {
  const { url, admin } = await emptyDatabase(t, "iw_plain");
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  const env = settings(as("iw_plain", url), { DATABASE_DIRECT_URL: url });
  await admin.query("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO iw_plain; CREATE SCHEMA pgboss");
  await admin.query("GRANT USAGE ON SCHEMA pgboss TO iw_plain");

  const synced = await runProgram(["sync"], env);
  const alone = await runProgram(["sync"], settings(as("iw_plain", url)));
  const daemon = startProgram(["run"], env);
  await daemon.logged("daemon.started");
  daemon.child.kill("SIGTERM");
  const ended = await daemon.ended;
  const { rows } = await admin.query("SELECT FROM pg_tables WHERE tableowner = 'iw_plain'");
  await admin.query("ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM iw_plain");

  assert.equal(synced.code, 0, synced.stderr);
  assert.equal(alone.code, 0, alone.stderr);
  assert.equal(ended, 0, daemon.stderr());
  assert.doesNotMatch(daemon.stderr(), /"level":"(warn|error)"/);
  assert.equal(rows.length, 0);
});
