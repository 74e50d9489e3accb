import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, type TestContext, test } from "node:test";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { type EmbeddedServer, serveEmbedded } from "../../../src/adapters/postgres/embedded-server.ts";

let folder: string;
let db: PGlite;
let server: EmbeddedServer;
const path = () => join(folder, ".s.PGSQL.5432");

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "served-"));
  db = await PGlite.create();
  server = await serveEmbedded(db, path());
});
after(async () => {
  await server.close();
  await db.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => db.exec("DROP TABLE IF EXISTS note; CREATE TABLE note (text text)"));

async function connectTo(t: TestContext): Promise<pg.Client> {
  const client = new pg.Client({ host: folder, port: 5432, user: "postgres", database: "postgres" });
  client.on("error", () => {});
  await client.connect();
  t.after(() => client.end());
  return client;
}

function clients(t: TestContext, count: number): Promise<readonly pg.Client[]> {
  return Promise.all(Array.from({ length: count }, () => connectTo(t)));
}

/** The connection's socket, to be torn as a killed process tears it. */
function socketOf(client: pg.Client): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

async function notes(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ text: string }>("SELECT text FROM note ORDER BY text");
  return rows.map(({ text }) => text);
}

describe("many connections", () => {
  test("get the answers to their own statements", async (t) => {
    const all = await clients(t, 8);

    const answers = await Promise.all(
      all.map(async (client, nth) => {
        const own: object[] = [];
        for (let round = 0; round < 25; round += 1) {
          const { rows } = await client.query(`SELECT $1::text AS "column ${nth}"`, [`value ${round}`]);
          own.push(rows[0]);
        }
        return own;
      }),
    );

    const rounds = Array.from({ length: 25 }, (_, round) => `value ${round}`);
    assert.deepEqual(
      answers,
      all.map((_, nth) => rounds.map((value) => ({ [`column ${nth}`]: value }))),
    );
  });

  test("do not see into each other's transactions, and undo only their own", async (t) => {
    const all = await clients(t, 6);

    const seen = await Promise.all(
      all.map(async (client, nth) => {
        await client.query("BEGIN");
        await client.query("INSERT INTO note VALUES ($1)", [`from ${nth}`]);
        const { rows } = await client.query("SELECT count(*)::int AS n FROM note");
        await client.query(nth % 2 === 0 ? "COMMIT" : "ROLLBACK");
        return rows[0].n;
      }),
    );

    assert.deepEqual(await notes(all[0] as pg.Client), ["from 0", "from 2", "from 4"]);
    // Each saw its own note, and those committed before it.
    assert.ok(seen.every((n) => n >= 1 && n <= 4));
  });

  test("are not disturbed by each other's errors, inside a transaction or not", async (t) => {
    const [one, other] = (await clients(t, 2)) as [pg.Client, pg.Client];

    const wrong = assert.rejects(one.query("SELEC 1"), { code: "42601" });
    const right = other.query("SELECT 1 AS one");
    await wrong;
    assert.deepEqual((await right).rows, [{ one: 1 }]);

    await one.query("BEGIN");
    await assert.rejects(one.query("SELECT 1 / 0"), { code: "22012" });
    const waiting = other.query("INSERT INTO note VALUES ('kept')");
    await assert.rejects(one.query("SELECT 1"), { code: "25P02" });
    await one.query("ROLLBACK");
    await waiting;

    assert.deepEqual(await notes(one), ["kept"]);
  });

  test("may send parameters that are wrong, and go on", async (t) => {
    const client = await connectTo(t);

    await assert.rejects(client.query("SELECT $1::int", ["no number"]), { code: "22P02" });

    assert.deepEqual((await client.query("SELECT $1::int AS n", [7])).rows, [{ n: 7 }]);
  });

  test("carry values of many megabytes both ways", async (t) => {
    const [one, other] = (await clients(t, 2)) as [pg.Client, pg.Client];
    const long = "x".repeat(5_000_000);

    const [{ rows }, short] = await Promise.all([
      one.query("SELECT $1::text AS echo", [long]),
      other.query("SELECT 1 AS n"),
    ]);

    assert.equal(rows[0].echo, long);
    assert.deepEqual(short.rows, [{ n: 1 }]);
  });
});

describe("a client that goes away", () => {
  test("inside a transaction leaves nothing, and the next one is served", async (t) => {
    const [one, other] = (await clients(t, 2)) as [pg.Client, pg.Client];
    await one.query("BEGIN");
    await one.query("INSERT INTO note VALUES ('lost')");

    socketOf(one).destroy();

    assert.deepEqual(await notes(other), []);
  });

  test("while it waits for its turn takes nobody else's", async (t) => {
    const [one, other, third] = (await clients(t, 3)) as [pg.Client, pg.Client, pg.Client];
    await one.query("BEGIN");
    const never = other.query("INSERT INTO note VALUES ('never')").catch(() => "gone");
    await new Promise<void>((resolve) => socketOf(other).write("", () => resolve()));
    socketOf(other).destroy();
    assert.equal(await never, "gone");
    const waiting = third.query("INSERT INTO note VALUES ('third')");

    await one.query("INSERT INTO note VALUES ('one')");
    await one.query("COMMIT");
    await waiting;

    const kept = await notes(one);
    assert.deepEqual(
      kept.filter((text) => text !== "never"),
      ["one", "third"],
    );
  });

  test("in the middle of a message holds up nobody", async (t) => {
    const client = await connectTo(t);
    const socket = connect(path());
    await once(socket, "connect");
    // The start of a message that says it is a megabyte long.
    socket.write(Buffer.from([0, 16, 0, 0, 0, 3]));

    assert.deepEqual((await client.query("SELECT 1 AS n")).rows, [{ n: 1 }]);

    socket.destroy();
    assert.deepEqual((await client.query("SELECT 2 AS n")).rows, [{ n: 2 }]);
  });

  test("that asked for TLS first is told that there is none", async () => {
    const socket = connect(path());
    const request = Buffer.alloc(8);
    request.writeInt32BE(8, 0);
    request.writeInt32BE(80877103, 4);
    socket.write(request);

    const [answer] = (await once(socket, "data")) as [Buffer];

    assert.equal(answer.toString(), "N");
    socket.destroy();
  });
});

test("closing ends every connection, also one inside a transaction, and the database lives on without its work", async (t) => {
  const own = await mkdtemp(join(tmpdir(), "closing-"));
  t.after(() => rm(own, { recursive: true, force: true }));
  const second = await serveEmbedded(db, join(own, ".s.PGSQL.5432"));
  const client = new pg.Client({ host: own, port: 5432, user: "postgres", database: "postgres" });
  client.on("error", () => {});
  await client.connect();
  await client.query("BEGIN");
  await client.query("INSERT INTO note VALUES ('lost')");
  const ended = new Promise<void>((resolve) => client.once("end", resolve));

  await second.close();

  await ended;
  assert.equal(second.connections(), 0);
  assert.deepEqual((await db.query("SELECT text FROM note")).rows, []);
});
