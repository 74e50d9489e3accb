/** One run of the job, killed at one point and started again: what it took, and what is wrong with what it left. */
import type { Client, QueryResultRow } from "pg";
import { demoCredentials } from "../../src/demo/cloudflare.ts";
import { MIGRATED } from "../support/database.ts";
import type { Program } from "../support/program.ts";
import { type Crossing, createCrossings, type StopPoint } from "./crossings.ts";
import { complaintsOf, startDaemon } from "./daemon.ts";
import { type Database, play, prepare, RECIPIENTS } from "./job.ts";
import { chainFaults, mailFaults, type Outcome, readOutcome } from "./outcome.ts";
import { passDeath } from "./passing-time.ts";
import { openRunDatabase, openStandIns } from "./stand-ins.ts";
import { startTap } from "./tap.ts";

export type KilledRun = {
  readonly outcome: Outcome;
  /** Where it was killed: what did not get through. Null where it came to its end before the point. */
  readonly killedAt: Crossing | null;
  /** How many crossings and answers to mails there were until the job was done or the program killed. */
  readonly crossings: number;
  readonly answers: number;
  /** How many crossings there were before it first asked the API. */
  readonly ofSetup: number;
  /** Mails that came again. */
  readonly repeats: number;
  /** What is wrong whatever the undisturbed run left, in sentences. */
  readonly faults: readonly string[];
};

const PATIENCE_MS = 120_000;
const SETTINGS = {
  CLOUDFLARE_API_TOKEN: demoCredentials.token,
  MAIL_FROM: "invitewatch <invites@example.com>",
  MAIL_TO: RECIPIENTS.join(","),
  SYNC_SCHEDULE: "* * * * * *",
};

/**
 * @param point null for a run that nobody disturbs
 * @param from what its database is at the start
 */
export async function runKilled(point: StopPoint | null, from: "empty" | "migrated"): Promise<KilledRun> {
  await using stack = new AsyncDisposableStack();
  const { url, client } = await openRunDatabase(stack, from === "empty" ? undefined : MIGRATED);
  const database = withoutTables(client);
  const { api, office } = await openStandIns(stack);

  let program: Program | null = null;
  const killed = Promise.withResolvers<null>();
  const crossings = createCrossings(point, () => {
    program?.child.kill("SIGKILL");
    killed.resolve(null);
  });
  const tap = async (line: "postgres" | "smtp" | "http", target: string) => {
    const started = await startTap(line, target, () => crossings);
    stack.defer(async () => started.close());
    return started;
  };
  const taps = {
    postgres: await tap("postgres", url),
    smtp: await tap("smtp", office.url),
    http: await tap("http", api.url),
  };

  prepare(api);
  program = startDaemon({ postgres: taps.postgres.url, smtp: taps.smtp.url, http: taps.http.url }, SETTINGS);
  stack.defer(() => end(program));
  const patience = new AbortController();
  stack.defer(async () => clearTimeout(impatience));
  const impatience = setTimeout(() => patience.abort(new Error("it takes too long")), PATIENCE_MS);
  const faults: string[] = [];
  const played = play(api, database, patience.signal);
  let open = new Set<string>();
  let acceptedBefore = new Set<string>();
  try {
    await Promise.race([played, killed.promise, endOf(program, () => !crossings.stopped)]);
    if (crossings.stopped) {
      await program.ended;
      for (const each of Object.values(taps)) each.cut();
      await passDeath(client, url);
      open = await openMails(database);
      acceptedBefore = new Set(office.accepted.map(({ messageId }) => messageId));
      program = startDaemon({ postgres: url, smtp: office.url, http: api.url }, SETTINGS);
      await Promise.race([played, endOf(program, () => true)]);
    }
  } catch (error) {
    faults.push(`the job did not come to its end: ${(error as Error).message}\n${program.stderr().slice(-2_000)}`);
  }
  patience.abort();
  await end(program);
  faults.push(...complaintsOf(program));

  const outcome = await readOutcome(client, office.accepted);
  faults.push(...(await chainFaults(url)));
  const repeatable = (id: string) => (open.has(id) && acceptedBefore.has(id) ? 1 : 0);
  faults.push(...(await mailFaults(client, office.accepted, repeatable)));
  return {
    outcome,
    killedAt: crossings.stopped ? crossings.last : null,
    crossings: crossings.count,
    answers: crossings.answers,
    ofSetup: crossings.ofSetup,
    repeats: office.accepted.length - outcome.mails.length,
    faults,
  };
}

const UNDEFINED_TABLE = "42P01";

/** For whoever asks before the program has made its tables: nothing is in them. */
function withoutTables(client: Client): Database {
  return {
    query: <Row extends QueryResultRow>(sql: string, values?: unknown[]) =>
      client.query<Row>(sql, values).catch((error: { code?: string }) => {
        if (error.code !== UNDEFINED_TABLE) throw error;
        return { rows: [] };
      }),
  };
}

/** Message-IDs of mails without a receipt. */
async function openMails(database: Database): Promise<Set<string>> {
  const { rows } = await database.query<{ id: string }>(
    "SELECT message_id AS id FROM notification WHERE state <> 'delivered'",
  );
  return new Set(rows.map(({ id }) => id));
}

/** Rejects when the program ends by itself. */
async function endOf(program: Program, isUnexpected: () => boolean): Promise<null> {
  const code = await program.ended;
  if (isUnexpected()) throw new Error(`the program ended by itself: ${code}`);
  return null;
}

/** Nothing is left to do, so that it may as well be killed. */
async function end(program: Program | null): Promise<void> {
  program?.child.kill("SIGKILL");
  await program?.ended;
}
