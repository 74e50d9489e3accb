/**
 * Makes time pass for what waits in the database.
 *
 * Waiting is kept as instants in rows, so the database's side can shorten it: the program is not touched, and knows of
 * nothing. A process that was killed is noticed by the missing heartbeats of its jobs, after half a minute.
 */
import type { Client } from "pg";
import { PgBoss } from "pg-boss";
import { until } from "./until.ts";

/**
 * Lets the minute pass after which the jobs of processes that died are given to others.
 *
 * Nobody else may be at work. The queue's own supervision decides what is lost: only the rows' instants are older.
 */
export async function passDeath(client: Client, url: string): Promise<void> {
  await until("the sessions of the dead process to end", async () => (await otherSessions(client)) === 0);
  const { rows } = await client.query("SELECT to_regclass('pgboss.job') IS NULL AS bare");
  if (rows[0].bare) return;
  await passLease(client, url);
  await client.query("UPDATE pgboss.job SET start_after = now() WHERE state = 'retry' AND start_after > now()");
}

/**
 * Lets every job at work lose its heartbeat, also those of processes that live: they must be able to bear it.
 *
 * Not those that a paused process has locked.
 */
export async function passLease(client: Client, url: string): Promise<void> {
  await unlessLocked(async () => {
    await client.query(`
      UPDATE pgboss.job SET heartbeat_on = heartbeat_on - interval '1 minute', started_on = started_on - interval '1 minute'
      WHERE state = 'active'`);
    await client.query(`
      UPDATE pgboss.queue SET monitor_on = monitor_on - interval '1 minute',
        monitor_claim_on = monitor_claim_on - interval '1 minute'`);
  });
  await supervise(url);
}

/** What any replica of the queue does every few seconds. */
async function supervise(connectionString: string): Promise<void> {
  const boss = new PgBoss({
    connectionString,
    ...LOCK_PATIENCE,
    schema: "pgboss",
    supervise: false,
    schedule: false,
    max: 1,
  });
  boss.on("error", () => {});
  await boss.start();
  await unlessLocked(() => boss.supervise());
  await boss.stop({ graceful: false, close: true });
}

/**
 * For connections that turn the clock: a process that is paused keeps the locks of its transaction until it goes on,
 * and whoever waits for them cannot be the one who lets it.
 */
export const LOCK_PATIENCE = { lock_timeout: 500 } as const;

/** Moves everything that waits for its time so much nearer to it, in one statement; later where that gets in the way. */
export async function passTime(client: Client, seconds: number): Promise<void> {
  // In whole milliseconds, so that a mail and its job go on being due at the same instant.
  const now = "date_trunc('milliseconds', now())";
  const nearer = (column: string) => `${column} = greatest(${now}, ${column} - make_interval(secs => $1))`;
  const statement = `
    WITH jobs AS (
      UPDATE pgboss.job SET ${nearer("start_after")} WHERE state < 'active' AND start_after > now()
    ), relays AS (
      UPDATE relay SET ${nearer("next_probe_at")}, probing_until = probing_until - make_interval(secs => $1)
      WHERE next_probe_at > now() OR probing_until > now()
    )
    UPDATE notification SET ${nearer("next_attempt_at")} WHERE state = 'pending' AND next_attempt_at > now()`;
  await unlessLocked(() => client.query(statement, [seconds]));
}

const DEADLOCK = "40P01";
const LOCK_NOT_AVAILABLE = "55P03";

async function unlessLocked(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== DEADLOCK && code !== LOCK_NOT_AVAILABLE) throw error;
  }
}

async function otherSessions(client: Client): Promise<number> {
  const { rows } = await client.query(`
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`);
  return rows[0].count;
}
