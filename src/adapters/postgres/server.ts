/** Looks at a server before anything is asked of it: what it is, which schema is ours, whether its sessions are. */
import { Client, type ClientBase, type PoolConfig } from "pg";
import { asDatabaseError, DatabaseError, where } from "./database-error.ts";
import { asOptions, asTransaction, MARK, type Session, settingsOf } from "./session.ts";
import { keepToTransactions } from "./shared-session.ts";
import type { Target } from "./target.ts";

export type Server = {
  readonly database: string;
  readonly user: string;
  /** As `server_version_num` has it. */
  readonly version: number;
  readonly encoding: string;
  /** Why nothing can be written: it is a standby, or `default_transaction_read_only` is on; null where it can. */
  readonly readOnly: "standby" | "setting" | null;
  /** The first schema of the search path that exists and that the user may use. */
  readonly schema: string | null;
  /** Whether its sessions are shared, as behind a pooler: nothing may outlive a transaction. */
  readonly shared: boolean;
};

/** How to connect, and what makes a connection ready for use. */
export type Connection = PoolConfig & {
  /** Where the database is, as messages name it, if that is not host and port. */
  readonly at?: string;
  readonly prepare: (client: ClientBase) => Promise<unknown>;
  /** Where there are no sessions that end with their process: a lock that does. Null where another process has it. */
  readonly lock?: (name: string) => (() => void) | null;
};

const CONNECT_TIMEOUT_MS = 10_000;
/** A server that is gone without a word is noticed some ten seconds after this. */
const KEEP_ALIVE_AFTER_MS = 10_000;

/** As `server_version_num` has it. */
const OLDEST_VERSION = 150_000;

export const PATIENCE = {
  application_name: "invitewatch",
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
} as const satisfies PoolConfig;

/**
 * A connection of its own. One that breaks while nobody uses it is told of by the next statement.
 *
 * @param stop breaks it, whatever it waits for
 */
export async function connect(connection: Connection, stop?: AbortSignal): Promise<Client> {
  stop?.throwIfAborted();
  const client = createClient(connection);
  const drop = () => client.connection.stream.destroy(stop?.reason as Error);
  stop?.addEventListener("abort", drop);
  client.once("end", () => stop?.removeEventListener("abort", drop));
  try {
    await client.connect();
    await connection.prepare(client);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/** A client that is yet to connect. One that breaks while nobody uses it is told of by the next statement. */
export function createClient(connection: Connection): Client {
  const client = new ((connection.Client as typeof Client | undefined) ?? Client)(connection);
  client.on("error", () => {});
  return client;
}

/** The way to connect for sessions with our settings. */
export function connectionTo({ address, options }: Target, session: Omit<Session, "given">): Connection {
  const settings = settingsOf({ ...session, given: options.given });
  const words = [options.rest, session.shared ? "" : asOptions(settings)].filter((word) => word !== "");
  const opening = asTransaction(settings);
  return {
    ...PATIENCE,
    ...address,
    ...(words.length > 0 && { options: words.join(" ") }),
    async prepare(client) {
      if (session.shared) keepToTransactions(client, opening);
    },
  };
}

/**
 * What a connection is refused with for its `options`: by PgBouncer, for a setting that the server does not know, and
 * for one that the user may not set.
 *
 * @see https://www.pgbouncer.org/config.html#ignore_startup_parameters
 */
const REFUSES_OPTIONS = ["08P01", "42704", "42501", "22023"];

/** @throws DatabaseError */
export async function lookAt(target: Target, stop?: AbortSignal): Promise<Server> {
  const session = { schema: target.schema };
  try {
    const own = connectionTo(target, { ...session, version: OLDEST_VERSION, shared: false });
    const server = await ask(own, stop).catch((error) => {
      if (REFUSES_OPTIONS.includes(error?.code)) return null;
      throw error;
    });
    if (server !== null && !server.shared) return server;
    return { ...(await ask(connectionTo(target, { ...session, version: 0, shared: true }), stop)), shared: true };
  } catch (error) {
    throw asDatabaseError(error, where(target.address));
  }
}

const QUESTION = `
  SELECT current_database() AS database, current_user::text AS "user",
    current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
    CASE WHEN pg_is_in_recovery() THEN 'standby'
      WHEN current_setting('transaction_read_only')::boolean THEN 'setting' END AS "readOnly",
    current_schema()::text AS schema, pg_backend_pid() AS pid, current_setting('${MARK.name}', true) AS mark`;

/** What any connection finds. */
export async function ask(connection: Connection, stop?: AbortSignal): Promise<Server> {
  const client = await connect(connection, stop);
  try {
    const { rows } = await client.query<Server & { pid: number; mark: string | null }>(QUESTION);
    const [row] = rows;
    if (row === undefined) throw new DatabaseError("The database answers with nothing.");
    const { pid, mark, ...server } = row;
    // A pooler hands out process ids of its own, for cancel requests to come by.
    return { ...server, shared: processIdOf(client) !== pid || mark !== MARK.value };
  } finally {
    await client.end().catch(() => {});
  }
}

/** Missing from the driver's types. */
function processIdOf(client: Client): unknown {
  return (client as unknown as { readonly processID: unknown }).processID;
}

/** @throws DatabaseError where nothing can be read from it */
export function refuseUnreadable({ version, schema, user }: Server, target: Pick<Target, "schema">): void {
  if (version < OLDEST_VERSION) {
    const message = `Postgres ${Math.floor(version / 10_000)} is too old; invitewatch needs Postgres 15 or newer.`;
    throw new DatabaseError(message, { permanent: true });
  }
  if (schema !== null || target.schema !== null) return;
  const message = `The search path of the user ${user} names no schema that exists and that the user may use; create one, or name another with ?schema=NAME in DATABASE_URL.`;
  throw new DatabaseError(message, { permanent: true });
}

/** @throws DatabaseError where nothing can be written to it, or not everything */
export function refuseUnwritable({ database, encoding, readOnly }: Server, at: string): void {
  if (encoding !== "UTF8") {
    const message = `The database ${database} at ${at} is encoded in ${encoding}, which does not hold every text; create one in UTF-8 (CREATE DATABASE invitewatch TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'), and name it in DATABASE_URL.`;
    throw new DatabaseError(message, { permanent: true });
  }
  if (readOnly === null) return;
  const message =
    readOnly === "standby"
      ? `The database at ${at} is read-only: it is a standby. Name the primary in DATABASE_URL.`
      : `The database at ${at} is read-only: default_transaction_read_only is on for it or its user (some providers turn it on when the disk is full). Turn it off, or name another database in DATABASE_URL.`;
  throw new DatabaseError(message, { permanent: true });
}
