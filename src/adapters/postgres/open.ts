/** Opens the database that DATABASE_URL names: a Postgres server, or the embedded one on a folder. */
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { PrismaPg } from "@prisma/adapter-pg";
import { type ClientBase, escapeIdentifier, Pool, type PoolConfig, type QueryResultRow } from "pg";
import { PrismaClient } from "../../generated/prisma/client.ts";
import { asDatabaseError, blaming, DatabaseError, NOTHING_HEARD, where } from "./database-error.ts";
import { EMBEDDED_SCHEME, type Embedded, openEmbedded, type Role } from "./embedded.ts";
import {
  ask,
  type Connection,
  connectionTo,
  lookAt,
  PATIENCE,
  refuseUnreadable,
  refuseUnwritable,
  type Server,
} from "./server.ts";
import { type Target, targetOf } from "./target.ts";

/** Runs one statement with its values, without Prisma in between: for statements of which there are many. */
export type Sql = {
  query<Row extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<{ readonly rows: Row[] }>;
};

export type Database = {
  readonly prisma: PrismaClient;
  /** Over the same connections. */
  readonly sql: Sql;
  /** For whoever needs connections of its own. */
  readonly connection: Connection & { readonly onConnect: Connection["prepare"] };
  readonly server: Server;
  /** Where all of ours is, apart from the queue. */
  readonly schema: string;
  /** Where the queue is, as an identifier: another for each schema, so that no installation takes another's jobs. */
  readonly queueSchema: string;
  readonly embedded: boolean;
  /** What tables are made over, where that is not the same way; looked at when first asked for. @throws DatabaseError */
  readonly direct: ((stop?: AbortSignal) => Promise<Connection>) | null;
  /** @throws DatabaseError where not everything can be written, which waiting cannot help */
  requireWritable(): void;
  close(): Promise<void>;
};

export type OpenOptions = {
  /** DATABASE_DIRECT_URL. */
  readonly directUrl?: string | null;
  /** Ends the wait for a database that does not answer. */
  readonly stop?: AbortSignal;
  /** After how long without a word from the server a daemon gives up a statement, and its connection. */
  readonly silenceMs?: number;
};

/** The setting that names the connection by which tables are made. */
export const DIRECT_URL = "DATABASE_DIRECT_URL";
const POOL_SIZE = 10;
/** Connecting anew costs more statements than a daemon needs at rest. Shorter than what is taken for silence. */
export const IDLE_CONNECTION_MS = 50_000;
/** No statement of a daemon thinks for so long without a byte; the operating system would wait for a quarter of an hour. */
const SILENCE_MS = 60_000;

/** @throws DatabaseError when the database cannot be opened, reached or used */
export async function openDatabase(url: string, role: Role, options: OpenOptions = {}): Promise<Database> {
  const { silenceMs = SILENCE_MS, stop } = options;
  const way = url.startsWith(EMBEDDED_SCHEME)
    ? await openFolder(url.slice(EMBEDDED_SCHEME.length), role, stop)
    : await openServer(url, options);
  const { server, schema, embedded } = way;
  const connection = {
    ...way.connection,
    async onConnect(client: ClientBase) {
      if (role === "daemon" && embedded === null) breakWhenSilent(client, silenceMs);
      await way.connection.prepare(client);
    },
  };
  const pool = createPool(connection);
  // Prisma keeps plans by statement and parameters: of statements that carry rows by the hundred none comes twice.
  const adapter = new PrismaPg(pool, { schema: withinQuotes(schema) });
  const prisma = new PrismaClient({ adapter, queryPlanCacheMaxSize: 0 });
  return {
    prisma,
    sql: { query: (text, values) => pool.query(text, [...values]) },
    connection,
    server,
    schema,
    queueSchema: queueSchemaBeside(schema),
    embedded: embedded !== null,
    direct: way.direct,
    requireWritable: () => refuseUnwritable(server, where(connection)),
    async close() {
      await prisma.$disconnect();
      await pool.end();
      await embedded?.close();
    },
  };
}

/** Prisma puts the name into quotes as it is. */
function withinQuotes(name: string): string {
  return name.replaceAll('"', '""');
}

