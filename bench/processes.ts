/** One sync as a whole process, start-up included, beside the script that somebody would have cron run instead. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { startApi, startMailServer } from "./children.ts";
import type { Surroundings } from "./rounds.ts";
import { median } from "./statistics.ts";

const COMMANDS = {
  ours: [fileURLToPath(new URL("../src/main.ts", import.meta.url)), "sync"],
  script: [fileURLToPath(new URL("script.ts", import.meta.url))],
} as const;
type Command = keyof typeof COMMANDS;

/** `first`: all invites are new. `again`: none is. */
const CASES = ["first", "again"] as const;
type Case = (typeof CASES)[number];

/** Medians of the rounds, in ms. */
export type ProcessSummary = {
  readonly invites: number;
  readonly rounds: number;
  readonly cases: {
    readonly [K in Case]: { readonly oursMs: number; readonly scriptMs: number; readonly oursToScript: number };
  };
};

/** @param sizes lengths of the list */
export async function measureProcesses(
  sizes: readonly number[],
  rounds: number,
  around: Omit<Surroundings, "api">,
): Promise<readonly ProcessSummary[]> {
  const api = startApi(around.signal);
  const server = await startMailServer(around.signal);
  try {
    const summaries: ProcessSummary[] = [];
    for (const invites of sizes) {
      const { url, token } = await api.set({ kind: "fill", size: invites });
      const places = { CLOUDFLARE_BASE_URL: url, CLOUDFLARE_API_TOKEN: token, SMTP_URL: server.url };
      const measured: Record<Case, Record<Command, number>>[] = [];
      // The first round compiles what later ones find compiled.
      for (let round = 0; round <= rounds; round += 1) measured.push(await runRound(round, places, around));
      summaries.push(summarise(invites, measured.slice(1)));
      around.tell(`processes: ${invites} invites: ${JSON.stringify(summaries.at(-1)?.cases)}`);
    }
    return summaries;
  } finally {
    await server.close();
    await api.close();
  }
}

type Places = Readonly<Record<string, string>>;

async function runRound(round: number, places: Places, { databases, signal }: Omit<Surroundings, "api">) {
  const took = { first: { ours: 0, script: 0 }, again: { ours: 0, script: 0 } };
  const commands: readonly Command[] = round % 2 === 0 ? ["ours", "script"] : ["script", "ours"];
  for (const command of commands) {
    const database = await databases.create();
    try {
      for (const kind of CASES) {
        took[kind][command] = await run(command, { ...places, DATABASE_URL: database.url }, signal);
      }
    } finally {
      if (!signal.aborted) await database.drop();
    }
  }
  return took;
}

/** Milliseconds from the start of the process to its end. @throws when it failed */
async function run(command: Command, places: Places, signal: AbortSignal): Promise<number> {
  const env = { PATH: process.env.PATH, MAIL_FROM: "invites@example.com", MAIL_TO: "ops@example.com", ...places };
  const startedAt = performance.now();
  const child = spawn(process.execPath, COMMANDS[command], { env, signal, stdio: ["ignore", "ignore", "pipe"] });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${said}`);
  return performance.now() - startedAt;
}

function summarise(invites: number, rounds: readonly Record<Case, Record<Command, number>>[]): ProcessSummary {
  const caseOf = (kind: Case) => ({
    oursMs: median(rounds.map((round) => round[kind].ours)),
    scriptMs: median(rounds.map((round) => round[kind].script)),
    oursToScript: median(rounds.map((round) => round[kind].ours / round[kind].script)),
  });
  return { invites, rounds: rounds.length, cases: { first: caseOf("first"), again: caseOf("again") } };
}
