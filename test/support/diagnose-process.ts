/** Prints what Prisma's engine says of the database of its argument, as JSON. Ends by itself: the engine leaves a timer. */
import { PrismaPg } from "@prisma/adapter-pg";
import { diagnose } from "../../scripts/schema-engine.ts";

const { history, failedMigrationNames, editedMigrationNames, hasMigrationsTable } = await diagnose(
  new PrismaPg(process.argv[2] ?? ""),
);
console.log(JSON.stringify({ history, failedMigrationNames, editedMigrationNames, hasMigrationsTable }));
process.exit();
