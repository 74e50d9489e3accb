/** `migrate`: brings the database's tables to this version. */
import type { Command } from "commander";
import { migrate } from "../adapters/postgres/migrate.ts";
import { openDatabase } from "../adapters/postgres/open.ts";
import { createQueue } from "../adapters/postgres/queue.ts";
import { loadConfig } from "../config/load.ts";
import { type Context, write } from "./context.ts";

export function addMigrate(program: Command, context: Context): void {
  program
    .command("migrate")
    .description("bring the database up to date with this version")
    .addHelpText("after", "\nExamples:\n  $ DATABASE_URL=postgres://invitewatch@db/invitewatch invitewatch migrate")
    .action(async () => {
      const database = await openDatabase(loadConfig(context.env).databaseUrl, "command");
      try {
        const applied = await migrate(database.connection);
        const queue = createQueue(database, () => {});
        await queue.start();
        await queue.stop(1_000);
        const said = applied.length === 0 ? "The database is up to date." : `Applied ${applied.join(", ")}.`;
        await write(context.stdout, `${said}\n`);
      } finally {
        await database.close();
      }
    });
}
