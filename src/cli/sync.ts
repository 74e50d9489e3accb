/** `sync`: one round for every watch; with `--dry-run`, what it would do. */
import type { Command } from "commander";
import type { Context } from "./context.ts";
import { helpText } from "./lines.ts";

export function addSync(program: Command, context: Context): void {
  program
    .command("sync")
    .description("sync every watch once, deliver what is due, and end")
    .option("--dry-run", "print the mails that would be sent, and why; change nothing")
    .addHelpText(
      "after",
      helpText(
        `
Exit code 1 means that a watch could not be read to the end, or that mail which was due could not be delivered.
Nothing is lost by that: the next sync goes on, and the mail stays owed.

Examples:
  $ invitewatch sync
  $ invitewatch sync --dry-run`,
        context,
      ),
    )
    .action(async ({ dryRun = false }: { dryRun?: boolean }) => {
      // Loaded here, and the work last, so that `--help` and a wrong configuration are answered at once.
      const { loadRunnable, untilStopped } = await import("./runnable.ts");
      const config = loadRunnable(context);
      const { rehearse, sync } = await import("./sync-work.ts");
      await untilStopped((stop) => (dryRun ? rehearse(config, context, stop) : sync(config, context, stop)));
    });
}
