/** Lets the database fail in many ways during the same job, and compares what is left with an undisturbed run. */
import { warmUp } from "./daemon.ts";
import { databaseFaults } from "./database-faults.ts";
import { type DatabaseFault, type DisturbedRun, runDisturbed } from "./disturbed-run.ts";
import { differences } from "./outcome.ts";
import { sideBySide } from "./side-by-side.ts";

export type DatabaseSummary = {
  /** What is wrong with the run that all others are compared with; nothing else is run then. */
  readonly undisturbed: readonly string[];
  readonly passed: number;
  readonly failed: readonly { readonly name: string; readonly faults: readonly string[] }[];
  /** Mails that came twice, each with the same Message-ID and bytes. */
  readonly repeats: number;
};

export type DatabaseOptions = {
  readonly form: "short" | "long";
  /** The fault to be played, in place of all. */
  readonly only: string | null;
  readonly atOnce: number;
  readonly progress: (text: string) => void;
};

export async function runDatabaseSuite({ form, only, atOnce, progress }: DatabaseOptions): Promise<DatabaseSummary> {
  await warmUp();
  const ran: { readonly fault: DatabaseFault; readonly run: DisturbedRun }[] = [];
  const reference = Promise.withResolvers<DisturbedRun>();
  const chosen = databaseFaults(form).filter(({ name }) => only === null || name === only);
  await sideBySide([null, ...chosen], atOnce, async (fault) => {
    const run = await runDisturbed(fault);
    progress(`${fault?.name ?? "no fault"}: ${run.seconds.toFixed(1)} s`);
    if (fault === null) reference.resolve(run);
    else ran.push({ fault, run });
  });
  const undisturbed = await reference.promise;
  const judged = ran.map(({ fault: { name }, run }) => ({
    name,
    faults: [...run.faults, ...differences(run.outcome, undisturbed.outcome)],
  }));
  const failed = judged.filter(({ faults }) => faults.length > 0);
  const repeats = ran.reduce((sum, { run }) => sum + run.repeats, 0);
  return { undisturbed: undisturbed.faults, passed: judged.length - failed.length, failed, repeats };
}
