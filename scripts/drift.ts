/** What prisma/schema.prisma says beyond the migrations, found out in an embedded database of its own. */
import { PGlite } from "@electric-sql/pglite";
import { PrismaPGlite } from "pglite-prisma-adapter";
import { driftFromMigrations } from "./schema-engine.ts";

/** SQL of the next migration; null where the migrations make just what the schema says. */
export async function readDrift(): Promise<string | null> {
  const database = new PGlite();
  try {
    const shadow = new PrismaPGlite(database);
    shadow.connectToShadowDb = shadow.connect;
    const drift = await driftFromMigrations(shadow);
    return drift.includes(";") ? drift : null;
  } finally {
    await database.close();
  }
}
