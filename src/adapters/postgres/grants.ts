/**
 * What the user of DATABASE_URL may do where the tables are another's, that of DATABASE_DIRECT_URL: use them, and add
 * to the history, but neither change nor remove what is in it.
 */
import { type Client, escapeIdentifier } from "pg";
import { underLock } from "./migrate.ts";
import type { Database } from "./open.ts";
import { type Connection, connect } from "./server.ts";

/** By the tables for which it is not everything but TRUNCATE. */
const RIGHTS: ReadonlyMap<string, string> = new Map([
  ["event", "SELECT, INSERT"],
  // `verify` counts the events of a sync by it.
  ["sync", "SELECT, INSERT, DELETE"],
  ["_prisma_migrations", "SELECT"],
]);
const USE = "SELECT, INSERT, UPDATE, DELETE";

/**
 * Grants the user of the database what it needs and takes from it what it had beyond that; nothing where it is the
 * owner itself.
 *
 * @param owner how the tables were made
 */
export async function grantUse(database: Database, owner: Connection, stop?: AbortSignal): Promise<void> {
  const { schema, server } = database;
  const client = await connect(owner, stop);
  try {
    const { rows } = await client.query<{ owns: boolean }>(
      "SELECT pg_has_role($1::text, current_user, 'MEMBER') AS owns",
      [server.user],
    );
    if (rows[0]?.owns !== false) return;
    await underLock(client, async () => {
      await grantOn(client, schema, server.user);
      await grantOn(client, database.queueSchema.replaceAll('"', ""), server.user);
    });
  } finally {
    await client.end().catch(() => {});
  }
}

async function grantOn(client: Client, schemaName: string, userName: string): Promise<void> {
  const [schema, user] = [escapeIdentifier(schemaName), escapeIdentifier(userName)];
  const { rows } = await client.query<{ name: string; kind: string }>(
    `SELECT relname AS name, relkind AS kind FROM pg_class
    WHERE relnamespace = to_regnamespace($1)::oid AND relkind IN ('r', 'p', 'v', 'S') AND pg_has_role(relowner, 'USAGE')`,
    [schema],
  );
  const statements = rows.map(({ name, kind }) => {
    const [table, rights] = [`${schema}.${escapeIdentifier(name)}`, RIGHTS.get(name) ?? USE];
    if (kind === "S") return `GRANT USAGE, SELECT ON SEQUENCE ${table} TO ${user}`;
    return `REVOKE ALL ON ${table} FROM ${user}; GRANT ${rights} ON ${table} TO ${user}`;
  });
  await client.query([`GRANT USAGE ON SCHEMA ${schema} TO ${user}`, ...statements].join(";\n"));
}

const QUESTION = `
  SELECT CASE
    WHEN (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN 'is a superuser'
    WHEN pg_has_role(c.relowner, 'MEMBER') THEN 'owns the table'
    WHEN pg_has_role(n.nspowner, 'MEMBER') THEN 'owns the schema'
    WHEN pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'MEMBER') THEN 'owns the database'
    WHEN (SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN 'may create roles'
    WHEN pg_has_role('pg_write_server_files', 'MEMBER') OR pg_has_role('pg_execute_server_program', 'MEMBER')
      THEN 'may write the files of the server'
    WHEN has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE')
      OR has_table_privilege(c.oid, 'DELETE') OR has_table_privilege(c.oid, 'TRUNCATE')
      OR has_table_privilege(c.oid, 'TRIGGER') THEN 'has more rights on the table than to add to it'
  END AS reason
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('event')`;

/** Why the user of the database could alter the history, in a clause; null where it could not. The history must be there. */
export async function powerOverHistory({ sql }: Pick<Database, "sql">): Promise<string | null> {
  const { rows } = await sql.query<{ reason: string | null }>(QUESTION, []);
  return rows[0]?.reason ?? null;
}
