/** `run`: the daemon. */
import type { Command } from "commander";
import type { Context } from "./context.ts";
import { helpText } from "./lines.ts";

export function addRun(program: Command, context: Context): void {
  program
    .command("run")
    .description("watch: sync on schedule, mail what is news, until told to stop")
    .addHelpText(
      "after",
      helpText(
        `
Brings the database up to date first, syncs at once where the last complete sync is older than one interval, and
logs one JSON line per happening on stderr. SIGTERM or SIGINT end it within 10 seconds.

Examples:
  $ CLOUDFLARE_API_TOKEN_FILE=/run/secrets/token SMTP_URL=smtp://mail:25 \\
      MAIL_FROM=invites@example.com MAIL_TO=ops@example.com invitewatch run`,
        context,
      ),
    )
    .action(async () => {
      // Loaded here, and the daemon last, so that `--help` and a wrong configuration are answered at once.
      const { loadRunnable, loggerFor, untilStopped } = await import("./runnable.ts");
      const config = loadRunnable(context);
      const { runDaemon } = await import("../daemon.ts");
      await untilStopped((stop) => runDaemon(config, loggerFor(config, context), stop));
    });
}
