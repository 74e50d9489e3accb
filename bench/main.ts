/**
 * Times one sync beside the floor and a hand-written program, prints a table and writes the results.
 *
 * npm run bench -- [--sizes 1000,10000,100000] [--runs N] [--quick] [--full | --without-naive] [--out FILE]
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startApi } from "./children.ts";
import { openDatabases } from "./databases.ts";
import { PROGRAMS, type Program } from "./job.ts";
import { type Round, runRound } from "./rounds.ts";
import { barsOf, type SizeSummary, summarise } from "./summary.ts";
import { barLines, resultTable } from "./table.ts";

/** Beyond this the hand-written program takes minutes. */
const NAIVE_UP_TO = 10_000;

const { values: options } = parseArgs({
  options: {
    sizes: { type: "string" },
    runs: { type: "string" },
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    "without-naive": { type: "boolean", default: false },
    out: { type: "string", default: fileURLToPath(new URL("results.json", import.meta.url)) },
  },
});
const sizes = wholeNumbers("--sizes", options.sizes ?? (options.quick ? "1000,10000" : "1000,10000,100000"));
const [runs] = wholeNumbers("--runs", options.runs ?? (options.quick ? "1" : "0"));

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
  tell(`${sizes.join(", ")} invites; the machine should have nothing else to do`);
  const databases = await openDatabases();
  const api = startApi(stop.signal);
  try {
    stop.signal.throwIfAborted();
    const summaries: SizeSummary[] = [];
    for (const size of sizes) {
      const rounds: Round[] = [];
      for (let round = 0; round < (runs || (size > NAIVE_UP_TO ? 3 : 5)); round += 1) {
        tell(`${size}: round ${round + 1}`);
        rounds.push(await runRound(size, programsFor(size, round), { api, databases, signal: stop.signal, tell }));
      }
      summaries.push(summarise(size, rounds));
    }
    await report(summaries, databases.serverVersion);
  } finally {
    await api.close();
    await databases.close();
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

async function report(summaries: readonly SizeSummary[], postgres: string): Promise<void> {
  const bars = barsOf(summaries);
  const about = { measuredAt: new Date().toISOString(), node: process.version, postgres, cpus: availableParallelism() };
  await writeFile(options.out, `${JSON.stringify({ ...about, sizes: summaries, bars }, null, 2)}\n`);
  const leftOut = !options["without-naive"] && !sizes.every(takesNaive);
  process.stdout.write(
    [
      `Node.js ${about.node}, Postgres ${postgres}, ${about.cpus} CPUs; medians of ${roundsOf(summaries)} rounds, in turns`,
      resultTable(summaries),
      ...(leftOut ? [`naive is left out beyond ${NAIVE_UP_TO.toLocaleString("en")} invites: --full includes it`] : []),
      barLines(bars),
      `written to ${options.out}`,
      "",
    ].join("\n"),
  );
}

function roundsOf(summaries: readonly SizeSummary[]): string {
  return [...new Set(summaries.map(({ rounds }) => rounds))].join(" or ");
}

function tell(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

function wholeNumbers(name: string, text: string): readonly number[] {
  const numbers = text.split(",").map(Number);
  if (numbers.every((number) => Number.isSafeInteger(number) && number >= 0)) return numbers;
  throw new Error(`${name} takes whole numbers, separated by commas, not "${text}"`);
}
