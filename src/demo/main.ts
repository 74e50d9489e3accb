/**
 * `npm run demo`: the real thing against a stand-in for the API, the embedded database and a local mailbox.
 *
 * Live, the daemon runs until Ctrl-C; with `--once` the story of a day is played at speed, on a clock that is turned
 * on, and printed with its mails and the history.
 */
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createReader } from "../adapters/postgres/read-store.ts";
import { surroundingsOf } from "../cli/context.ts";
import { DEMO_FOLDER, hasOwnDatabase } from "../cli/demo-database.ts";
import { runProgram } from "../cli/program.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { runDaemon } from "../daemon.ts";
import type { Notification } from "../domain/notification.ts";
import { createRedactor } from "../domain/redact.ts";
import { createLogger, type Logger } from "../log.ts";
import { openRuntime, type Runtime } from "../wire.ts";
import { createWorkers } from "../workers.ts";
import { leadCredentials, NORTHWIND, type Scene } from "./cast.ts";
import { createStoryClock, lastMondayMorning, type StoryClock } from "./clock.ts";
import { demoCredentials, startCloudflareStandIn } from "./cloudflare.ts";
import { playLive } from "./live.ts";
import { type Mailbox, startMailbox } from "./mailbox.ts";
import { proseWidth, ruled, wrapped } from "./screen.ts";
import { playAtSpeed, type SpeedStage } from "./speed.ts";
import type { LogLine } from "./told.ts";

/** Not the one that `bin/invitewatch` opens without any configuration: that may hold a history that somebody keeps. */
const FOLDER = resolve(DEMO_FOLDER);
/** Says that the folder is the demo's, which the next demo may throw away. */
const MARK = join(FOLDER, "demo");
/** The address in demo.yaml of somebody who retired. */
const REFUSED = ["retired@example.com"];

const { values: options } = parseArgs({ options: { once: { type: "boolean", default: false } } });
const { columns } = surroundingsOf(process);
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));
}

if (await holdsSomethingElse()) {
  console.error(`${FOLDER} holds something that is not the demo's. Move it away, or run the demo in another folder.`);
  process.exitCode = 1;
} else {
  await playDemo(stopping.signal);
}

async function playDemo(stop: AbortSignal): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true, mode: 0o700 });
  await writeFile(MARK, "The demo's data: safe to delete.\n");
  const clock = createStoryClock(lastMondayMorning(new Date()));
  const now = options.once ? clock.now : () => new Date();
  const api = await startCloudflareStandIn({ accepted: demoCredentials, now });
  const mailbox = await startMailbox({ smtpPort: 1025, webPort: 1080, refused: REFUSED });
  const stage = { scene: { api, lead: api.addUser(leadCredentials) }, mailbox, clock };
  try {
    await (options.once ? playOnce : playUntilStopped)(stage, stop);
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    await api.close();
    await mailbox.close();
    await rm(FOLDER, { recursive: true, force: true });
  }
}

type Stage = { readonly scene: Scene; readonly mailbox: Mailbox; readonly clock: StoryClock };

async function playOnce({ scene, mailbox, clock }: Stage, stop: AbortSignal): Promise<void> {
  const config = demoConfig(scene, mailbox, { SYNC_SCHEDULE: "*/15 * * * *", FLOOD_CAP: "5" });
  const lines: LogLine[] = [];
  const log = createLogger({
    level: "info",
    format: "json",
    redact: createRedactor(config.secrets),
    destination: { write: (line) => lines.push(JSON.parse(line)) },
  });
  const runtime = await openRuntime(config, "daemon", log, { clock });
  lines.length = 0;
  const run = (args: readonly string[]) => runCommand(args, config, clock.now);
  try {
    const doing = doJobs({ runtime, log, lines }, stop);
    const surprises = await playAtSpeed({ scene, mailbox, clock, ...doing, run, columns, stop });
    console.log(`\n${ruled("Why was somebody mailed, or not?", "", proseWidth(columns))}`);
    await run(["explain", NORTHWIND.slice(0, 8)]);
    console.log(ruled("The history", "", proseWidth(columns)));
    await run(["history", "--order", "asc"]);
    const end = "This was the story at speed. `npm run demo` plays it live, with a mailbox to look into.";
    console.log(wrapped(end, proseWidth(columns)));
    for (const surprise of surprises) console.error(surprise);
    process.exitCode = surprises.length === 0 ? 0 : 1;
  } finally {
    await runtime.close();
  }
}