type Way = Pick<Database, "server" | "schema" | "direct"> & {
  readonly connection: Connection;
  readonly embedded: Embedded | null;
};

async function openServer(url: string, { directUrl, stop }: OpenOptions): Promise<Way> {
  const target = targetOf(url);
  const beside = directUrl == null ? null : await blaming(DIRECT_URL, () => targetOf(directUrl));
  const named = oneSchema(target, beside);
  const server = await lookAt({ ...target, schema: named }, stop);
  refuseUnreadable(server, { schema: named });
  const schema = named ?? server.schema ?? "public";
  return {
    connection: connectionTo(target, { ...server, schema }),
    server,
    schema,
    embedded: null,
    direct: beside === null ? null : (signal) => openDirect({ ...beside, schema }, server, signal),
  };
}

/** @throws DatabaseError where they name different ones */
function oneSchema({ schema }: Target, beside: Target | null): string | null {
  const other = beside?.schema ?? null;
  if (schema === null || other === null || schema === other) return schema ?? other;
  const message = `DATABASE_URL names the schema ${schema}, and DATABASE_DIRECT_URL ${other}; name one in both.`;
  throw new DatabaseError(message, { permanent: true });
}

async function openDirect(target: Target & { schema: string }, { database }: Server, stop?: AbortSignal) {
  const server = await blaming(DIRECT_URL, async () => {
    const seen = await lookAt(target, stop);
    refuseUnreadable(seen, target);
    refuseUnwritable(seen, where(target.address));
    return seen;
  });
  if (server.database !== database) {
    const message = `DATABASE_DIRECT_URL leads to the database ${server.database}, and DATABASE_URL to ${database}; name the same one in both.`;
    throw new DatabaseError(message, { permanent: true });
  }
  return connectionTo(target, { ...server, schema: target.schema });
}

async function openFolder(folder: string, role: Role, stop?: AbortSignal): Promise<Way> {
  const embedded = await openEmbedded(folder, role, stop);
  // Prisma's adapter writes and reads instants without their offset.
  const prepare = (client: ClientBase) => client.query("SET TIME ZONE 'UTC'");
  const connection = { ...PATIENCE, ...embedded.connection, ssl: false, prepare, lock: embedded.lock };
  try {
    // All its connections are one session, so that to take it for shared would be right, and of no use.
    const server = { ...(await ask(connection, stop)), shared: false };
    return { connection, server, schema: server.schema ?? "public", embedded, direct: null };
  } catch (error) {
    await embedded.close();
    throw asDatabaseError(error, where(connection));
  }
}

const LONGEST_QUEUE_SCHEMA = 50;

/** As the queue takes it: in quotes where it needs them, and not longer than it allows. */
function queueSchemaBeside(schema: string): string {
  if (schema === "public") return "pgboss";
  const name = `pgboss_${schema}`;
  if (Buffer.byteLength(name) > LONGEST_QUEUE_SCHEMA || /["'%$.\\\p{Cc}]/u.test(name)) {
    return `pgboss_${createHash("sha256").update(schema).digest("hex").slice(0, 32)}`;
  }
  return /^[a-z0-9_]+$/.test(name) ? name : escapeIdentifier(name);
}

/**
 * A server that vanishes with a statement under way, as at the failover of a whole host, never says so.
 *
 * The connection's own socket is asked, since the driver's `query_timeout` leaves the connection in the pool, still waiting.
 */
function breakWhenSilent(client: ClientBase, silenceMs: number): void {
  const { stream } = (client as ClientBase & { readonly connection: { readonly stream: Socket } }).connection;
  stream.setTimeout(silenceMs, () => stream.destroy(new Error(`${NOTHING_HEARD} for ${silenceMs / 1_000} s`)));
}

function createPool(connection: PoolConfig): Pool {
  const pool = new Pool({ ...connection, max: POOL_SIZE, idleTimeoutMillis: IDLE_CONNECTION_MS });
  // A connection that breaks while nobody uses it is replaced; whoever uses one is told by the query.
  pool.on("error", () => {});
  return pool;
}
