/**
 * How a process that works on the queue shows that it lives, so that others know at once when it is gone.
 *
 * On a Postgres server it is a session that carries the process' id in its name and ends with the process; over it,
 * the process also hears of new mail. On the embedded database it is a lock on a file. Behind a pooler nothing can be
 * known: there is no presence then, and a job is taken over when its heartbeat has been missing for a while.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import type { Database } from "./open.ts";
import { type Connection, createClient } from "./server.ts";

export type Presence = {
  /** Of these processes the ones that are surely gone. */
  gone(ids: readonly string[]): Promise<readonly string[]>;
  /** Whether notifications are heard, while the session lasts. */
  readonly hears: boolean;
  close(): Promise<void>;
};

export const CHANNEL = "invitewatch_queue";
const NAME = "invitewatch-worker";
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 1_000;
/** A process whose session broke makes another within this, and is not taken for dead before. */
const GRACE_MS = 3_000;
/** To a server that has just started all have to come back. */
const SERVER_GRACE_MS = 10_000;

export type Hearing = { onNotice(payload: string): void; onError(error: Error): void };

/** Null where others could not know whether the process lives. */
export async function showPresence(database: Database, id: string, hearing: Hearing): Promise<Presence | null> {
  const { connection, server, direct } = database;
  if (connection.lock !== undefined) return lockFile(connection.lock, id);
  if (!server.shared) return openSession(connection, database, id, hearing);
  // Past the pooler, where there is such a way.
  return direct === null ? null : openSession(await direct(), database, id, hearing);
}

function lockFile(lock: (name: string) => (() => void) | null, id: string): Presence | null {
  const fileOf = (worker: string) => `worker-${worker}`;
  const unlock = lock(fileOf(id));
  if (unlock === null) return null;
  const isGone = (worker: string) => {
    const taken = worker === id ? null : lock(fileOf(worker));
    taken?.();
    return taken !== null;
  };
  return { hears: false, gone: async (ids) => ids.filter(isGone), close: async () => unlock() };
}

async function openSession(
  connection: Connection,
  { sql }: Database,
  id: string,
  hearing: Hearing,
): Promise<Presence | null> {
  const session = await keepSession({ ...connection, application_name: `${NAME} ${id}` }, hearing);
  if (session === null) return null;
  const closing = new AbortController();
  const absent = async (ids: readonly string[]) => {
    const { rows } = await sql.query<{ id: string; server_age_ms: number }>(ABSENT, [ids, NAME]);
    return { ids: rows.map((row) => row.id), serverAgeMs: rows[0]?.server_age_ms ?? 0 };
  };
  return {
    hears: true,
    async gone(ids) {
      const missing = await absent(ids);
      if (missing.ids.length === 0) return [];
      const waitMs = Math.max(GRACE_MS, SERVER_GRACE_MS - missing.serverAgeMs);
      await delay(waitMs, undefined, { signal: closing.signal, ref: false });
      return (await absent(missing.ids)).ids;
    },
    async close() {
      closing.abort();
      await session.close();
    },
  };
}

/**
 * Which of the processes $1 have no session. Others' names are shown to every role.
 *
 * Of a server that was a standby nothing is concluded: nobody may have noticed yet that it took the other's place.
 */
const ABSENT = `
  SELECT id, (extract(epoch FROM now() - pg_postmaster_start_time()) * 1000)::float8 AS server_age_ms
  FROM unnest($1::text[]) AS known(id)
  WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $2 || ' ' || id)
    AND pg_last_wal_receive_lsn() IS NULL`;

/** A session that is made anew whenever it breaks. Null where a pooler stands between, which has sessions of its own. */
async function keepSession(config: Connection, { onNotice, onError }: Hearing) {
  let closed = false;
  let client: Client | null = null;

  const connect = async (): Promise<boolean> => {
    const next = createClient(config);
    next.on("notification", ({ payload }) => onNotice(payload ?? ""));
    next.once("end", () => {
      if (client === next) void connectAgain();
    });
    try {
      await next.connect();
      await config.prepare(next);
      if (closed || !(await isDirect(next))) {
        await next.end();
        return false;
      }
      await next.query(`LISTEN ${CHANNEL}`);
    } catch (error) {
      await next.end().catch(() => {});
      throw error;
    }
    client = next;
    return true;
  };
  const connectAgain = async () => {
    client = null;
    for (let waitMs = FIRST_RETRY_MS; !closed; waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS)) {
      try {
        if (await connect()) onNotice("");
        return;
      } catch (error) {
        onError(error as Error);
        await delay(waitMs, undefined, { ref: false });
      }
    }
  };

  if (!(await connect())) return null;
  return {
    async close() {
      closed = true;
      const last = client;
      client = null;
      await last?.end().catch(() => {});
    },
  };
}

/** Whether the server knows the session by the number that we were given: a pooler gives numbers of its own. */
async function isDirect(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return rows[0]?.pid === (client as Client & { readonly processID: number | null }).processID;
}
