/**
 * The process that keeps a Postgres for one test run: starts it when somebody first asks on its
 * socket, and takes everything away when its stdin ends, which is when the run is over or killed.
 *
 * What an earlier keeper could not take away because it was killed itself, the next one does.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import pg from "pg";
import { type PostgresServer, startServer, temporaryFolder } from "./postgres-server.ts";

/** What a keeper answers on its socket, as one JSON text. */
export type KeeperAnswer =
  | { readonly url: string /** Start of the name of every database of this run. */; readonly prefix: string }
  | { readonly error: string };

type Kept = Omit<PostgresServer, "restart"> & Partial<PostgresServer> & { readonly prefix: string };

const folderPrefix = "invitewatch-test-";
const databasePrefix = "invitewatch_test_";

const folder = mkdtempSync(join(temporaryFolder(), folderPrefix));
const socketPath = join(folder, "keeper.sock");
let kept: Promise<Kept> | undefined;

async function keepEmbedded(): Promise<Kept> {
  await removeDeadFolders();
  const server = await startServer(folder, process.argv.includes("--durable"));
  return { ...server, prefix: databasePrefix };
}

/** Another server's databases are told apart by a lock that a run holds for as long as it lives. */
async function keepOther(url: string): Promise<Kept> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query("select oid from pg_database where datname = current_database()");
  const all = `${databasePrefix}${rows[0].oid}_`;
  const prefix = `${all}${randomBytes(4).toString("hex")}_`;
  await removeDeadDatabases(client, all);
  await client.query("select pg_advisory_lock(hashtextextended($1, 0))", [prefix]);
  const stop = async () => {
    await dropAll(client, prefix);
    await client.end();
  };
  return { url, prefix, stop };
}

async function removeDeadDatabases(client: pg.Client, all: string): Promise<void> {
  const { rows } = await client.query(
    "select distinct left(datname, length($1) + 9) as prefix from pg_database where starts_with(datname, $1)",
    [all],
  );
  for (const { prefix } of rows) {
    const lock = await client.query("select pg_try_advisory_lock(hashtextextended($1, 0)) as dead", [prefix]);
    if (!lock.rows[0].dead) continue;
    await dropAll(client, prefix);
    await client.query("select pg_advisory_unlock(hashtextextended($1, 0))", [prefix]);
  }
}

async function dropAll(client: pg.Client, prefix: string): Promise<void> {
  const { rows } = await client.query("select datname from pg_database where starts_with(datname, $1)", [prefix]);
  for (const { datname } of rows) {
    await client.query(`drop database if exists ${pg.escapeIdentifier(datname)} with (force)`);
  }
}

/** A folder whose keeper does not answer is dead, unless it is just being made; its server ends when it is gone. */
async function removeDeadFolders(): Promise<void> {
  const parent = temporaryFolder();
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(folderPrefix))) {
    const path = join(parent, name);
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined || status.uid !== process.getuid?.() || Date.now() - status.mtimeMs < 60_000) continue;
    if (!(await answers(join(path, "keeper.sock")))) rmSync(path, { recursive: true, force: true });
  }
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

let ending = false;

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  server.close();
  const running = await kept?.catch(() => undefined);
  await running?.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** @param order how to restart the server, or empty */
async function answer(order: string): Promise<KeeperAnswer> {
  const other = process.env.TEST_DATABASE_URL;
  kept ??= other ? keepOther(other) : keepEmbedded();
  const { url, prefix, restart } = await kept;
  if (order === "fast" || order === "immediate") await restart?.(order);
  return { url, prefix };
}

const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  text(socket)
    .then(answer)
    .catch((error: Error): KeeperAnswer => ({ error: error.message }))
    .then((said) => socket.end(JSON.stringify(said)));
});
server.listen(socketPath, () => process.stdout.write(`${socketPath}\n`));

process.stdin.on("close", end).resume();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
