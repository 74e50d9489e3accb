/** The database's clock, beside ours. */
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { ask } from "./read-keyset.ts";

/**
 * By how much this machine's clock is ahead of the database's, in ms; as exact as the answer is quick.
 *
 * @param machineMs what this machine's clock shows
 */
export async function readClockSkew(database: Database, machineMs: () => number = () => Date.now()): Promise<number> {
  const askedMs = machineMs();
  const [row] = await ask<{ ms: number }>(
    database,
    Prisma.sql`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`,
  );
  return Math.round((askedMs + machineMs()) / 2 - (row?.ms ?? askedMs));
}
