/**
 * Brings the database's tables to this version, as `prisma migrate deploy` does and with the same rows in
 * `_prisma_migrations`, without Prisma's engine.
 *
 * Each migration is a transaction under a lock that ends with it: several processes may migrate at a time, through a
 * pooler too, and one that dies leaves nothing half done.
 */
import { randomUUID } from "node:crypto";
import { type Client, escapeIdentifier } from "pg";
import { asDatabaseError, blaming, DatabaseError, where } from "./database-error.ts";
import { type Entry, type Migration, missingFrom, readMigrations } from "./migrations.ts";
import { type Database, DIRECT_URL } from "./open.ts";
import { type Connection, connect } from "./server.ts";
import { mayNotMakeSchema, missingRight } from "./set-up-rights.ts";

/** Any number that is ours alone; held while a migration runs. */
const MIGRATION_LOCK = 7_312_046_511;

/**
 * Applies what is missing; the names of what was applied.
 *
 * @param stop ends the wait for another process
 * @throws DatabaseError
 */
export async function migrate(database: Database, stop?: AbortSignal): Promise<readonly string[]> {
  database.requireWritable();
  return whereTablesAreMade(database, stop, async (connection) => {
    const client = await connect(connection, stop);
    try {
      if ((await missing(client)).length === 0) return [];
      const refusal = await missingRight(client, database);
      if (refusal !== null) throw new DatabaseError(refusal, { permanent: true });
      await underLock(client, () => makeSchema(client, database.schema));
      const applied: string[] = [];
      const next = () => underLock(client, () => applyNext(client));
      for (let name = await next(); name !== null; name = await next()) applied.push(name);
      return applied;
    } finally {
      await client.end().catch(() => {});
    }
  });
}

/** Names of the migrations that the database still lacks, oldest first. @throws DatabaseError */
export async function pendingMigrations({ sql, connection }: Database): Promise<readonly string[]> {
  try {
    return (await missing({ query: (text) => sql.query(text, []) })).map(({ name }) => name);
  } catch (error) {
    throw asDatabaseError(error, where(connection));
  }
}

/** What keeps `migrate` from its work and what to do about it, in a sentence; null where nothing does. @throws DatabaseError */
export function obstacleToMigration(database: Database): Promise<string | null> {
  return whereTablesAreMade(database, undefined, async (connection) => {
    const client = await connect(connection);
    try {
      return await missingRight(client, database);
    } finally {
      await client.end().catch(() => {});
    }
  });
}

/** @throws DatabaseError where the database is not set up for this version */
export async function requireMigrated(database: Database): Promise<void> {
  if ((await pendingMigrations(database)).length === 0) return;
  throw new DatabaseError("The database is not set up for this version; run `invitewatch migrate`.", {
    permanent: true,
  });
}

/** Does the work over the connection by which tables are made: that of DATABASE_DIRECT_URL, if there is one. @throws DatabaseError */
export async function whereTablesAreMade<T>(
  { connection, direct }: Database,
  stop: AbortSignal | undefined,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const way = direct === null ? connection : await direct(stop);
  const failing = (error: unknown) => {
    throw asDatabaseError(error, where(way));
  };
  return direct === null ? work(way).catch(failing) : blaming(DIRECT_URL, () => work(way).catch(failing));
}

/** @throws DatabaseError that says what to grant */
export async function makeSchema(client: Client, name: string): Promise<void> {
  const { rows } = await client.query<{ found: boolean; user: string; database: string }>(
    `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS found, current_user AS "user",
      current_database() AS database`,
    [name],
  );
  const [row] = rows;
  if (row?.found) return;
  try {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${escapeIdentifier(name)}`);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "42501")) throw cause;
    throw new DatabaseError(mayNotMakeSchema(name, row ?? { user: "", database: "" }), { cause, permanent: true });
  }
}

type Asking = { query(text: string): Promise<{ readonly rows: unknown[] }> };

async function missing(client: Asking): Promise<readonly Migration[]> {
  const { rows } = await client.query("SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found");
  const { found } = rows[0] as { found: boolean };
  return missingFrom(found ? await readLedger(client) : [], await readMigrations());
}

async function readLedger(client: Asking): Promise<readonly Entry[]> {
  const { rows } = await client.query(`
    SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished FROM _prisma_migrations
    WHERE rolled_back_at IS NULL ORDER BY started_at`);
  return rows as Entry[];
}

/** Applies the oldest that is missing; its name, or null where none is. */
async function applyNext(client: Client): Promise<string | null> {
  // Made first: whether it is there already is cached from before the wait for the lock.
  await client.query(LEDGER);
  const ledger = await readLedger(client);
  const [next] = missingFrom(ledger, await readMigrations());
  if (next === undefined) return null;
  await apply(client, next).catch((error) => {
    throw ledger.length === 0 && error?.code === DUPLICATE_TABLE ? notOurs(error) : error;
  });
  return next.name;
}

const DUPLICATE_TABLE = "42P07";

function notOurs(cause: Error): DatabaseError {
  const message = `The schema holds tables of another program (${cause.message}); name an empty schema with ?schema=NAME in DATABASE_URL, or another database.`;
  return new DatabaseError(message, { cause, permanent: true });
}

/** Does the work in a transaction, while no other process does such work. */
export async function underLock<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    const done = await work();
    await client.query("COMMIT");
    return done;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** As Prisma's engine makes it. */
const LEDGER = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL,
    logs TEXT,
    rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

async function apply(client: Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query(sql);
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
    VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
    [randomUUID(), checksum, name],
  );
}
