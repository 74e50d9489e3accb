import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "pg";
import { asDatabaseError, explained, explaining } from "../../../src/adapters/postgres/database-error.ts";
import { openDatabase } from "../../../src/adapters/postgres/open.ts";
import { connect } from "../../../src/adapters/postgres/server.ts";
import { type OpenedDatabase, openTestDatabase } from "../../support/database.ts";
import { startRelay } from "../../support/tcp-relay.ts";

let database: OpenedDatabase;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

describe("a transaction that stands still", () => {
  const limitOf = async (url: string) => {
    const { prisma, close } = await openDatabase(url, "command");
    const [row] = await prisma.$queryRaw<{ limit: string }[]>`
      SELECT current_setting('idle_in_transaction_session_timeout') AS "limit"`;
    await close();
    return row?.limit;
  };

  test("is ended by the server before others give up waiting for its locks", async () => {
    assert.equal(await limitOf(database.url), "25s");
  });

  test("is ended when the URL says so, where that says it", async () => {
    assert.equal(await limitOf(`${database.url}?options=-c%20idle_in_transaction_session_timeout%3D2000`), "2s");
  });

  test("fails, and the next one is none the worse", async () => {
    const { prisma, close } = await openDatabase(
      `${database.url}?options=-c%20idle_in_transaction_session_timeout%3D50`,
      "command",
    );

    const still = prisma.$transaction(async (tx) => {
      await tx.$executeRaw`CREATE TABLE stood_still ()`;
      await sessionEnded(database);
      await tx.$executeRaw`DROP TABLE stood_still`;
    });

    await assert.rejects(still, (error: Error) => {
      assert.match(asDatabaseError(error, "db:5432").message, /^The connection to the database at db:5432 broke;/);
      return true;
    });
    assert.deepEqual(await prisma.$queryRaw`SELECT to_regclass('stood_still')::text AS found`, [{ found: null }]);
    await close();
  });
});

describe("a server that vanishes with a statement under way", () => {
  const isGivenUp = (error: unknown) => {
    assert.match(asDatabaseError(error, "db:5432").message, /^The database at db:5432 does not answer in time;/);
    return true;
  };

  test("is given up by a daemon when nothing was heard for a while, and asked anew over another connection", async () => {
    const relay = await startRelay(new URL(database.url));
    const { prisma, close } = await openDatabase(relay.url, "daemon", { silenceMs: 500 });
    await prisma.$queryRaw`SELECT 1`;

    const asked = prisma.$queryRaw`SELECT 1`;
    relay.vanish();

    await assert.rejects(asked, isGivenUp);
    assert.deepEqual(await prisma.$queryRaw`SELECT 2 AS next`, [{ next: 2 }]);
    await close();
    await relay.close();
  });

  test("also within a transaction, of which nothing is done", async () => {
    const relay = await startRelay(new URL(database.url));
    const { prisma, close } = await openDatabase(relay.url, "daemon", { silenceMs: 500 });
    const work = prisma.$transaction(async (tx) => {
      await tx.$executeRaw`CREATE TABLE half_done ()`;
      relay.vanish();
      await tx.$queryRaw`SELECT 1`;
    });

    await assert.rejects(work, isGivenUp);
    assert.deepEqual(await prisma.$queryRaw`SELECT to_regclass('half_done')::text AS found`, [{ found: null }]);
    await close();
    await relay.close();
  });

  test("is waited for by a command, which its user may end", async () => {
    const { prisma, close } = await openDatabase(database.url, "command", { silenceMs: 100 });

    assert.deepEqual(await prisma.$queryRaw`SELECT 1 AS one FROM pg_sleep(0.3)`, [{ one: 1 }]);
    await close();
  });
});

describe("what the database fails with is a sentence that says what to do", () => {
  const failWith = (code: string) => `DO $$ BEGIN RAISE EXCEPTION 'secret words' USING ERRCODE = '${code}'; END $$`;
  const sentenceOf = async (failing: Promise<unknown>) => {
    const error = await failing.then(
      () => assert.fail("it did not fail"),
      (reason: unknown) => reason,
    );
    return asDatabaseError(error, "db:5432").message;
  };

  test("a statement outside of a transaction, and one inside", async () => {
    const { prisma } = database;

    const alone = await sentenceOf(prisma.$executeRawUnsafe(failWith("53100")));
    const inside = await sentenceOf(prisma.$transaction((tx) => tx.$executeRawUnsafe(failWith("40P01"))));

    assert.equal(alone, "The disk of the database at db:5432 is full (53100); make room on it.");
    assert.match(inside, /to end a deadlock \(40P01\)/);
  });

  test("a commit", async () => {
    const { prisma } = database;
    await prisma.$executeRaw`CREATE TABLE deferred (a int)`;
    await prisma.$executeRawUnsafe(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '53100'; END $$`,
    );
    await prisma.$executeRaw`
      CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON deferred DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION refuse()`;

    const sentence = await sentenceOf(prisma.$transaction((tx) => tx.$executeRaw`INSERT INTO deferred VALUES (1)`));

    assert.match(sentence, /is full \(53100\)/);
  });

  test("a server that is not there", async () => {
    const opening = openDatabase("postgres://u:secretpass@127.0.0.1:1/x", "command");

    await assert.rejects(opening, {
      name: "DatabaseError",
      message:
        "The database at 127.0.0.1:1 cannot be reached (ECONNREFUSED); is it running, and is DATABASE_URL right?",
    });
  });

  test("what the queue tells of is no error of the class, and means the same", () => {
    const told = { code: "57P03", message: "the database system is starting up (Queue: sync)", queue: "sync" };

    const error = explained(told, { connectionString: "postgres://u:secretpass@db:5432/x" });

    assert.match(
      (error as Error).message,
      /^The database at db:5432 takes no connections now \(57P03\): it is starting/,
    );
  });

  test("an error that is not the database's stays what it is", async () => {
    const bug = new TypeError("undefined is not a function");
    const { work } = explaining({ work: () => Promise.reject(bug) }, { connectionString: database.url });

    await assert.rejects(work(), bug);
  });
});

test("a connection that breaks while nobody asks anything of it is not the end of the process", async () => {
  const client = await connect(database.connection);
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const ended = new Promise((resolve) => client.once("end", resolve));

  await database.sql.query("SELECT pg_terminate_backend($1)", [rows[0]?.pid]);
  await ended;

  await assert.rejects(client.query("SELECT 1"), /not queryable|terminat/i);
});

/** Resolves when no other session stands still in a transaction. */
async function sessionEnded({ url }: OpenedDatabase): Promise<void> {
  const onlooker = new Client({ connectionString: url });
  await onlooker.connect();
  for (let open = 1; open > 0; ) {
    const { rowCount } = await onlooker.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'",
    );
    open = rowCount ?? 0;
  }
  await onlooker.end();
}
