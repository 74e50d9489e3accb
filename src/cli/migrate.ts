/** `migrate`: brings the database's tables to this version. */
import type { Command } from "commander";
import { loadConfiguration } from "./configuration.ts";
import { type Context, write } from "./context.ts";
import { helpText } from "./lines.ts";

export function addMigrate(program: Command, context: Context): void {
  program
    .command("migrate")
    .description("bring the database up to date with this version")
    .addHelpText(
      "after",
      helpText(
        "\nExamples:\n  $ DATABASE_URL=postgres://invitewatch@localhost/invitewatch invitewatch migrate",
        context,
      ),
    )
    .action(async () => {
      const { databaseUrl, databaseDirectUrl: directUrl } = await loadConfiguration(context);
      // Loaded here so that `--help` and a wrong configuration are answered at once.
      const [{ openDatabase }, { migrate }, { createQueue }] = await Promise.all([
        import("../adapters/postgres/open.ts"),
        import("../adapters/postgres/migrate.ts"),
        import("../adapters/postgres/queue.ts"),
      ]);
      const database = await openDatabase(databaseUrl, "command", { directUrl });
      try {
        const applied = await migrate(database);
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
