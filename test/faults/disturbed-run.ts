/** One run of the job in which the database fails in one way: what it left, and what is wrong with how it was borne. */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Client, Pool } from "pg";
import { demoCredentials, type StandIn } from "../../src/demo/cloudflare.ts";
import { MIGRATED } from "../support/database.ts";
import { freePort } from "../support/free-port.ts";
import { createTestDatabase, startPostgres } from "../support/postgres.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import type { LogLine, Program } from "../support/program.ts";
import { startDaemon } from "./daemon.ts";
import { type Gate, openGate } from "./gate.ts";
import { type Database, play, prepare, RECIPIENTS } from "./job.ts";
import { chainFaults, mailFaults, type Outcome, readOutcome } from "./outcome.ts";
import type { PostOffice } from "./post-office.ts";
import { openStandIns } from "./stand-ins.ts";
import { until } from "./until.ts";
import { rowFaults } from "./weather-report.ts";

/** What a fault has to do with. */
export type World = {
  /** The way from the program to the server. */
  readonly gate: Gate;
  /** Only where the fault wants a server of its own. */
  readonly restart: PostgresServer["restart"];
  readonly program: Program;
  readonly settings: Readonly<Record<string, string>>;
  /** The server's URL, past the gate. */
  readonly url: string;
  /** Past the gate; asks again where the server was away. */
  readonly database: Database;
  /** Starts another replica, which goes past the gate. */
  startAnother(): Program;
};

export type DatabaseFault = {
  readonly name: string;
  /** What a line of the log must say; null where what failed may have been done again at once, without a word. */
  readonly says: RegExp | null;
  /** Whether it has the gate stop statements. */
  readonly byRule?: boolean;
  readonly ownServer?: boolean;
  /** What DATABASE_URL has behind the address. */
  readonly parameters?: string;
  /** Strikes while the job is played; resolves when it has, but for the gate's rule: that stays until the job is done. */
  strike(world: World): Promise<void>;
};

export type DisturbedRun = {
  readonly outcome: Outcome;
  readonly seconds: number;
  /** Mails that came again. */
  readonly repeats: number;
  /** What is wrong whatever the undisturbed run left, in sentences. */
  readonly faults: readonly string[];
};

type Stage = {
  readonly api: StandIn;
  readonly office: PostOffice;
  readonly world: World;
  /** All replicas. */
  readonly programs: readonly Program[];
};

const PATIENCE_MS = 300_000;
/** So many syncs must go by without a word when all is well again. */
const QUIET_SYNCS = 2;

/** @param fault null for a run that nobody disturbs */
export async function runDisturbed(fault: DatabaseFault | null): Promise<DisturbedRun> {
  await using stack = new AsyncDisposableStack();
  const stage = await openStage(stack, fault);
  const { office, world, programs } = stage;
  const startedAt = Date.now();
  const faults = await playThrough(stage, fault);
  const seconds = (Date.now() - startedAt) / 1_000;
  await end(programs);

  const client = new Client({ connectionString: world.url });
  await client.connect();
  stack.defer(() => client.end());
  const outcome = await readOutcome(client, office.accepted);
  faults.push(...(await chainFaults(world.url)), ...(await rowFaults(client)));
  faults.push(...(await mailFaults(client, office.accepted, () => Number.POSITIVE_INFINITY)));
  return { outcome, seconds, repeats: office.accepted.length - outcome.mails.length, faults };
}

async function openStage(stack: AsyncDisposableStack, fault: DatabaseFault | null): Promise<Stage> {
  const { url, restart } = await openServer(stack, fault?.ownServer ?? false);
  const { api, office } = await openStandIns(stack);
  const pool = new Pool({ connectionString: url, application_name: "faults", max: 1 });
  pool.on("error", () => {});
  stack.defer(() => pool.end());
  const gate = await openGate(url);
  stack.defer(async () => gate.close());

  const lines = { postgres: `${gate.url}${fault?.parameters ?? ""}`, smtp: office.url, http: api.url };
  const settings = {
    CLOUDFLARE_API_TOKEN: demoCredentials.token,
    MAIL_FROM: "invitewatch <invites@example.com>",
    MAIL_TO: RECIPIENTS.join(","),
    SYNC_SCHEDULE: "* * * * * *",
    DATABASE_URL: lines.postgres,
    HTTP_PORT: String(await freePort()),
  };
  const programs: Program[] = [];
  stack.defer(() => end(programs));
  const start = (changes: Readonly<Record<string, string>>) => {
    const program = startDaemon(lines, { ...settings, ...changes });
    programs.push(program);
    return program;
  };
  prepare(api);
  const program = start({});
  const startAnother = () => start({ DATABASE_URL: url, HTTP_PORT: "0" });
  const world = { gate, restart, program, settings, url, database: patient(pool), startAnother };
  return { api, office, world, programs };
}