type Desk = { readonly runtime: Runtime; readonly log: Logger; readonly lines: LogLine[] };

/**
 * Does in their order the jobs that the daemon's queue would hand out: the queue goes by the database's clock, which
 * nobody can turn on.
 */
function doJobs({ runtime, log, lines }: Desk, stop: AbortSignal): Pick<SpeedStage, "look" | "makeDigests"> {
  const workers = createWorkers(runtime, log, stop);
  const deliver = async () => {
    for (let due = await dueMails(runtime); due.length > 0; due = await dueMails(runtime)) {
      for (const notificationId of due) await Promise.all(workers.deliver([{ notificationId }]));
    }
    return lines.splice(0);
  };
  return {
    async look() {
      for (const watch of runtime.watches.keys()) await workers.sync({ id: runtime.newId(), watch }, stop);
      return deliver();
    },
    async makeDigests() {
      await workers.digest(runtime.newId(), true);
      return deliver();
    },
  };
}

async function playUntilStopped({ scene, mailbox }: Stage, stop: AbortSignal): Promise<void> {
  const config = demoConfig(scene, mailbox, {
    SYNC_SCHEDULE: "*/5 * * * * *",
    DIGEST_SCHEDULE: "*/5 * * * *",
    FLOOD_CAP: "100",
  });
  // Nobody who plays the demo at night waits for the morning.
  const watches = config.watches.map((watch) => ({ ...watch, quietHours: null }));
  const logFile = join(FOLDER, "demo.log");
  const destination = createWriteStream(logFile);
  const log = createLogger({ ...config.log, format: "json", redact: createRedactor(config.secrets), destination });
  const daemon = () => runDaemon({ ...config, watches }, log, stop);
  await playLive({
    scene,
    mailbox,
    logFile,
    // Without it commands ask the database that is there already.
    databaseUrl: hasOwnDatabase() ? config.databaseUrl : null,
    width: proseWidth(columns),
    stop,
    runDaemon: daemon,
  });
  destination.end();
}

/** Ids of the mails whose time has come by the story's clock, oldest first: in the same order every time. */
async function dueMails({ database, clock }: Runtime): Promise<readonly string[]> {
  const any = { watches: null, inviteId: null, recipient: null, kind: null, since: null, until: null };
  const filter = { ...any, states: ["pending"] } as const;
  const { rows } = createReader(database).notifications(filter, { order: "asc", cursor: null, limit: null });
  const owed = await Array.fromAsync(rows);
  const now = clock.now();
  const due = owed.filter(({ nextAttemptAt }) => nextAttemptAt === null || nextAttemptAt <= now);
  const rank = ({ createdAt, watch, recipient }: Notification) => `${createdAt.toISOString()} ${watch} ${recipient}`;
  return due.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).map(({ id }) => id);
}

/** Runs a command as in a second terminal, and prints what is typed there and its answer. */
async function runCommand(args: readonly string[], { databaseUrl }: Config, now: () => Date): Promise<void> {
  console.log(`$ bin/invitewatch ${args.map((arg) => (/^[\w./-]+$/.test(arg) ? arg : `"${arg}"`)).join(" ")}`);
  const exitCode = await runProgram(args, { ...surroundingsOf(process), env: { DATABASE_URL: databaseUrl }, now });
  if (exitCode !== 0) throw new Error(`invitewatch ${args[0]} ended with ${exitCode}`);
  console.log();
}

/** By the watches' names, what the demo leaves can never pass for a real history. */
function demoConfig({ api }: Scene, { smtpUrl }: Mailbox, more: Readonly<Record<string, string>>): Config {
  return loadConfig({
    INVITEWATCH_CONFIG: fileURLToPath(new URL("./demo.yaml", import.meta.url)),
    CLOUDFLARE_BASE_URL: api.url,
    DATABASE_URL: `pglite:${FOLDER}`,
    SMTP_URL: smtpUrl,
    MAIL_FROM: "invitewatch <invites@example.com>",
    SYNC_JITTER: "0s",
    SYNC_DEADLINE: "3s",
    HTTP_PORT: "0",
    ...more,
  });
}

async function holdsSomethingElse(): Promise<boolean> {
  const names = await readdir(FOLDER).catch((): string[] => []);
  return names.length > 0 && !names.includes(basename(MARK));
}
