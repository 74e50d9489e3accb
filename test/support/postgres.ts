/**
 * Real Postgres databases for tests: one server for the whole run, a fresh database for whoever asks.
 *
 * Nobody has to stop anything: a keeper process takes the server away when the run ends, however it
 * ends. `TEST_DATABASE_URL` (a superuser's) points the suite at another server instead.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import pg from "pg";
import type { KeeperAnswer } from "./postgres-keeper.ts";
import type { PostgresServer } from "./postgres-server.ts";

export type TestDatabase = {
  readonly url: string;
  /** @throws Error that names the sessions still open five seconds later */
  drop(): Promise<void>;
};

/** What a database holds when it is handed out. Prepared once for each run and name, then cloned. */
export type Template = { readonly name: string; prepare(url: string): Promise<void> };

export type Keeper = { readonly socketPath: string; stop(): Promise<void> };

let ownKeeper: Promise<Keeper> | undefined;

/** A database of its own on the run's server: a clone of the template, or empty. */
export async function createTestDatabase(template?: Template): Promise<TestDatabase> {
  const { url, prefix } = await askKeeper(await keeperSocket());
  const source = template === undefined ? "template0" : `${prefix}template_${template.name}`;
  const name = `${prefix}${randomBytes(6).toString("hex")}`;
  await withAdmin(url, async (admin) => {
    if (template !== undefined) await prepareTemplate(admin, url, source, template);
    await admin.query(`create database ${pg.escapeIdentifier(name)} template ${pg.escapeIdentifier(source)}`);
  });
  return { url: databaseUrl(url, name), drop: () => withAdmin(url, (admin) => drop(admin, name)) };
}

/**
 * A server of one's own, to be stopped in the middle of a test or measured.
 *
 * @param options.durable whether it writes as carefully as a server in production
 */
export async function startPostgres(options: { durable?: boolean } = {}): Promise<PostgresServer> {
  const keeper = await startKeeper(options.durable ? ["--durable"] : [], { TEST_DATABASE_URL: "" });
  const { url } = await askKeeper(keeper.socketPath);
  return {
    url,
    restart: async (how) => void (await askKeeper(keeper.socketPath, how)),
    stop: keeper.stop,
  };
}

/** A keeper process, which starts its server at the first question and ends with this process at the latest. */
export async function startKeeper(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Keeper> {
  const program = fileURLToPath(new URL("./postgres-keeper.ts", import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const lines = createInterface({ input: child.stdout });
  const [socketPath] = (await Promise.race([once(lines, "line"), failed(child)])) as [string];
  lines.close();
  child.unref();
  (child.stdin as Socket).unref();
  (child.stdout as Socket).destroy();
  let stopped: Promise<void> | undefined;
  return {
    socketPath,
    stop: () => {
      stopped ??= stop(child);
      return stopped;
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const ended = once(child, "exit");
  child.stdin?.end();
  await ended;
}

async function failed(child: ChildProcess): Promise<never> {
  const [code] = await once(child, "exit");
  throw new Error(`The keeper of the test server ended with ${code}`);
}

/** The run's keeper; without one (a test file run by itself) this process has its own. */
async function keeperSocket(): Promise<string> {
  if (process.env.TEST_POSTGRES_KEEPER) return process.env.TEST_POSTGRES_KEEPER;
  ownKeeper ??= startKeeper();
  return (await ownKeeper).socketPath;
}

async function askKeeper(socketPath: string, order = ""): Promise<{ url: string; prefix: string }> {
  const socket = connect(socketPath);
  socket.end(order);
  const answer = JSON.parse(await text(socket)) as KeeperAnswer;
  if ("error" in answer) throw new Error(answer.error);
  return answer;
}

/** Makes the template unless another test file has; the lock makes the others wait meanwhile. */
async function prepareTemplate(admin: pg.Client, url: string, name: string, template: Template): Promise<void> {
  const unfinished = `${name}_unfinished`;
  await admin.query("select pg_advisory_lock(hashtextextended($1, 0))", [name]);
  const { rowCount } = await admin.query("select from pg_database where datname = $1", [name]);
  if (rowCount === 0) {
    await admin.query(`drop database if exists ${pg.escapeIdentifier(unfinished)}`);
    await admin.query(`create database ${pg.escapeIdentifier(unfinished)} template template0`);
    await template.prepare(databaseUrl(url, unfinished));
    await admin.query(`alter database ${pg.escapeIdentifier(unfinished)} rename to ${pg.escapeIdentifier(name)}`);
  }
  await admin.query("select pg_advisory_unlock(hashtextextended($1, 0))", [name]);
}

/** Postgres itself waits up to five seconds for the last sessions to end. */
async function drop(admin: pg.Client, name: string): Promise<void> {
  try {
    await admin.query(`drop database if exists ${pg.escapeIdentifier(name)}`);
  } catch (cause) {
    const { rows } = await admin.query(
      "select application_name, state, left(query, 200) as query from pg_stat_activity where datname = $1",
      [name],
    );
    throw new Error(`The test database could not be dropped; open sessions: ${JSON.stringify(rows)}`, { cause });
  }
}

async function withAdmin<T>(url: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

function databaseUrl(url: string, name: string): string {
  const address = new URL(url);
  address.pathname = `/${name}`;
  return address.href;
}
