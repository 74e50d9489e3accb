/** What the rounds come to: medians, ratios taken within a round, and the bars. */
import { CASES, type Case, PROGRAMS, type Program } from "./job.ts";
import type { Round } from "./rounds.ts";
import type { AlertsSummary, DeliverySummary } from "./stages.ts";
import { median } from "./statistics.ts";

export type ProgramSummary = {
  /** Median. */
  readonly ms: number;
  readonly usPerInvite: number;
  /** The highest of all rounds. */
  readonly peakMb: number;
  readonly allMs: readonly number[];
};

export type CaseSummary = {
  readonly programs: { readonly [P in Program]?: ProgramSummary };
  /** Median of the rounds' ratios of times. */
  readonly oursToFloor: number;
  /** Null where naive was left out. */
  readonly naiveToOurs: number | null;
};

export type SizeSummary = {
  readonly invites: number;
  readonly rounds: number;
  readonly cases: { readonly [K in Case]: CaseSummary };
};

/** Something to be reached; `measured` and `reached` are null where its size was not measured. */
export type Bar = {
  readonly name: string;
  /** Whether it is reached from below or from above. */
  readonly bound: "≤" | "≥";
  readonly limit: number;
  readonly unit: "×" | "MiB";
  readonly measured: number | null;
  readonly reached: boolean | null;
};

/** @param rounds at least one */
export function summarise(invites: number, rounds: readonly Round[]): SizeSummary {
  const caseOf = (kind: Case) =>
    summariseCase(
      invites,
      rounds.map((round) => round[kind]),
    );
  return {
    invites,
    rounds: rounds.length,
    cases: { cold: caseOf("cold"), unchanged: caseOf("unchanged"), changed: caseOf("changed") },
  };
}

function summariseCase(invites: number, rounds: readonly Round[Case][]): CaseSummary {
  const programs: { [P in Program]?: ProgramSummary } = {};
  for (const program of PROGRAMS) {
    const measured = rounds.flatMap((round) => round[program] ?? []);
    if (measured.length === 0) continue;
    const allMs = measured.map(({ ms }) => ms);
    const ms = median(allMs);
    const peakMb = Math.max(...measured.map((one) => one.peakMb));
    programs[program] = { ms, usPerInvite: (ms * 1000) / invites, peakMb, allMs };
  }
  const ratios = (above: Program, below: Program) =>
    rounds.flatMap((round) => {
      const [over, under] = [round[above], round[below]];
      return over === undefined || under === undefined ? [] : [over.ms / under.ms];
    });
  const toOurs = ratios("naive", "ours");
  return {
    programs,
    oursToFloor: median(ratios("ours", "floor")),
    naiveToOurs: toOurs.length === 0 ? null : median(toOurs),
  };
}

/** What is measured beside the sync; what was left out is absent. */
export type Stages = { readonly alerts?: AlertsSummary; readonly delivery?: DeliverySummary };

/** What the stages have to reach; both are stated for 10,000. */
export function stageBars({ alerts, delivery }: Stages): readonly Bar[] {
  const toRecord = alerts?.invites === STATED_FOR ? alerts.toRecord : null;
  const toPool = delivery?.mails === STATED_FOR ? delivery.oursToPool : null;
  return [
    ...(alerts === undefined ? [] : [bar("10,000 new: plan and render, to diff and record", 2, "×", toRecord)]),
    ...(delivery === undefined ? [] : [bar("10,000 mails: speed, to a bare pool's", 0.5, "×", toPool, "≥")]),
  ];
}

const STATED_FOR = 10_000;

/** What a sync has to reach, in the order in which it is told. */
export function barsOf(sizes: readonly SizeSummary[]): readonly Bar[] {
  const [small, middle, large] = [1_000, 10_000, 100_000].map((size) => sizes.find(({ invites }) => invites === size));
  const growth = (kind: Case): number | null => {
    const [from, to] = [small, large].map((size) => size?.cases[kind].programs.ours?.usPerInvite);
    return from === undefined || to === undefined ? null : to / from;
  };
  const peaks = CASES.flatMap((kind) => large?.cases[kind].programs.ours?.peakMb ?? []);
  return [
    bar("10,000 unchanged, to the floor", 1.3, "×", middle?.cases.unchanged.oursToFloor ?? null),
    bar("10,000 cold, to the floor", 2.5, "×", middle?.cases.cold.oursToFloor ?? null),
    ...CASES.map((kind) => bar(`time per invite, 100,000 to 1,000, ${kind}`, 1.5, "×", growth(kind))),
    bar("peak memory at 100,000", 400, "MiB", peaks.length === 0 ? null : Math.max(...peaks)),
  ];
}

function bar(name: string, limit: number, unit: Bar["unit"], measured: number | null, bound: Bar["bound"] = "≤"): Bar {
  const reached = measured === null ? null : bound === "≤" ? measured <= limit : measured >= limit;
  return { name, bound, limit, unit, measured, reached };
}
