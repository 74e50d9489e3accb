/** Brings the database's tables to this version, one process at a time. */
import type { Client, PoolConfig } from "pg";
import { asDatabaseError, DatabaseError, where } from "./database-error.ts";
import { type Connection, createClient } from "./open.ts";
import { applyMigrations, readMigrations } from "./schema-engine.ts";

/** Any number that is ours alone; held while migrations run. */
export const MIGRATION_LOCK = 7_312_046_511;

/** Applies what is missing; the names of what was applied. @throws DatabaseError */
export async function migrate({
  alone = (work) => work(),
  ...connection
}: PoolConfig & Pick<Connection, "alone">): Promise<readonly string[]> {
  const client = createClient(connection);
  try {
    await client.connect();
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    return await alone(async () => {
      if ((await pendingWith(client)).length === 0) return [];
      await forgetInterrupted(client);
      return await applyMigrations(connection);
    });
  } catch (error) {
    throw asDatabaseError(error, where(connection));
  } finally {
    await client.end().catch(() => {});
  }
}

/** Names of the migrations that the database still lacks, oldest first. @throws DatabaseError */
export async function pendingMigrations(connection: PoolConfig): Promise<readonly string[]> {
  const client = createClient(connection);
  try {
    await client.connect();
    return await pendingWith(client);
  } catch (error) {
    throw asDatabaseError(error, where(connection));
  } finally {
    await client.end().catch(() => {});
  }
}

/** @throws DatabaseError where the database is not set up for this version */
export async function requireMigrated(connection: PoolConfig): Promise<void> {
  if ((await pendingMigrations(connection)).length === 0) return;
  throw new DatabaseError("The database is not set up for this version; run `invitewatch migrate`.", {
    permanent: true,
  });
}

/** Nobody else migrates, so that what is unfinished never will be; the engine would refuse to go on. */
async function forgetInterrupted(client: Client): Promise<void> {
  if (!(await isLedgerThere(client))) return;
  await client.query(
    `UPDATE _prisma_migrations SET rolled_back_at = now(), logs = coalesce(logs, 'interrupted; nothing of it was kept')
    WHERE finished_at IS NULL AND rolled_back_at IS NULL`,
  );
}

async function pendingWith(client: Client): Promise<readonly string[]> {
  const names = (await readMigrations()).map((migration) => migration.name);
  if (!(await isLedgerThere(client))) return names;
  const { rows } = await client.query<{ name: string }>(
    `SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
  );
  const applied = new Set(rows.map((row) => row.name));
  return names.filter((name) => !applied.has(name));
}

async function isLedgerThere(client: Client): Promise<boolean> {
  const { rows } = await client.query("SELECT to_regclass('_prisma_migrations') AS found");
  return rows[0]?.found !== null;
}
