/** Writes the migration that leads from those there are to prisma/schema.prisma: `npm run migration -- NAME`. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MIGRATIONS } from "../src/adapters/postgres/migrations.ts";
import { readDrift } from "./drift.ts";

const [name] = process.argv.slice(2);
if (name === undefined || !/^[a-z0-9_]+$/.test(name)) {
  console.error("Usage: npm run migration -- NAME   (lower-case letters, digits and _)");
  process.exit(2);
}

const drift = await readDrift();
if (drift === null) {
  console.log("The migrations make just what the schema says: nothing to write.");
} else {
  const stamp = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const folder = join(MIGRATIONS, `${stamp}_${name}`);
  await mkdir(folder);
  await writeFile(join(folder, "migration.sql"), drift);
  console.log(`Wrote ${folder}/migration.sql. Read it before you commit it.`);
}
