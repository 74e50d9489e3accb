/**
 * Times syncs, whole processes, alerts, deliveries and the way from one to the other, prints a table and writes the results.
 *
 * npm run bench -- [--only STAGE] [--sizes 1000,10000,100000] [--runs N] [--quick] [--full | --without-naive]
 *   [--mails N] [--samples N] [--out FILE]
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startApi } from "./children.ts";
import { openDatabases } from "./databases.ts";
import { PROGRAMS, type Program } from "./job.ts";
import { measureProcesses, type ProcessSummary } from "./processes.ts";
import { type Round, runRound, type Surroundings } from "./rounds.ts";
import {
  type AlertsSummary,
  type DeliverySummary,
  type LatencySummary,
  measureAlerts,
  measureDelivery,
  measureLatency,
} from "./stages.ts";
import { barsOf, type SizeSummary, stageBars, summarise } from "./summary.ts";
import { alertsLine, barLines, deliveryLine, latencyLine, processLine, resultTable } from "./table.ts";

/** Beyond this the hand-written program takes minutes. */
const NAIVE_UP_TO = 10_000;
/** What a user may have, and what a large one has. */
const PROCESS_SIZES = [20, 1_000];
/** New invites at once. */
const ALERTS = 10_000;

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    sizes: { type: "string" },
    mails: { type: "string" },
    samples: { type: "string" },
    runs: { type: "string" },
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    "without-naive": { type: "boolean", default: false },
    out: { type: "string", default: fileURLToPath(new URL("results.json", import.meta.url)) },
  },
});
const sizes = wholeNumbers("--sizes", options.sizes ?? (options.quick ? "1000,10000" : "1000,10000,100000"));
const [mails = 0] = wholeNumbers("--mails", options.mails ?? (options.quick ? "1000" : "10000"));
const [samples = 0] = wholeNumbers("--samples", options.samples ?? (options.quick ? "50" : "200"));
const [runs] = wholeNumbers("--runs", options.runs ?? (options.quick ? "1" : "0"));

const STAGES = ["sync", "processes", "alerts", "delivery", "latency"] as const;
type Stage = (typeof STAGES)[number];
const stages = stagesNamed(options.only);

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
try {
  await bench();
} catch (error) {
  if (!stop.signal.aborted) throw error;
  process.stderr.write("stopped; nothing was written\n");
  process.exitCode = 130;
}

async function bench(): Promise<void> {
  tell(`${stages.join(", ")}; the machine should have nothing else to do`);
  const databases = await openDatabases();
  const around = { databases, signal: stop.signal, tell };
  try {
    stop.signal.throwIfAborted();
    const results = {
      ...(stages.includes("sync") && { sizes: await measureSizes(around) }),
      ...(stages.includes("processes") && { processes: await measureProcesses(PROCESS_SIZES, runs || 5, around) }),
      ...(stages.includes("alerts") && { alerts: await measureAlerts(ALERTS, runs || 3, around) }),
      ...(stages.includes("delivery") && { delivery: await measureDelivery(mails, runs || 3, around) }),
      ...(stages.includes("latency") && { latency: await measureLatency(samples, around) }),
    };
    await report(results, databases.serverVersion);
  } finally {
    await databases.close();
  }
}

async function measureSizes(around: Omit<Surroundings, "api">): Promise<readonly SizeSummary[]> {
  const api = startApi(stop.signal);
  try {
    const summaries: SizeSummary[] = [];
    for (const size of sizes) {
      const rounds: Round[] = [];
      for (let round = 0; round < (runs || (size > NAIVE_UP_TO ? 3 : 5)); round += 1) {
        tell(`${size}: round ${round + 1}`);
        rounds.push(await runRound(size, programsFor(size, round), { api, ...around }));
      }
      summaries.push(summarise(size, rounds));
    }
    return summaries;
  } finally {
    await api.close();
  }
}

/** Each round begins with another program. */
function programsFor(size: number, round: number): readonly Program[] {
  const programs = PROGRAMS.filter((program) => program !== "naive" || takesNaive(size));
  const first = round % programs.length;
  return [...programs.slice(first), ...programs.slice(0, first)];
}

function takesNaive(size: number): boolean {
  return !options["without-naive"] && (size <= NAIVE_UP_TO || options.full);
}

type Results = {
  readonly sizes?: readonly SizeSummary[];
  readonly processes?: readonly ProcessSummary[];
  readonly alerts?: AlertsSummary;
  readonly delivery?: DeliverySummary;
  readonly latency?: LatencySummary;
};

async function report(results: Results, postgres: string): Promise<void> {
  const { sizes: summaries, processes, alerts, delivery, latency } = results;
  const bars = [...(summaries === undefined ? [] : barsOf(summaries)), ...stageBars(results)];
  const about = { measuredAt: new Date().toISOString(), node: process.version, postgres, cpus: availableParallelism() };
  await writeFile(options.out, `${JSON.stringify({ ...about, ...results, bars }, null, 2)}\n`);
  const lines = [
    `Node.js ${about.node}, Postgres ${postgres}, ${about.cpus} CPUs; medians`,
    ...(summaries === undefined ? [] : syncLines(summaries)),
    ...(processes ?? []).map(processLine),
    ...(alerts === undefined ? [] : [alertsLine(alerts)]),
    ...(delivery === undefined ? [] : [deliveryLine(delivery)]),
    ...(latency === undefined ? [] : [latencyLine(latency)]),
    ...(bars.length === 0 ? [] : [barLines(bars)]),
    `written to ${options.out}`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function syncLines(summaries: readonly SizeSummary[]): readonly string[] {
  const leftOut = !options["without-naive"] && !sizes.every(takesNaive);
  return [
    `syncs: ${roundsOf(summaries)} rounds, in turns`,
    resultTable(summaries),
    ...(leftOut ? [`naive is left out beyond ${NAIVE_UP_TO.toLocaleString("en")} invites: --full includes it`] : []),
  ];
}

function roundsOf(summaries: readonly SizeSummary[]): string {
  return [...new Set(summaries.map(({ rounds }) => rounds))].join(" or ");
}

function tell(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

function stagesNamed(text: string | undefined): readonly Stage[] {
  if (text === undefined) return STAGES;
  const named = STAGES.filter((stage) => stage === text);
  if (named.length > 0) return named;
  throw new Error(`--only takes one of ${STAGES.join(", ")}, not "${text}"`);
}

function wholeNumbers(name: string, text: string): readonly number[] {
  const numbers = text.split(",").map(Number);
  if (numbers.every((number) => Number.isSafeInteger(number) && number >= 0)) return numbers;
  throw new Error(`${name} takes whole numbers, separated by commas, not "${text}"`);
}
