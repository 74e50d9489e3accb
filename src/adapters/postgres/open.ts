/** Opens the database that DATABASE_URL names: a Postgres server, or the embedded one on a folder. */
import type { Socket } from "node:net";
import { PrismaPg } from "@prisma/adapter-pg";
import { Client, type ClientBase, Pool, type PoolConfig, type QueryResultRow } from "pg";
import { PrismaClient } from "../../generated/prisma/client.ts";
import { asDatabaseError, DatabaseError, NOTHING_HEARD, where } from "./database-error.ts";
import { openEmbedded, type Role } from "./embedded.ts";

/** How to connect, and what a pool does with each connection that it makes. */
export type Connection = PoolConfig & {
  readonly onConnect: (client: ClientBase) => Promise<unknown>;
  /** Where Postgres' own locks keep nobody out: does the work while no other process does such work. */
  readonly alone?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Where there are no sessions that end with their process: a lock that does. Null where another process has it. */
  readonly lock?: (name: string) => (() => void) | null;
};

/** Runs one statement with its values, without Prisma in between: for statements of which there are many. */
export type Sql = {
  query<Row extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<{ readonly rows: Row[] }>;
};

export type Database = {
  readonly prisma: PrismaClient;
  /** Over the same connections. */
  readonly sql: Sql;
  /** For whoever needs connections of its own: the queue, migrations. */
  readonly connection: Connection;
  readonly embedded: boolean;
  close(): Promise<void>;
};

const EMBEDDED_SCHEME = "pglite:";
const CONNECT_TIMEOUT_MS = 10_000;
const POOL_SIZE = 10;
/** Connecting anew costs more statements than a daemon needs at rest. Shorter than what is taken for silence. */
export const IDLE_CONNECTION_MS = 50_000;
/** A server that is gone without a word is noticed some ten seconds after this. */
const KEEP_ALIVE_AFTER_MS = 10_000;
/** Less than others wait for a lock of ours (see the time of a transaction), and more than we ever think in one. */
const IDLE_IN_TRANSACTION_MS = 25_000;
/** No statement of a daemon thinks for so long without a byte; the operating system would wait for a quarter of an hour. */
const SILENCE_MS = 60_000;

/**
 * @param silenceMs after how long without a word from the server a daemon gives up a statement, and its connection
 * @throws DatabaseError when the database cannot be opened or reached
 */
export async function openDatabase(url: string, role: Role, silenceMs = SILENCE_MS): Promise<Database> {
  const embedded = url.startsWith(EMBEDDED_SCHEME) ? await openEmbedded(url.slice(EMBEDDED_SCHEME.length), role) : null;
  const connection: Connection = {
    ...(embedded === null
      ? { connectionString: url }
      : { ...embedded.connection, alone: embedded.alone, lock: embedded.lock }),
    application_name: "invitewatch",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    onConnect(client) {
      if (embedded !== null) return client.query(IN_UTC);
      if (role === "daemon") breakWhenSilent(client, silenceMs);
      return client.query(`${IN_UTC}; ${LIMITS}`);
    },
  };
  const pool = createPool(connection);
  // Prisma keeps plans by statement and parameters: of statements that carry rows by the hundred none comes twice.
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool), queryPlanCacheMaxSize: 0 });
  return {
    prisma,
    sql: { query: (text, values) => pool.query(text, [...values]) },
    connection,
    embedded: embedded !== null,
    async close() {
      await prisma.$disconnect();
      await pool.end();
      await embedded?.close();
    },
  };
}

/** Whatever the server's own zone: Prisma's adapter writes and reads instants without their offset. */
const IN_UTC = "SET TIME ZONE 'UTC'";

/**
 * What a process that is paused, or a host that is gone, holds locked is free again within half a minute.
 *
 * A stricter limit that is set already (by the server, the role or DATABASE_URL) stands.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT
 */
const LIMITS = `
  SELECT set_config('idle_in_transaction_session_timeout', least(${IDLE_IN_TRANSACTION_MS},
    nullif(extract(epoch FROM current_setting('idle_in_transaction_session_timeout')::interval) * 1000, 0))::int::text, false);
  SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
  SET tcp_user_timeout = ${IDLE_IN_TRANSACTION_MS}`;

/**
 * A server that vanishes with a statement under way, as at the failover of a whole host, never says so.
 *
 * The connection's own socket is asked, since the driver's `query_timeout` leaves the connection in the pool, still waiting.
 */
function breakWhenSilent(client: ClientBase, silenceMs: number): void {
  const { stream } = (client as ClientBase & { readonly connection: { readonly stream: Socket } }).connection;
  stream.setTimeout(silenceMs, () => stream.destroy(new Error(`${NOTHING_HEARD} for ${silenceMs / 1_000} s`)));
}

function createPool(connection: Connection): Pool {
  const pool = new Pool({ ...connection, max: POOL_SIZE, idleTimeoutMillis: IDLE_CONNECTION_MS } as PoolConfig);
  // A connection that breaks while nobody uses it is replaced; whoever uses one is told by the query.
  pool.on("error", () => {});
  return pool;
}

/** A connection of its own. One that breaks while nobody uses it is told of by the next statement. */
export function createClient(connection: PoolConfig): Client {
  const client = new Client(connection);
  client.on("error", () => {});
  return client;
}

/** Resolves when the database answers. @throws DatabaseError with what to do, free of credentials */
export async function reach(database: Pick<Database, "connection">): Promise<void> {
  const client = createClient(database.connection);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: number }>(
      "SELECT current_setting('server_version_num')::int AS version",
    );
    const version = rows[0]?.version ?? 0;
    if (version < 150_000) {
      const message = `Postgres ${Math.floor(version / 10_000)} is too old; invitewatch needs Postgres 15 or newer.`;
      throw new DatabaseError(message, { permanent: true });
    }
  } catch (error) {
    throw asDatabaseError(error, where(database.connection));
  } finally {
    await client.end().catch(() => {});
  }
}
