/** Databases to be measured with: fresh clones of a migrated one, on a server that writes as carefully as in production. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { migrate } from "../src/adapters/postgres/migrate.ts";
import { openDatabase } from "../src/adapters/postgres/open.ts";
import { createQueue } from "../src/adapters/postgres/queue.ts";
import { startPostgres } from "../test/support/postgres.ts";

export type BenchDatabase = {
  readonly url: string;
  /** Does what Postgres would do by itself between two syncs, so that it does not do it during the next. */
  settle(): Promise<void>;
  drop(): Promise<void>;
};

export type Databases = {
  readonly serverVersion: string;
  /** An empty, migrated database. */
  create(): Promise<BenchDatabase>;
  close(): Promise<void>;
};

/** A throw-away server, or the one that TEST_DATABASE_URL (a superuser's) names. */
export async function openDatabases(): Promise<Databases> {
  const given = process.env.TEST_DATABASE_URL;
  const server = given ? { url: given, stop: async () => {} } : await startPostgres({ durable: true });
  const prefix = `invitewatch_bench_${randomBytes(4).toString("hex")}`;
  const template = `${prefix}_template`;
  const created = new Set<string>();
  let count = 0;

  async function createFrom(source: string, name: string): Promise<string> {
    await query(server.url, `CREATE DATABASE ${name} TEMPLATE ${source}`);
    created.add(name);
    return urlOf(server.url, name);
  }
  async function drop(name: string): Promise<void> {
    await query(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    created.delete(name);
  }
  async function close(): Promise<void> {
    for (const name of created) await drop(name);
    await server.stop();
  }

  try {
    await prepare(await createFrom("template0", template));
    return {
      serverVersion: await versionOf(server.url),
      async create() {
        count += 1;
        const name = `${prefix}_${count}`;
        const url = await createFrom(template, name);
        return { url, settle: () => settle(url), drop: () => drop(name) };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function prepare(url: string): Promise<void> {
  const database = await openDatabase(url, "command");
  await migrate(database);
  const queue = createQueue(database, (error) => {
    throw error;
  });
  await queue.start();
  await queue.stop(1_000);
  await database.close();
}

async function settle(url: string): Promise<void> {
  await query(url, "VACUUM (ANALYZE)");
  await query(url, "CHECKPOINT");
}

async function versionOf(url: string): Promise<string> {
  const [row] = await query(url, "SELECT current_setting('server_version') AS version");
  return String(row?.version);
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function urlOf(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
