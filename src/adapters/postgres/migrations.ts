/** The migrations of this version, and what a database's own list of them (`_prisma_migrations`) says. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseError } from "./database-error.ts";

export type Migration = { readonly name: string; readonly sql: string; readonly checksum: string };

/** A row of `_prisma_migrations` that was not rolled back. */
export type Entry = { readonly name: string; readonly checksum: string; readonly finished: boolean };

export const MIGRATIONS = join(import.meta.dirname, "../../../prisma/migrations");

/** Oldest first. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(MIGRATIONS, name, "migration.sql"), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

/** Those that the database lacks, oldest first. @throws DatabaseError where its list is not one of this version's */
export function missingFrom(ledger: readonly Entry[], migrations: readonly Migration[]): readonly Migration[] {
  const fault = faultOf(ledger, migrations);
  if (fault !== null) throw new DatabaseError(fault, { permanent: true });
  const applied = new Set(ledger.map(({ name }) => name));
  return migrations.filter(({ name }) => !applied.has(name));
}

function faultOf(ledger: readonly Entry[], migrations: readonly Migration[]): string | null {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const failed = ledger.find(({ finished }) => !finished);
  if (failed !== undefined) {
    return `The migration ${failed.name} was begun by another program and never finished; undo what is there of it, delete its row in _prisma_migrations, and run \`invitewatch migrate\`.`;
  }
  const changed = ledger.find(({ name, checksum }) => (known.get(name)?.checksum ?? checksum) !== checksum);
  if (changed !== undefined) {
    return `The migration ${changed.name} was applied to the database with another text than this version has; run the version that applied it, or restore prisma/migrations as it was released.`;
  }
  const unknown = ledger.find(({ name }) => !known.has(name));
  if (unknown === undefined) return null;
  return ledger.some(({ name }) => known.has(name))
    ? `The database was set up by a newer version of invitewatch (${unknown.name}); run that version, or a newer one.`
    : `The schema holds the tables of another program (${unknown.name}); name an empty schema with ?schema=NAME in DATABASE_URL, or another database.`;
}