/** Plays the job and the fault to their ends. @returns what is wrong, in sentences */
async function playThrough({ api, world, programs }: Stage, fault: DatabaseFault | null): Promise<string[]> {
  const { gate, database, program } = world;
  const patience = new AbortController();
  const impatience = setTimeout(() => patience.abort(), PATIENCE_MS);
  const aborted = once(patience.signal, "abort").then(() => {
    throw new Error("it takes too long");
  });
  const inTime = <T>(work: Promise<T>) => Promise.race([work, aborted, ...programs.map(endOf)]);
  const faults: string[] = [];
  try {
    await inTime(Promise.all([play(api, database, patience.signal), fault?.strike(world)]));
    gate.rule(null);
    await inTime(syncMore(database, 1));
    const said = troublesOf(program).length;
    await inTime(syncMore(database, QUIET_SYNCS));
    const since = troublesOf(program).slice(said);
    faults.push(...since.map((line) => `still said when all was well again: ${JSON.stringify(line)}`));
  } catch (error) {
    faults.push(`the job did not come to its end: ${(error as Error).message}\n${program.stderr().slice(-3_000)}`);
  } finally {
    clearTimeout(impatience);
    patience.abort();
    aborted.catch(() => {});
  }
  if (fault?.byRule && gate.stopped === 0) faults.push("it never struck");
  return [...faults, ...sayingFaults(program, fault)];
}

/** What is wrong with what the program says of the fault. */
function sayingFaults(program: Program, fault: DatabaseFault | null): string[] {
  const says = fault?.says ?? null;
  const said = troublesOf(program).map((line) => JSON.stringify(line));
  const raw = said.filter((line) => !line.includes('"err":{"type":"DatabaseError"'));
  return [
    ...raw.map((line) => `the log does not explain: ${line}`),
    ...(says === null || said.some((line) => says.test(line)) ? [] : [neverSaid(says, program)]),
    ...(fault === null && said.length > 0 ? [`said for no reason: ${said[0]}`] : []),
  ];
}

function neverSaid(says: RegExp, program: Program): string {
  return `the log never says ${says}; it ends with\n${program.stderr().slice(-3_000)}`;
}

/** What the job itself brings about, and what a process says that was paused. */
const EXPECTED = ["sync.incomplete", "sync.taken_over", "notification.overtaken", "schedule.said"];

/** Other warnings and errors in the log. */
function troublesOf(program: Program): LogLine[] {
  const lines = program.stderr().split("\n").slice(0, -1);
  return lines.map(asLogLine).filter(({ event }) => !EXPECTED.includes(event));
}

/** What a program says that ends for good is no line of the log. */
function asLogLine(line: string): LogLine {
  try {
    return JSON.parse(line);
  } catch {
    return { event: "not.logged", level: "error", line };
  }
}

async function endOf(program: Program): Promise<never> {
  throw new Error(`the program ended by itself: ${await program.ended}`);
}

/** Nothing is left to do, so that they may as well be killed. */
async function end(programs: readonly Program[]): Promise<void> {
  for (const { child } of programs) child.kill("SIGKILL");
  for (const { ended } of programs) await ended;
}

/** Resolves when so many syncs more are recorded. */
async function syncMore(database: Database, count: number): Promise<void> {
  const recorded = async () => {
    const { rows } = await database.query<{ count: number }>("SELECT count(*)::int AS count FROM sync");
    return rows[0]?.count ?? 0;
  };
  const before = await recorded();
  await until("further syncs", async () => (await recorded()) >= before + count);
}

async function openServer(stack: AsyncDisposableStack, own: boolean): Promise<Pick<World, "url" | "restart">> {
  if (!own) {
    const { url, drop } = await createTestDatabase(MIGRATED);
    stack.defer(drop);
    const restart = () => Promise.reject(new Error("others use this server too"));
    return { url, restart };
  }
  // One that keeps what it has committed, also when it crashes.
  const server = await startPostgres({ durable: true });
  stack.defer(server.stop);
  await MIGRATED.prepare(server.url);
  return server;
}

/** Asks until it gets an answer. */
function patient(pool: Pool): Database {
  return {
    async query(sql, values) {
      for (;;) {
        try {
          return await pool.query(sql, values);
        } catch {
          await delay(100);
        }
      }
    },
  };
}
