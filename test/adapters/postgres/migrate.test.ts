import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import { readDrift } from "../../../scripts/drift.ts";
import { migrate, pendingMigrations, requireMigrated } from "../../../src/adapters/postgres/migrate.ts";
import { readMigrations } from "../../../src/adapters/postgres/migrations.ts";
import { openDatabase } from "../../../src/adapters/postgres/open.ts";
import { createTestDatabase } from "../../support/postgres.ts";

async function emptyDatabase(t: TestContext) {
  const { url, drop } = await createTestDatabase();
  const database = await openDatabase(url, "command");
  t.after(async () => {
    await database.close();
    await drop();
  });
  return { url, database };
}

async function query(url: string, sql: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A process that migrates when it is told to, and what it applied. */
function migrator(url: string) {
  const program = fileURLToPath(new URL("../../support/migrate-process.ts", import.meta.url));
  const child = spawn(process.execPath, [program, url], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  return {
    ready: next,
    async migrate(): Promise<readonly string[]> {
      child.stdin.write("go\n");
      return JSON.parse(await next());
    },
  };
}

test("the migrations lead to the schema: nothing is left to do for the next one", async () => {
  const drift = await readDrift();

  assert.equal(drift, null);
});

test("an empty database lacks every migration, and none once it was migrated", async (t) => {
  const { database } = await emptyDatabase(t);
  const names = (await readMigrations()).map(({ name }) => name);

  const before = await pendingMigrations(database);
  const applied = await migrate(database);

  assert.deepEqual(before, names);
  assert.deepEqual(applied, names);
  assert.deepEqual(await pendingMigrations(database), []);
});

test("migrating again applies nothing", async (t) => {
  const { database } = await emptyDatabase(t);
  await migrate(database);

  assert.deepEqual(await migrate(database), []);
});

test("the ledger of migrations is Prisma's own", async (t) => {
  const { url, database } = await emptyDatabase(t);
  await migrate(database);

  const rows = await query(
    url,
    "SELECT migration_name, finished_at, length(checksum) AS digits FROM _prisma_migrations",
  );

  assert.deepEqual(
    rows.map(({ migration_name }) => migration_name),
    (await readMigrations()).map(({ name }) => name),
  );
  assert.ok(rows.every(({ finished_at, digits }) => finished_at !== null && digits === 64));
});

test("processes that migrate at the same time apply each migration once", async (t) => {
  const { url } = await emptyDatabase(t);
  const migrators = [migrator(url), migrator(url)];
  await Promise.all(migrators.map(({ ready }) => ready()));

  const applied = await Promise.all(migrators.map((one) => one.migrate()));

  const names = (await readMigrations()).map(({ name }) => name);
  assert.deepEqual(applied.flat().toSorted(), names);
  assert.deepEqual(await query(url, "SELECT count(*)::int AS n FROM _prisma_migrations"), [{ n: names.length }]);
});

test("so do processes that share an embedded database", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "migrate-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const migrators = [1, 2].map(() => migrator(`pglite:${folder}`));
  await Promise.all(migrators.map(({ ready }) => ready()));

  const applied = await Promise.all(migrators.map((one) => one.migrate()));

  assert.deepEqual(
    applied.flat().toSorted(),
    (await readMigrations()).map(({ name }) => name),
  );
});

test("a migration that failed left nothing, and is applied by the next process", async (t) => {
  const { url, database } = await emptyDatabase(t);
  await query(
    url,
    `CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
      IF to_regclass('event') IS NOT NULL THEN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END IF;
    END $$;
    CREATE EVENT TRIGGER refuse ON ddl_command_end EXECUTE FUNCTION refuse()`,
  );

  await assert.rejects(migrate(database), { name: "DatabaseError" });
  const left = await query(url, "SELECT to_regclass('watch') AS watch");
  await query(url, "DROP EVENT TRIGGER refuse; DROP FUNCTION refuse");
  const applied = await migrate(database);

  const names = (await readMigrations()).map(({ name }) => name);
  const ledger = await query(
    url,
    "SELECT migration_name AS name FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at",
  );
  assert.deepEqual(left, [{ watch: null }]);
  assert.deepEqual(applied, names);
  assert.deepEqual(
    ledger.map(({ name }) => name),
    names,
  );
});

test("a database that is away is one sentence that says what to do, without its password", async () => {
  await assert.rejects(openDatabase("postgres://user:hunter2@127.0.0.1:1/none", "command"), {
    name: "DatabaseError",
    message: "The database at 127.0.0.1:1 cannot be reached (ECONNREFUSED); is it running, and is DATABASE_URL right?",
  });
});

test("a user who may not make tables is told so, and what to grant", async (t) => {
  const { url } = await emptyDatabase(t);
  const role = `poor_${randomBytes(4).toString("hex")}`;
  await query(url, `CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
  const poor = Object.assign(new URL(url), { username: role, password: "x" });

  const database = await openDatabase(poor.href, "command");

  const failure = await migrate(database).then(String, String);
  await database.close();
  await query(url, `DROP ROLE ${role}`);

  assert.equal(
    failure,
    `DatabaseError: The user "${role}" may not make tables in the schema "public" of the database ` +
      `"${new URL(url).pathname.slice(1)}" (42501); have its owner run: GRANT CREATE ON SCHEMA "public" TO "${role}";`,
  );
});

test("a newer version's database is refused, with that said", async (t) => {
  const { url, database } = await emptyDatabase(t);
  await migrate(database);
  await query(
    url,
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('1', 'x', '29990101000000_new', now())`,
  );
  const newer =
    /^DatabaseError: The database was set up by a newer version of invitewatch \(29990101000000_new\); run /;

  await assert.rejects(migrate(database), newer);
  await assert.rejects(requireMigrated(database), newer);
});

const BAD_LEDGERS = [
  [
    "another program's migrations",
    "UPDATE _prisma_migrations SET migration_name = 'x' || id",
    /tables of another program/,
  ],
  ["migrations that were changed since", "UPDATE _prisma_migrations SET checksum = 'x'", /with another text/],
  ["migrations that never finished", "UPDATE _prisma_migrations SET finished_at = NULL", /never finished; undo/],
] as const;

for (const [what, sql, expected] of BAD_LEDGERS) {
  test(`${what} are refused in a sentence`, async (t) => {
    const { url, database } = await emptyDatabase(t);
    await migrate(database);
    await query(url, sql);

    await assert.rejects(migrate(database), { name: "DatabaseError", permanent: true, message: expected });
  });
}

test("a schema with another program's table of the same name is left alone", async (t) => {
  const { url, database } = await emptyDatabase(t);
  await query(url, "CREATE TABLE event (theirs int)");

  await assert.rejects(
    migrate(database),
    /tables of another program \(relation "event" already exists\); name an empty/,
  );
  assert.deepEqual(await query(url, "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'"), [
    { name: "event" },
  ]);
});

test("Prisma's own engine finds all applied, and nothing changed", async (t) => {
  const { url, database } = await emptyDatabase(t);
  await migrate(database);
  const engine = fileURLToPath(new URL("../../support/diagnose-process.ts", import.meta.url));

  const { stdout } = await promisify(execFile)(process.execPath, [engine, url]);

  assert.deepEqual(JSON.parse(stdout), {
    history: null,
    failedMigrationNames: [],
    editedMigrationNames: [],
    hasMigrationsTable: true,
  });
});

test("a migration that fails is told with the database's own words", async (t) => {
  const { url, database } = await emptyDatabase(t);
  await migrate(database);
  await query(url, "DELETE FROM _prisma_migrations WHERE migration_name LIKE '%_delivery'");

  const failed = migrate(database);

  await assert.rejects(failed, /^DatabaseError: The database at .* failed \(42\w{3}\): .*already exists$/);
});
