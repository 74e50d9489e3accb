/** `healthcheck`: whether the daemon of this configuration is alive, for a container's health check. */
import type { Command } from "commander";
import got from "got";
import { openDatabase, reach } from "../adapters/postgres/open.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { type Context, write } from "./context.ts";

const TIMEOUT_MS = 5_000;
/** An address to listen on that is none to connect to. */
const ANY = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "[::1]"],
]);

export function addHealthcheck(program: Command, context: Context): void {
  program
    .command("healthcheck")
    .description("exit 0 if the daemon is alive, else 1 (for containers)")
    .addHelpText(
      "after",
      `
Asks the daemon's /healthz; where HTTP_PORT=0 turns that off, whether the database answers.

Examples:
  $ docker compose exec invitewatch invitewatch healthcheck`,
    )
    .action(async () => {
      const config = loadConfig(context.env);
      await (config.http.port === 0 ? askDatabase(config) : askDaemon(config));
      await write(context.stdout, "ok\n");
    });
}

async function askDaemon({ http: { host, port } }: Config): Promise<void> {
  const url = `http://${ANY.get(host) ?? (host.includes(":") ? `[${host}]` : host)}:${port}/healthz`;
  try {
    await got(url, { timeout: { request: TIMEOUT_MS }, retry: { limit: 0 }, followRedirect: false });
  } catch (cause) {
    throw new Error(`No daemon answers at ${url}; is \`invitewatch run\` running with this HTTP_HOST and HTTP_PORT?`, {
      cause,
    });
  }
}

async function askDatabase({ databaseUrl }: Config): Promise<void> {
  const database = await openDatabase(databaseUrl, "command");
  try {
    await reach(database);
  } finally {
    await database.close();
  }
}
