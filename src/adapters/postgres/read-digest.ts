/** Reads from the queue's own table what became of the latest digest. */
import type { DigestTrouble } from "../../app/queries.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { ask } from "./read-keyset.ts";

type JobRow = {
  readonly state: string;
  readonly retries: number;
  readonly created_on: Date;
  readonly start_after: Date;
  readonly error: string | null;
};

export async function readDigestTrouble(database: Database): Promise<DigestTrouble | null> {
  const jobs = `${database.queueSchema}.job`;
  // Made at the first start, and so not there where only the tables are.
  const [queue] = await ask<{ there: boolean }>(database, Prisma.sql`SELECT to_regclass(${jobs}) IS NOT NULL AS there`);
  if (queue?.there !== true) return null;
  const [job] = await ask<JobRow>(
    database,
    Prisma.sql`
      SELECT state::text, retry_count AS retries, created_on, start_after, output ->> 'message' AS error FROM ${Prisma.raw(jobs)}
      WHERE name = 'digest' AND state <> 'created' ORDER BY created_on DESC LIMIT 1`,
  );
  if (job === undefined) return null;
  const hasFailed = job.state === "failed" || job.state === "retry" || (job.state === "active" && job.retries > 0);
  if (!hasFailed) return null;
  const nextTryAt = job.state === "failed" ? null : job.start_after;
  return { slotAt: job.created_on, error: job.error ?? "the process that made it ended", nextTryAt };
}
