/**
 * Knows when the next job of each queue is due: one statement tells for all of them, however many jobs wait.
 *
 * Nobody is told when the time of a job has come, so this replaces a poll of every queue every few seconds.
 */
import type { Sql } from "./open.ts";

export type DueJobs = {
  /** Wakes the queue's worker after so long. */
  in(name: string, ms: number): void;
  /** Looks now. */
  look(): void;
  stop(): Promise<void>;
};

export type DueJobsPorts = {
  readonly sql: Sql;
  readonly schema: string;
  readonly queues: readonly string[];
  readonly lookEveryMs: number;
  readonly onDue: (name: string) => void;
  /** Told where jobs are under way that nobody has sent a heartbeat for. */
  readonly onLost: () => Promise<unknown>;
  readonly onError: (error: Error) => void;
};

type Row = { readonly name: string; readonly due_in_ms: number | null; readonly lost: boolean };

const LOOK_AFTER_FAILURE_MS = 1_000;

/** Looks at once, and then again and again until it is stopped. */
export function watchDueJobs({ sql, schema, queues, lookEveryMs, onDue, onLost, onError }: DueJobsPorts): DueJobs {
  const timers = new Map<string, { readonly at: number; readonly timer: NodeJS.Timeout }>();
  let stopped = false;
  let looking: Promise<void> | null = null;
  let again = false;
  let next: NodeJS.Timeout | undefined;

  const wakeIn = (name: string, ms: number) => {
    const at = performance.now() + ms;
    const earlier = timers.get(name);
    if (stopped || (earlier !== undefined && earlier.at <= at)) return;
    clearTimeout(earlier?.timer);
    const timer = setTimeout(() => {
      timers.delete(name);
      onDue(name);
    }, ms);
    timers.set(name, { at, timer });
  };

  const lookOnce = async () => {
    clearTimeout(next);
    let nextInMs = lookEveryMs;
    try {
      const { rows } = await sql.query<Row>(dueSql(schema), [queues]);
      for (const { name, due_in_ms: dueInMs } of rows) {
        if (dueInMs !== null && dueInMs <= 0) onDue(name);
        else if (dueInMs !== null && dueInMs < lookEveryMs) wakeIn(name, Math.ceil(dueInMs) + 1);
      }
      if (rows.some(({ lost }) => lost)) {
        await onLost();
        nextInMs = LOOK_AFTER_FAILURE_MS;
      }
    } catch (error) {
      onError(error as Error);
      nextInMs = LOOK_AFTER_FAILURE_MS;
    }
    if (!stopped) next = setTimeout(look, nextInMs);
  };

  const look = () => {
    again = looking !== null;
    if (stopped || looking !== null) return;
    looking = lookOnce().finally(() => {
      looking = null;
      if (again) look();
    });
  };

  look();
  return {
    in: wakeIn,
    look,
    async stop() {
      stopped = true;
      clearTimeout(next);
      for (const { timer } of timers.values()) clearTimeout(timer);
      await looking;
      clearTimeout(next);
    },
  };
}

/** Of each queue: when its first waiting job is due, by the database's clock, and whether one in hand has lost its worker. */
function dueSql(schema: string): string {
  const first = (state: string) => `
    (SELECT min(start_after) FROM ${schema}.job j WHERE j.name = q.name AND j.state = '${state}' AND NOT j.blocked)`;
  return `
    SELECT q.name,
      (extract(epoch FROM least(${first("created")}, ${first("retry")}) - now()) * 1000)::float8 AS due_in_ms,
      EXISTS (
        SELECT FROM ${schema}.job j
        WHERE j.name = q.name AND j.state = 'active' AND j.heartbeat_on + j.heartbeat_seconds * interval '1 s' < now()
      ) AS lost
    FROM unnest($1::text[]) AS q(name)`;
}
