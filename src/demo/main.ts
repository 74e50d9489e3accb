/**
 * `npm run demo`: the real daemon against a stand-in for the API, the embedded database and a local mailbox.
 *
 * Live, it runs until Ctrl-C; with `--once` it plays the story at speed, prints the mails and the history, and ends.
 */
import { createWriteStream } from "node:fs";
import { access, mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { surroundingsOf } from "../cli/context.ts";
import { runProgram } from "../cli/program.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { runDaemon } from "../daemon.ts";
import { createRedactor } from "../domain/redact.ts";
import { createLogger } from "../log.ts";
import { runRound } from "../round.ts";
import { openRuntime } from "../wire.ts";
import { createWorkers } from "../workers.ts";
import { demoCredentials, type StandIn, startCloudflareStandIn } from "./cloudflare.ts";
import { playLive } from "./live.ts";
import { type Mailbox, startMailbox } from "./mailbox.ts";
import { playAtSpeed } from "./speed.ts";

/** The folder that `bin/invitewatch` opens without any configuration. */
const FOLDER = resolve("data");
/** Says that the folder's database is the demo's, which the next demo may throw away. */
const MARK = join(FOLDER, "demo");

const { values: options } = parseArgs({ options: { once: { type: "boolean", default: false } } });
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));
}

if (await holdsSomethingElse()) {
  console.error(`${FOLDER} holds a database that is not the demo's. Move it away, or run the demo in another clone.`);
  process.exitCode = 1;
} else {
  await playDemo(stopping.signal);
}

async function playDemo(stop: AbortSignal): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true, mode: 0o700 });
  await writeFile(MARK, "The demo's data: safe to delete.\n");
  const api = await startCloudflareStandIn({ accepted: demoCredentials });
  const mailbox = await startMailbox({ smtpPort: 1025, webPort: 1080 });
  try {
    const config = demoConfig(api.url, mailbox.smtpUrl);
    await (options.once ? playOnce : playUntilStopped)(api, mailbox, config, stop);
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    await api.close();
    await mailbox.close();
    await rm(FOLDER, { recursive: true, force: true });
  }
}

async function playOnce(api: StandIn, mailbox: Mailbox, config: Config, stop: AbortSignal): Promise<void> {
  // What falls short is part of the story, and told with it.
  const log = createLogger({ level: "silent", format: "json", redact: createRedactor(config.secrets) });
  const runtime = await openRuntime(config, "daemon", log);
  try {
    await runtime.queue.work(createWorkers(runtime, log, stop), 1);
    await playAtSpeed({
      api,
      mailbox,
      stop,
      async runRound() {
        const { syncs } = await runRound(runtime, [...runtime.watches.keys()], stop);
        return [...syncs.values()]
          .map(({ outcome, reason }) => `sync ${outcome}${reason ? `: ${reason}` : ""}`)
          .join("; ");
      },
    });
    console.log(`\n${"=".repeat(78)}\nWhat \`bin/invitewatch history\` says of all this:\n`);
    const surroundings = { ...surroundingsOf(process), env: { DATABASE_URL: config.databaseUrl } };
    process.exitCode = await runProgram(["history", "--order", "asc"], surroundings);
    console.log("\nThis was the story at speed. `npm run demo` plays it live, with a mailbox to look into.");
  } finally {
    await runtime.close();
  }
}

async function playUntilStopped(api: StandIn, mailbox: Mailbox, config: Config, stop: AbortSignal): Promise<void> {
  const logFile = join(FOLDER, "demo.log");
  const destination = createWriteStream(logFile);
  const log = createLogger({ ...config.log, format: "json", redact: createRedactor(config.secrets), destination });
  await playLive({ api, mailbox, logFile, stop, runDaemon: () => runDaemon(config, log, stop) });
  destination.end();
}

/** As from the environment, but for the watch's name: what the demo leaves can never pass for a real watch's history. */
function demoConfig(apiUrl: string, smtpUrl: string): Config {
  const config = loadConfig({
    CLOUDFLARE_API_TOKEN: demoCredentials.token,
    CLOUDFLARE_BASE_URL: apiUrl,
    DATABASE_URL: `pglite:${FOLDER}`,
    SMTP_URL: smtpUrl,
    MAIL_FROM: "invitewatch <invites@example.com>",
    MAIL_TO: "ops@example.com",
    SYNC_SCHEDULE: "*/5 * * * * *",
    SYNC_JITTER: "0s",
    SYNC_DEADLINE: "3s",
    HTTP_PORT: "0",
  });
  return { ...config, watches: config.watches.map((watch) => ({ ...watch, name: "demo" })) };
}

async function holdsSomethingElse(): Promise<boolean> {
  const exists = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  return (await exists(join(FOLDER, "pgdata"))) && !(await exists(MARK));
}
