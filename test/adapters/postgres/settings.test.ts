import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { openDatabase } from "../../../src/adapters/postgres/open.ts";
import { readOptions } from "../../../src/adapters/postgres/session.ts";
import { noPgBouncer, startPgBouncer } from "../../support/pgbouncer.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

/** What an administrator may have set for a database, each in its most inconvenient way. */
const NASTY: Readonly<Record<string, string>> = {
  array_nulls: "off",
  backslash_quote: "off",
  bytea_output: "escape",
  client_encoding: "LATIN1",
  client_min_messages: "debug1",
  datestyle: "German, DMY",
  default_transaction_deferrable: "on",
  default_transaction_isolation: "serializable",
  escape_string_warning: "on",
  exit_on_error: "on",
  extra_float_digits: "-15",
  idle_in_transaction_session_timeout: "50ms",
  idle_session_timeout: "50ms",
  intervalstyle: "sql_standard",
  jit_above_cost: "0",
  lock_timeout: "1ms",
  plan_cache_mode: "force_generic_plan",
  quote_all_identifiers: "on",
  row_security: "off",
  search_path: "nowhere, public",
  standard_conforming_strings: "off",
  statement_timeout: "500ms",
  timezone: "Asia/Kolkata",
  transform_null_equals: "on",
  xmlbinary: "hex",
  xmloption: "document",
};

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
  await administer(
    `CREATE TABLE round_trip (at timestamptz(3), bytes bytea, words text[], span interval, share float8)`,
  );
});
after(() => database.drop());

async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

const ours = async (sql: string) => administer(sql.replaceAll("DB", new URL(database.url).pathname.slice(1)));

const SENT = {
  at: new Date("2026-02-03T04:05:06.789Z"),
  bytes: Buffer.from([0, 92, 39, 255]),
  words: ["NULL", "a\\b'c", "é😀"],
  share: 0.1 + 0.2,
};

/** What comes back of what was sent, by each of our ways to the database. */
async function roundTrip(url: string) {
  const { prisma, sql, close } = await openDatabase(url, "command");
  try {
    const found = await prisma.$transaction(async (tx) => {
      await tx.$executeRaw`
        INSERT INTO round_trip (at, bytes, words, span, share)
        VALUES (${SENT.at}, ${SENT.bytes}, ${SENT.words}, '1 day 2 hours', ${SENT.share})`;
      return tx.$queryRaw<Record<string, unknown>[]>`
        SELECT at, bytes, words, span::text, share, at = NULL::timestamptz AS "isNull", 'a\\b' AS backslash FROM round_trip`;
    });
    const { rows } = await sql.query("SELECT at, bytes, words, share FROM round_trip", []);
    await sql.query("SELECT pg_sleep(0.6)", []);
    await prisma.$executeRaw`TRUNCATE round_trip`;
    return [found[0], rows[0]];
  } finally {
    await close();
  }
}

const EXPECTED = [
  { ...SENT, bytes: new Uint8Array(SENT.bytes), span: "1 day 02:00:00", isNull: null, backslash: "a\\b" },
  SENT,
];

describe("whatever is set for the database, values come back as they were sent", () => {
  for (const [name, value] of Object.entries(NASTY)) {
    test(`${name} = ${value}`, async () => {
      await ours(`ALTER DATABASE "DB" SET ${name} = ${name === "search_path" ? value : `'${value}'`}`);

      const found = await roundTrip(database.url);
      await ours(`ALTER DATABASE "DB" RESET ${name}`);

      assert.deepEqual(found.map(plain), EXPECTED.map(plain));
    });
  }

  test("all of it at once, through a pooler in transaction mode", { skip: noPgBouncer }, async (t) => {
    for (const [name, value] of Object.entries(NASTY)) {
      await ours(`ALTER DATABASE "DB" SET ${name} = ${name === "search_path" ? value : `'${value}'`}`);
    }
    const pooler = await startPgBouncer(database.url);
    t.after(() => pooler.stop());

    const found = await roundTrip(pooler.url);
    await ours(`ALTER DATABASE "DB" RESET ALL`);

    assert.deepEqual(found.map(plain), EXPECTED.map(plain));
  });
});

function plain(row: object | undefined) {
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([key, value]) => [key, value instanceof Uint8Array ? [...value] : value]),
  );
}

describe("the options of a URL", () => {
  test("are read as the server reads them", () => {
    const read = readOptions("-c a.b=1 -cc_d=x\\ y --e-f=g endpoint=ep-1 -c nonsense");

    assert.deepEqual(read, { given: { "a.b": "1", c_d: "x y", e_f: "g" }, rest: "endpoint=ep-1 -c nonsense" });
  });

  test("set limits, and nothing that changes how values are written", async () => {
    assert.deepEqual(await settingsThrough(database.url), [{ limit: "7s", dates: "ISO, MDY" }]);
  });

  test("set limits through a pooler in transaction mode too", { skip: noPgBouncer }, async (t) => {
    const pooler = await startPgBouncer(database.url, ["ignore_startup_parameters = options"]);
    t.after(() => pooler.stop());

    assert.deepEqual(await settingsThrough(pooler.url), [{ limit: "7s", dates: "ISO, MDY" }]);
  });
});

/** What is in force where the URL's options set a limit and a style. */
async function settingsThrough(url: string) {
  const { sql, close } = await openDatabase(
    `${url}?options=-c%20statement_timeout%3D7000%20-c%20datestyle%3DGerman`,
    "command",
  );
  const { rows } = await sql.query(
    "SELECT current_setting('statement_timeout') AS limit, current_setting('datestyle') AS dates",
    [],
  );
  await close();
  return rows;
}
