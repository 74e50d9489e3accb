/** Makes the queue's own tables, and starts it so that nothing of it stays behind where that fails. */

import type { ClientBase, PoolConfig } from "pg";
import { type ConstructorOptions, PgBoss } from "pg-boss";
import { grantUse } from "./grants.ts";
import { makeSchema, underLock, whereTablesAreMade } from "./migrate.ts";
import { type Database, IDLE_CONNECTION_MS } from "./open.ts";
import { type Connection, connect } from "./server.ts";

type Pooled = PoolConfig & { readonly onConnect: (client: ClientBase) => Promise<unknown> };

/** What the queue is opened with, wherever. It passes all of the connection on to its pool, although its types do not say so. */
export function queueOptions({ queueSchema }: Pick<Database, "queueSchema">, connection: Pooled): ConstructorOptions {
  return {
    ...({ ...connection, idleTimeoutMillis: IDLE_CONNECTION_MS } as ConstructorOptions),
    schema: queueSchema,
    createSchema: false,
    application_name: "invitewatch-queue",
    schedule: false,
    registerInstance: false,
  };
}

/** @param stop ends the wait for another process. @throws DatabaseError */
export async function setUpQueue(database: Database, stop?: AbortSignal): Promise<void> {
  await whereTablesAreMade(database, stop, async (connection) => {
    // Where another makes the tables, the user may not even be allowed to look yet.
    if (database.direct !== null || !(await hasTables(database))) await makeQueueSchema(database, connection, stop);
    if (database.direct === null) return;
    const pooled = { ...connection, onConnect: connection.prepare };
    const boss = new PgBoss({ ...queueOptions(database, pooled), max: 1, supervise: false });
    boss.on("error", () => {});
    await startOrClose(boss);
    await boss.stop({ graceful: false });
    await grantUse(database, connection, stop);
  });
}

/** Starts it; where it does not, closes what it has opened: its connections would keep the process alive. */
export async function startOrClose(boss: PgBoss): Promise<void> {
  try {
    await boss.start().catch((error) => {
      if (!RACES.includes(error?.code)) throw error;
      // Another process made the tables in the same moment, which the queue tells by words in English.
      return boss.start();
    });
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => {});
    throw error;
  }
}

/** duplicate_schema, duplicate_table, duplicate_object, unique_violation, division_by_zero */
const RACES = ["42P06", "42P07", "42710", "23505", "22012"];

async function hasTables({ sql, queueSchema }: Database): Promise<boolean> {
  const { rows } = await sql.query<{ found: boolean }>("SELECT to_regclass($1) IS NOT NULL AS found", [
    `${queueSchema}.version`,
  ]);
  return rows[0]?.found === true;
}

async function makeQueueSchema({ queueSchema }: Database, connection: Connection, stop?: AbortSignal): Promise<void> {
  const client = await connect(connection, stop);
  try {
    await underLock(client, () => makeSchema(client, queueSchema.replaceAll('"', "")));
  } finally {
    await client.end().catch(() => {});
  }
}
