/** A process at work on the queues: a worker for each, woken by whoever asks, by other processes and by the clock. */
import { randomUUID } from "node:crypto";
import type { PgBoss } from "pg-boss";
import type { Database } from "./open.ts";
import { watchDueJobs } from "./queue-due.ts";
import { showPresence } from "./queue-presence.ts";
import { createWorker, type JobRun, type Worker, type WorkerOptions } from "./queue-worker.ts";

/** How often we look for what others put into the queue, where they can tell us of it and where they cannot. */
const LOOK_EVERY_MS = { told: 10_000, untold: 3_000 } as const;

/** A queue, and what its jobs are run by. */
export type QueueToWork = { readonly options: WorkerOptions; readonly run: JobRun };

export type Work = {
  /** Has the queue's jobs fetched now. */
  wake(name: string): void;
  /** Has them fetched at this time. */
  expect(name: string, at: Date): void;
  stop(graceMs: number): Promise<void>;
};

type WorkPorts = {
  readonly database: Database;
  readonly boss: PgBoss;
  readonly schema: string;
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
  const dueJobs = watchDueJobs({
    sql: database.sql,
    schema: ports.schema,
    queues: queues.map(({ options }) => options.name),
    lookEveryMs: presence?.hears ? LOOK_EVERY_MS.told : LOOK_EVERY_MS.untold,
    onDue: wake,
    onLost: () => boss.supervise(),
    onError,
  });
  for (const { options, run } of queues) {
    workers.set(
      options.name,
      createWorker(options, { boss, onError, onTaken: async () => {}, onFailed: dueJobs.look }, run),
    );
  }

  return {
    wake,
    expect: (name, at) => dueJobs.in(name, Math.max(0, at.getTime() - Date.now()) + 1),
    async stop(graceMs) {
      await dueJobs.stop();
      await Promise.all([...workers.values()].map((worker) => worker.stop(graceMs)));
      await presence?.close();
    },
  };
}
