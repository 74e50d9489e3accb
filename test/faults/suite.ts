/** The three parts of the fault suite in their short and long forms, and what is said of them. */
import type { StopPoint } from "./crossings.ts";
import { runDatabaseSuite } from "./database-suite.ts";
import { runKillSuite } from "./kill-suite.ts";
import { type WeatherSummary, weather } from "./weather.ts";

export type Part = "kill" | "database" | "weather";

export type SuiteOptions = {
  readonly form: "short" | "long";
  /** Kill points of the long form: every so many crossings. */
  readonly every: number;
  /** One kill point, in place of all. */
  readonly only: StopPoint | null;
  /** One weather, in place of all. */
  readonly seed: string | null;
  /** One fault of the database, in place of all. */
  readonly fault: string | null;
  readonly parts: readonly Part[];
  readonly progress: (text: string) => void;
  /** Takes what passed and what did not, with how to play it again. */
  readonly report: (text: string) => void;
};

const SIZES = {
  short: { seeds: ["1"], watches: 4, seconds: 20 },
  long: { seeds: ["1", "2", "3", "4", "5", "6"], watches: 50, seconds: 120 },
} as const;
const KILLS_AT_ONCE = 6;
const DATABASE_FAULTS_AT_ONCE = 5;
/** More would hide what is said last. */
const FAULTS_SHOWN = 12;

/** Whether everything passed. In the short form the parts run side by side. */
export async function runSuite(options: SuiteOptions): Promise<boolean> {
  const all = { kill: killPart, database: databasePart, weather: weatherPart };
  const parts = options.parts.map((part) => all[part]);
  if (options.form === "short") return (await Promise.all(parts.map((part) => part(options)))).every(Boolean);
  let passed = true;
  for (const part of parts) passed = (await part(options)) && passed;
  return passed;
}

async function killPart({ form, every, only, progress, report }: SuiteOptions): Promise<boolean> {
  const kills = await runKillSuite({ form, every, only, atOnce: KILLS_AT_ONCE, progress });
  for (const { point, killedAt, faults } of kills.failed) {
    report(`kill point ${point} (${killedAt}) failed:\n${listOf(faults)}\n  replay: --kill-only --only ${point}`);
  }
  if (kills.undisturbed.length > 0) report(`the undisturbed run is wrong already:\n${listOf(kills.undisturbed)}`);
  report(`kill points: ${kills.passed} passed, ${kills.failed.length} failed`);
  report(`  mails that came twice, with the same Message-ID and bytes: ${kills.repeats}`);
  if (kills.notReached > 0) report(`  points that the run ended before: ${kills.notReached}`);
  return kills.undisturbed.length === 0 && kills.failed.length === 0;
}

async function databasePart({ form, fault, progress, report }: SuiteOptions): Promise<boolean> {
  const run = await runDatabaseSuite({ form, only: fault, atOnce: DATABASE_FAULTS_AT_ONCE, progress });
  for (const { name, faults } of run.failed) {
    const replay = `--database-only ${form === "long" ? "--long " : ""}--fault ${JSON.stringify(name)}`;
    report(`${name} failed:\n${listOf(faults)}\n  replay: ${replay}`);
  }
  if (run.undisturbed.length > 0) report(`the undisturbed run is wrong already:\n${listOf(run.undisturbed)}`);
  report(`database faults: ${run.passed} passed, ${run.failed.length} failed`);
  report(`  mails that came twice, with the same Message-ID and bytes: ${run.repeats}`);
  return run.undisturbed.length === 0 && run.failed.length === 0 && run.passed > 0;
}

async function weatherPart({ form, seed, progress, report }: SuiteOptions): Promise<boolean> {
  const { seeds, ...size } = SIZES[form];
  const summaries: WeatherSummary[] = [];
  for (const each of seed === null ? seeds : [seed]) {
    const summary = await weather({ seed: each, ...size, progress });
    summaries.push(summary);
    const { faults, happenings, events, mails, repeats } = summary;
    progress(`seed ${each}: ${happenings} faults, ${events} events, ${mails} mails, ${repeats} came twice`);
    if (faults.length === 0) continue;
    report(
      `seed ${each} failed:\n${listOf(faults)}\n  replay: --weather-only ${form === "long" ? "--long " : ""}--seed ${each}`,
    );
  }
  const failed = summaries.filter(({ faults }) => faults.length > 0).length;
  const sum = (what: "simulatedHours" | "happenings" | "events" | "mails" | "repeats") =>
    summaries.reduce((total, summary) => total + summary[what], 0);
  report(`weather: ${summaries.length - failed} seeds passed, ${failed} failed`);
  report(
    `  ${sum("simulatedHours").toFixed(1)} simulated hours of ${size.watches} watches on 2 replicas: ${sum("happenings")} faults, ` +
      `${sum("events")} events, ${sum("mails")} mails, ${sum("repeats")} came twice`,
  );
  return failed === 0;
}

function listOf(faults: readonly string[]): string {
  const more = faults.length > FAULTS_SHOWN ? [`and ${faults.length - FAULTS_SHOWN} more`] : [];
  return [...faults.slice(0, FAULTS_SHOWN), ...more].map((fault) => `  ${fault}`).join("\n");
}
