/** Opens the database for a command that only reads. */

import { requireMigrated } from "../adapters/postgres/migrate.ts";
import { openDatabase } from "../adapters/postgres/open.ts";
import { createReader } from "../adapters/postgres/read-store.ts";
import type { Reader } from "../app/queries.ts";

/** @throws DatabaseError also where the database is not set up for this version */
export async function openReader(url: string): Promise<{ readonly reader: Reader; close(): Promise<void> }> {
  const database = await openDatabase(url, "reader");
  try {
    await requireMigrated(database);
    return { reader: createReader(database), close: () => database.close() };
  } catch (error) {
    await database.close();
    throw error;
  }
}
