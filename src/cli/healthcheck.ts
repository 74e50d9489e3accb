/** `healthcheck`: whether the daemon of this configuration is alive, for a container's health check. */
import { once } from "node:events";
import { get } from "node:http";
import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import { loadConfiguration } from "./configuration.ts";
import { type Context, write } from "./context.ts";
import { helpText } from "./lines.ts";

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
      helpText(
        `
Asks the daemon's /healthz; where HTTP_PORT=0 turns that off, whether the database answers.

Examples:
  $ docker compose exec invitewatch invitewatch healthcheck`,
        context,
      ),
    )
    .action(async () => {
      const config = await loadConfiguration(context);
      await (config.http.port === 0 ? askDatabase(config) : askDaemon(config));
      await write(context.stdout, "ok\n");
    });
}

async function askDaemon({ http: { host, port } }: Config): Promise<void> {
  const url = `http://${ANY.get(host) ?? (host.includes(":") ? `[${host}]` : host)}:${port}/healthz`;
  // Asked every few seconds: a client that does more would take longer to load than to ask.
  const request = get(url, { signal: AbortSignal.timeout(TIMEOUT_MS), agent: false });
  try {
    const [response] = await once(request, "response");
    if (response.statusCode !== 200) throw new Error(`it answers with HTTP ${response.statusCode}`);
  } catch (cause) {
    throw new Error(`No daemon answers at ${url}; is \`invitewatch run\` running with this HTTP_HOST and HTTP_PORT?`, {
      cause,
    });
  } finally {
    request.destroy();
  }
}

async function askDatabase({ databaseUrl }: Config): Promise<void> {
  const { openDatabase } = await import("../adapters/postgres/open.ts");
  const database = await openDatabase(databaseUrl, "reader");
  await database.close();
}
