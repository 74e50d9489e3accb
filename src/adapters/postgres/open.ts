/** Opens the database that DATABASE_URL names: a Postgres server, or the embedded one on a folder. */
import { PrismaPg } from "@prisma/adapter-pg";
import { Client, type ClientBase, Pool, type PoolConfig } from "pg";
import { PrismaClient } from "../../generated/prisma/client.ts";
import { DatabaseError } from "./database-error.ts";
import { openEmbedded, type Role } from "./embedded.ts";

export type Database = {
  readonly prisma: PrismaClient;
  /** For whoever needs connections of its own: the queue, migrations. */
  readonly connection: PoolConfig;
  readonly embedded: boolean;
  close(): Promise<void>;
};

const EMBEDDED_SCHEME = "pglite:";
const CONNECT_TIMEOUT_MS = 10_000;
const POOL_SIZE = 10;

/** @throws DatabaseError when the database cannot be opened or reached */
export async function openDatabase(url: string, role: Role): Promise<Database> {
  const embedded = url.startsWith(EMBEDDED_SCHEME) ? await openEmbedded(url.slice(EMBEDDED_SCHEME.length), role) : null;
  const connection: PoolConfig = {
    ...(embedded?.connection ?? { connectionString: url }),
    application_name: "invitewatch",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
  const pool = createPool(connection);
  // Prisma keeps plans by statement and parameters: of statements that carry rows by the hundred none comes twice.
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool), queryPlanCacheMaxSize: 0 });
  return {
    prisma,
    connection,
    embedded: embedded !== null,
    async close() {
      await prisma.$disconnect();
      await pool.end();
      await embedded?.close();
    },
  };
}

/**
 * Connections whose session is in UTC whatever the server's own zone: Prisma's adapter writes and reads instants
 * without their offset.
 */
function createPool(connection: PoolConfig): Pool {
  const onConnect = (client: ClientBase) => client.query("SET TIME ZONE 'UTC'");
  const pool = new Pool({ ...connection, max: POOL_SIZE, onConnect } as PoolConfig);
  // A connection that breaks while nobody uses it is replaced; whoever uses one is told by the query.
  pool.on("error", () => {});
  return pool;
}

/** Resolves when the database answers. @throws DatabaseError with what to do, free of credentials */
export async function reach(database: Pick<Database, "connection">): Promise<void> {
  const client = new Client(database.connection);
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

/** The error as a sentence that says what is wrong with the database and what to do. */
export function asDatabaseError(error: unknown, at: string): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const code = codeOf(error);
  const said = error instanceof Error ? error.message.replaceAll(/\s+/g, " ").trim() : String(error);
  return new DatabaseError(explain(code, at, said), { cause: error });
}

function explain(code: string, at: string, said: string): string {
  if (["ECONNREFUSED", "ENOENT", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EHOSTUNREACH"].includes(code)) {
    return `The database at ${at} cannot be reached (${code}); is it running, and is DATABASE_URL right?`;
  }
  if (code.startsWith("28"))
    return `The database at ${at} refuses the login; check the user and password in DATABASE_URL.`;
  if (code === "P3005") {
    return `The database at ${at} holds tables that are not invitewatch's; create an empty one and name it in DATABASE_URL.`;
  }
  if (code === "3D000") return `The database named in DATABASE_URL does not exist at ${at}; create it first.`;
  if (code === "42P01" || code === "P2021" || code === "42703") {
    return "The database is not set up for this version; run `invitewatch migrate`.";
  }
  return `The database at ${at} failed${code === "" ? "" : ` (${code})`}: ${said}`;
}

/** Host and port of the connection, without login. */
export function where(connection: PoolConfig): string {
  if (connection.connectionString === undefined) return `${connection.host}`;
  const url = URL.parse(connection.connectionString);
  return url === null ? "the given address" : url.host || url.searchParams.get("host") || "the local socket";
}

/** The driver's or the server's code, wherever Prisma has put it; empty where there is none. */
function codeOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { code, meta } = at as {
      code?: unknown;
      meta?: { driverAdapterError?: { cause?: { originalCode?: unknown } } };
    };
    const original = meta?.driverAdapterError?.cause?.originalCode;
    if (typeof original === "string") return original;
    if (at instanceof AggregateError) return codeOf(at.errors[0]);
    if (typeof code === "string" && code !== "P2010") return code;
  }
  return "";
}
