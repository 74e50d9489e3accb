/** A process at work on the queues: a worker for each, woken by whoever asks, by other processes and by the clock. */
import { randomUUID } from "node:crypto";
import type { PgBoss } from "pg-boss";
import type { Database } from "./open.ts";
import { createJobClaims, type JobClaims } from "./queue-claims.ts";
import { watchDueJobs } from "./queue-due.ts";
import { showPresence } from "./queue-presence.ts";
import { createWorker, type JobRun, type Worker, type WorkerOptions } from "./queue-worker.ts";

/** How often we look for what others put into the queue, where they can tell us of it and where they cannot. */
const LOOK_EVERY_MS = { told: 10_000, untold: 3_000 } as const;
/** What is expected is in a transaction that is yet to be committed. */
const COMMIT_MS = 50;
/** How often we look for processes that are gone. */
const LOST_EVERY_MS = 20_000;

/** A queue, and what its jobs are run by. */
export type QueueToWork = { readonly options: WorkerOptions; readonly run: JobRun };

export type Work = {
  /** Has the queue's jobs fetched now. */
  wake(name: string): void;
  /** Has them fetched after so long. */
  expect(name: string, inMs: number): void;
  stop(graceMs: number): Promise<void>;
};

type WorkPorts = {
  readonly database: Database;
  readonly boss: PgBoss;
  readonly onError: (error: Error) => void;
};

export async function startWork(queues: readonly QueueToWork[], ports: WorkPorts): Promise<Work> {
  const { database, boss, onError } = ports;
  const id = randomUUID();
  const workers = new Map<string, Worker>();
  const wake = (name: string) => workers.get(name)?.wake();
  const wakeAll = () => void [...workers.keys()].map(wake);

  const hearing = { onError, onNotice: (name: string) => (workers.has(name) ? wake(name) : wakeAll()) };
  const presence = await showPresence(database, id, hearing);
  const taken = () => Object.fromEntries([...workers].map(([name, worker]) => [name, worker.taken()]));
  const claims = presence === null ? null : createJobClaims({ database, boss, id, presence, taken, onError });
  const onTaken = () => claims?.note();
  const dueJobs = watchDueJobs({
    sql: database.sql,
    schema: database.queueSchema,
    queues: queues.map(({ options }) => options.name),
    lookEveryMs: presence?.hears ? LOOK_EVERY_MS.told : LOOK_EVERY_MS.untold,
    onDue: wake,
    onLost: () => boss.supervise(),
    onError,
  });
  for (const { options, run } of queues) {
    workers.set(options.name, createWorker(options, { boss, onError, onTaken, onFailed: dueJobs.look }, run));
  }
  const stopSearch = claims === null ? () => {} : searchLost(claims, { onGiven: dueJobs.look, onError });

  return {
    wake,
    expect: (name, inMs) => dueJobs.in(name, inMs + COMMIT_MS),
    async stop(graceMs) {
      stopSearch();
      await Promise.all([dueJobs.stop(), ...[...workers.values()].map((worker) => worker.stop(graceMs))]);
      await claims?.close().catch(onError);
      await presence?.close();
    },
  };
}

/** Gives back what processes that are gone had in hand, now and from time to time. @returns what ends it */
function searchLost(claims: JobClaims, { onGiven, onError }: SearchPorts): () => void {
  let stopped = false;
  let searching = false;
  const search = async () => {
    if (searching) return;
    searching = true;
    try {
      if ((await claims.giveBackLost()) > 0) onGiven();
    } catch (error) {
      if (!stopped) onError(error as Error);
    } finally {
      searching = false;
    }
  };
  void search();
  const timer = setInterval(search, LOST_EVERY_MS);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}

type SearchPorts = { readonly onGiven: () => void; readonly onError: (error: Error) => void };
