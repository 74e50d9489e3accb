/** Kills the program at many points of the same job, or at every one, and compares what is left with an undisturbed run. */
import { describePoint, parsePoint, type StopPoint } from "./crossings.ts";
import { warmUp } from "./daemon.ts";
import { EVENTS, MAILS, RECIPIENTS } from "./job.ts";
import { type KilledRun, runKilled } from "./killed-run.ts";
import { differences, type Outcome } from "./outcome.ts";
import { sideBySide } from "./side-by-side.ts";

export type KillSummary = {
  /** What is wrong with the run that all others are compared with; nobody is killed then. */
  readonly undisturbed: readonly string[];
  readonly passed: number;
  readonly failed: readonly { readonly point: string; readonly killedAt: string; readonly faults: readonly string[] }[];
  /** Points that no run came to, because it took fewer messages than the undisturbed one. */
  readonly notReached: number;
  /** Mails that came twice, each with the same Message-ID and bytes. */
  readonly repeats: number;
};

export type KillOptions = {
  /** `long`: at crossings from the first to the last. */
  readonly form: "short" | "long";
  /** Of the long form: every so many crossings. */
  readonly every: number;
  /** The point to be killed at, in place of all. */
  readonly only: StopPoint | null;
  readonly atOnce: number;
  readonly progress: (text: string) => void;
};

const SAMPLES = 6;
const SAMPLES_OF_SETUP = 3;
/** Around the moment in which a mail changes hands: before the server has it, before we hear so, before we write it down. */
const HAND_OVERS = ["mail:1", "answer:1", "answer:1+1", "answer:4+2", "mail:6", "answer:8"];

export async function runKillSuite({ form, every, only, atOnce, progress }: KillOptions): Promise<KillSummary> {
  await warmUp();
  const handOvers = only === null ? HAND_OVERS.map((text) => parsePoint(text) as StopPoint) : [only];
  const ran: { readonly point: StopPoint; readonly run: KilledRun }[] = [];
  const kill = async (point: StopPoint) => {
    const run = await runKilled(point, startOf(point));
    ran.push({ point, run });
    progress(`${describePoint(point)}: killed at ${whereOf(run)}; ${ran.length} done`);
  };
  const undisturbed = { migrated: Promise.withResolvers<KilledRun>(), empty: Promise.withResolvers<KilledRun>() };
  const leaveAlone = async (from: Start) => {
    const run = await runKilled(null, from);
    progress(`undisturbed, ${from} at first: ${run.crossings} messages, ${run.ofSetup} of them to set itself up`);
    undisturbed[from].resolve(run);
  };
  const first = [
    () => leaveAlone("migrated"),
    () => leaveAlone("empty"),
    ...handOvers.map((point) => () => kill(point)),
  ];
  await sideBySide(first, atOnce, (play) => play());
  const references = { migrated: await undisturbed.migrated.promise, empty: await undisturbed.empty.promise };
  const wrong = [...faultsOf(references.migrated), ...faultsOf(references.empty)];
  if (wrong.length > 0) return { undisturbed: wrong, passed: 0, failed: [], notReached: 0, repeats: 0 };
  if (only === null) {
    const step = form === "long" ? every : null;
    const points: StopPoint[] = [
      ...numbersOf(references.empty.ofSetup, step, SAMPLES_OF_SETUP).map((n) => ({ at: "setup" as const, n })),
      ...numbersOf(references.migrated.crossings, step, SAMPLES).map((n) => ({ at: "crossing" as const, n })),
    ];
    await sideBySide(points, atOnce, kill);
  }
  return summarise(ran, references.migrated.outcome);
}

type Start = "empty" | "migrated";

function startOf({ at }: StopPoint): Start {
  return at === "setup" ? "empty" : "migrated";
}

/** @param step null for a few that are spread over them */
function numbersOf(crossings: number, step: number | null, few: number): number[] {
  const count = step === null ? few : Math.floor(crossings / step);
  return Array.from({ length: count }, (_, index) =>
    step === null ? Math.ceil(((index + 0.5) * crossings) / few) : (index + 1) * step,
  );
}

/** The undisturbed run itself must be right: all others are only like it. */
function faultsOf({ outcome, faults }: KilledRun): string[] {
  const types = outcome.events.map((line) => line.split(" ")[2]);
  const mails = outcome.mails.map((line) => line.split(" ").slice(0, 2).join(" "));
  const owed = RECIPIENTS.flatMap((recipient) => MAILS.map((kind) => `${recipient} ${kind}`));
  return [
    ...(types.join() === EVENTS.join() ? [] : [`recorded ${types.join(", ")} and not ${EVENTS.join(", ")}`]),
    ...(mails.sort().join() === owed.sort().join() ? [] : [`mailed ${mails.join(", ")} and not ${owed.join(", ")}`]),
    ...faults,
  ];
}

function summarise(
  ran: readonly { readonly point: StopPoint; readonly run: KilledRun }[],
  reference: Outcome,
): KillSummary {
  const judged = ran.map(({ point, run }) => ({
    point: describePoint(point),
    killedAt: whereOf(run),
    reached: run.killedAt !== null,
    faults: [...run.faults, ...differences(run.outcome, reference)],
  }));
  const failed = judged.filter(({ faults }) => faults.length > 0);
  return {
    undisturbed: [],
    passed: judged.filter(({ faults, reached }) => faults.length === 0 && reached).length,
    failed,
    notReached: judged.filter(({ faults, reached }) => faults.length === 0 && !reached).length,
    repeats: ran.reduce((sum, { run }) => sum + run.repeats, 0),
  };
}

function whereOf({ killedAt }: KilledRun): string {
  if (killedAt === null) return "no point";
  const { line, direction, what } = killedAt;
  return `${line} ${direction === "out" ? "<-" : "->"} ${what}`;
}
