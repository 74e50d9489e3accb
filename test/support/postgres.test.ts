import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import pg from "pg";
import { createTestDatabase, startPostgres } from "./postgres.ts";

async function query(url: string, sql: string): Promise<pg.QueryResult["rows"]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test("a test database answers a query", async () => {
  const database = await createTestDatabase();

  const rows = await query(database.url, "select 1 + 1 as sum");

  assert.deepEqual(rows, [{ sum: 2 }]);
  await database.drop();
});

test("two test databases know nothing of each other", async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);

  await query(one.url, "create table note (text text)");

  assert.deepEqual(await query(other.url, "select tablename from pg_tables where schemaname = 'public'"), []);
  await Promise.all([one.drop(), other.drop()]);
});

test("a template is prepared once, and every clone holds what it held", async () => {
  let prepared = 0;
  const template = {
    name: "with_note",
    prepare: async (url: string) => {
      prepared++;
      await query(url, "create table note as select 'kept' as text");
    },
  };

  const databases = await Promise.all([1, 2, 3].map(() => createTestDatabase(template)));

  const notes = await Promise.all(databases.map(({ url }) => query(url, "select text from note")));
  assert.deepEqual(notes, [[{ text: "kept" }], [{ text: "kept" }], [{ text: "kept" }]]);
  assert.equal(prepared, 1);
  await Promise.all(databases.map((database) => database.drop()));
});

test("a session left open is named when its database cannot be dropped", async () => {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url, application_name: "forgotten" });
  await client.connect();

  await assert.rejects(database.drop(), /open sessions: .*forgotten/);

  await client.end();
  await database.drop();
});

test("a server of one's own can be stopped, and writes carefully where asked to", async () => {
  const server = await startPostgres({ durable: true });

  const rows = await query(server.url, "select current_setting('fsync') as fsync");
  await server.stop();

  assert.deepEqual(rows, [{ fsync: "on" }]);
  await assert.rejects(query(server.url, "select 1"), { code: "ECONNREFUSED" });
});

test("a server does not outlive a test process that was killed", async () => {
  const script = `const { startPostgres } = await import(${JSON.stringify(new URL("./postgres.ts", import.meta.url))});
    console.log((await startPostgres()).url); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  client.on("error", () => {});
  const disconnected = new Promise((resolve) => client.once("end", resolve));

  child.kill("SIGKILL");

  await disconnected;
});
