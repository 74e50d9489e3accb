/**
 * Which process runs which jobs, so that those of one that is known to be dead are given back at once.
 *
 * What is written here is a hint: a job is given back only if it is still the run that was written down. Of a job
 * that is not written here, or of a process that may be alive, the heartbeat decides.
 */
import { fromPrisma, type PgBoss } from "pg-boss";
import type { Database } from "./open.ts";
import type { Presence } from "./queue-presence.ts";
import type { Attempt } from "./queue-settle.ts";
import type { Settled } from "./queue-worker.ts";

/** By queue. */
export type Claims = Readonly<Record<string, readonly Attempt[]>>;

export type JobClaims = {
  /** Notes the jobs in hand, while they run: what begins meanwhile is noted next. */
  note(): void;
  /** Gives back the jobs of processes that are gone. @returns how many jobs */
  giveBackLost(): Promise<number>;
  /** Forgets this process. */
  close(): Promise<void>;
};

type Row = { readonly id: string; readonly jobs: Claims };

type ClaimPorts = {
  readonly database: Database;
  readonly boss: PgBoss;
  /** This process'. */
  readonly id: string;
  readonly presence: Presence;
  /** The jobs in hand. */
  readonly taken: () => Claims;
  readonly onError: (error: Error) => void;
};

export function createJobClaims({ database, boss, id, presence, taken, onError }: ClaimPorts): JobClaims {
  const { sql, prisma } = database;
  let writing: Promise<void> | null = null;
  let again = false;

  /** One after the other, so that what is written last is the newest. */
  const write = async () => {
    do {
      again = false;
      try {
        await sql.query(NOTE, [id, JSON.stringify(taken())]);
      } catch (error) {
        onError(error as Error);
      }
    } while (again);
    writing = null;
  };

  /** All of it or nothing; of several who find the process gone, one has something to give back. */
  const giveBack = (worker: string) =>
    prisma.$transaction(async (tx) => {
      const [row] = await tx.$queryRaw<Row[]>`DELETE FROM queue_worker WHERE id = ${worker}::uuid RETURNING id, jobs`;
      let given = 0;
      for (const [name, jobs] of Object.entries(row?.jobs ?? {})) {
        if (jobs.length === 0) continue;
        const { affected } = (await boss.fail(name, [...jobs], LOST, { db: fromPrisma(tx) })) as Settled;
        given += affected;
      }
      return given;
    });

  return {
    note() {
      again = true;
      writing ??= write();
    },
    async giveBackLost() {
      const { rows } = await sql.query<{ id: string }>("SELECT id FROM queue_worker WHERE id <> $1", [id]);
      if (rows.length === 0) return 0;
      let given = 0;
      for (const worker of await presence.gone(rows.map((row) => row.id))) given += await giveBack(worker);
      return given;
    },
    async close() {
      await writing;
      await sql.query("DELETE FROM queue_worker WHERE id = $1", [id]);
    },
  };
}

const NOTE = `INSERT INTO queue_worker (id, jobs) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET jobs = excluded.jobs`;

const LOST = { message: "the process that ran the job is gone" };
