/** Asks for syncs, and for what became of them: many by one statement. */
import type { PgBoss } from "pg-boss";
import type { Database } from "./open.ts";

/** The queue of the syncs. */
export const SYNC = "sync";

export type SyncJob = { readonly id: string; readonly watch: string };

/** What the one who asked for a sync gets to know of it. */
export type SyncResult = { readonly outcome: string; readonly reason: string | null };

/** Of a job that someone waits for: no result while it is under way, nor where it failed. */
export type SyncState = { readonly done: boolean; readonly result: SyncResult | null };

/** Asks for many syncs by one statement, and by another for the ids of those that wait already. */
export async function requestSyncs(
  { sql, queueSchema }: Database,
  boss: PgBoss,
  asked: readonly SyncJob[],
): Promise<readonly (string | null)[]> {
  const jobs = new Map(asked.map(({ id, watch }) => [id, { id, data: { watch }, singletonKey: watch }]));
  const made = new Set(await boss.insert(SYNC, [...jobs.values()], { returnId: true }));
  const refused = asked.filter(({ id }) => !made.has(id)).map(({ watch }) => watch);
  const { rows } =
    refused.length === 0
      ? { rows: [] }
      : await sql.query<{ watch: string; id: string }>(waitingSql(queueSchema), [SYNC, [...new Set(refused)]]);
  const waiting = new Map(rows.map(({ watch, id }) => [watch, id]));
  return asked.map(({ id, watch }) => (made.has(id) ? id : (waiting.get(watch) ?? null)));
}

const waitingSql = (schema: string) => `
  SELECT singleton_key AS watch, id FROM ${schema}.job
  WHERE name = $1 AND singleton_key = ANY($2::text[]) AND state < 'active' ORDER BY state DESC`;

/** How jobs of syncs ended. */
export async function readResults(
  { sql, queueSchema }: Database,
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, SyncState>> {
  const { rows } = await sql.query<{ id: string; state: string; output: SyncResult | null }>(
    `SELECT id, state::text, output FROM ${queueSchema}.job WHERE name = $1 AND id = ANY($2::uuid[])`,
    [SYNC, jobIds],
  );
  const jobs = new Map(rows.map((row) => [row.id, row]));
  return new Map(
    jobIds.map((id) => {
      const job = jobs.get(id);
      const done = job === undefined || ["completed", "cancelled", "failed"].includes(job.state);
      return [id, { done, result: job?.state === "completed" ? job.output : null }];
    }),
  );
}
