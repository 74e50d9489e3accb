/** Another session on the same database, which takes the locks of the program in the opposite order. */
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { RECIPIENTS } from "./job.ts";
import { until } from "./until.ts";

/** The order of locks that leads to a deadlock with one kind of the program's transactions. */
export type LockOrder = {
  /** Blocks the statement below. */
  readonly first: string;
  /** Beginning of the statement at which the program then waits. */
  readonly blocked: string;
  /** Asks for what the program holds by then. */
  readonly second: string;
};

/** A sync holds the lock of its watch when it writes its events. */
export const AGAINST_RECORDING: LockOrder = {
  first: "LOCK TABLE event IN SHARE MODE",
  blocked: "INSERT INTO event",
  second: "SELECT FROM watch FOR UPDATE",
};

/** A mail that is let through holds the lock of its recipient. */
export const AGAINST_RELEASE: LockOrder = {
  first: "LOCK TABLE notification IN SHARE MODE",
  blocked: "UPDATE notification n SET kind",
  second: RECIPIENTS.map((name) => `SELECT pg_advisory_xact_lock(hashtextextended('recipient ${name}', 0))`).join("; "),
};

/** Resolves when a transaction of the program was the victim of a deadlock. */
export async function deadlock(url: string, order: LockOrder): Promise<void> {
  const [rival, onlooker] = [await connect(url), await connect(url)];
  try {
    // Whose time comes first is the victim. That of the program is the server's own second.
    await rival.query("SET deadlock_timeout = '1min'");
    await until("a deadlock", () => collide(rival, onlooker, order));
  } finally {
    await rival.end();
    await onlooker.end();
  }
}

/** @returns whether it came to that: the program need not do just now what it is waited for */
async function collide(rival: Client, onlooker: Client, { first, blocked, second }: LockOrder): Promise<boolean> {
  await rival.query("BEGIN");
  try {
    await rival.query(first);
    for (const endsAt = Date.now() + 700; Date.now() < endsAt; await delay(20)) {
      if (!(await waitsForLock(onlooker, blocked))) continue;
      // Not where the program does not hold what is asked for, as the row of a watch that it is only making.
      return await mustWait(rival, onlooker, second);
    }
    return false;
  } finally {
    await rival.query("ROLLBACK");
  }
}

/** Whether the statement, which is run to its end, had to wait for a lock meanwhile. */
async function mustWait(client: Client, onlooker: Client, statement: string): Promise<boolean> {
  let done = false;
  const ran = client.query(statement).finally(() => {
    done = true;
  });
  ran.catch(() => {});
  let waited = false;
  while (!done && !waited) waited = await waitsForLock(onlooker, statement);
  await ran;
  return waited;
}

/** @param statement its beginning */
async function waitsForLock(onlooker: Client, statement: string): Promise<boolean> {
  const { rowCount } = await onlooker.query(
    `SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND starts_with(ltrim(query, E' \\n'), $1) AND wait_event_type = 'Lock'`,
    [statement],
  );
  return (rowCount ?? 0) > 0;
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: "faults" });
  await client.connect();
  return client;
}
