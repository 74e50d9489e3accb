/** One round: every program does every case once, in turns, so that what slows the machine down slows all of them. */
import { type Api, runProgram } from "./children.ts";
import type { BenchDatabase, Databases } from "./databases.ts";
import { CASES, type Case, type Measurement, type Program } from "./job.ts";

/** What one round measured; a program that was left out has no entry. */
export type Round = { readonly [K in Case]: { readonly [P in Program]?: Measurement } };

export type Surroundings = {
  readonly api: Api;
  readonly databases: Databases;
  readonly signal: AbortSignal;
  /** Says what comes next. */
  readonly tell: (progress: string) => void;
};

/**
 * Measures one round on fresh databases.
 *
 * @param programs in the order in which they take their turns
 * @throws when a program did not do its work
 */
export async function runRound(size: number, programs: readonly Program[], around: Surroundings): Promise<Round> {
  const own = new Map<Program, BenchDatabase>();
  try {
    for (const program of programs) own.set(program, await around.databases.create());
    const round = { cold: {}, unchanged: {}, changed: {} };
    for (const kind of CASES) round[kind] = await runCase(kind, size, own, around);
    return round;
  } finally {
    if (!around.signal.aborted) for (const database of own.values()) await database.drop();
  }
}

async function runCase(
  kind: Case,
  size: number,
  own: ReadonlyMap<Program, BenchDatabase>,
  { api, signal, tell }: Surroundings,
): Promise<{ [P in Program]?: Measurement }> {
  const { url, warmUpUrl, token } = await api.set(kind === "changed" ? { kind: "change" } : { kind: "fill", size });
  const measured: { [P in Program]?: Measurement } = {};
  for (const [program, database] of own) {
    await database.settle();
    const job = { case: kind, apiUrl: url, warmUpUrl, token, databaseUrl: database.url };
    const measurement = await runProgram<Measurement>(program, job, signal);
    assertDone(program, kind, size, measurement);
    measured[program] = measurement;
    tell(`${size} ${kind} ${program}: ${measurement.ms.toFixed(0)} ms, ${measurement.peakMb.toFixed(0)} MiB`);
  }
  return measured;
}

/** A program that does less than it should is fast for nothing. */
function assertDone(program: Program, kind: Case, size: number, { invites, events }: Measurement): void {
  const expected = { cold: size + 1, unchanged: 0, changed: Math.ceil(size / 100) }[kind];
  if (invites !== size) throw new Error(`${program} read ${invites} of ${size} invites`);
  if (events !== null && events !== expected) throw new Error(`${program} recorded ${events} events, not ${expected}`);
}
