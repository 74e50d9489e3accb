/** `check`: everything that a watch depends on, one line each: `OK`, or what to do. */
import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import { loadConfiguration } from "./configuration.ts";
import { type Context, write } from "./context.ts";
import type { Finding } from "./findings.ts";
import { helpText } from "./lines.ts";
import { printable } from "./printable.ts";

export function addCheck(program: Command, context: Context): void {
  program
    .command("check")
    .description("look at configuration, schedules, database, credential, one read of the list, clocks and mail server")
    .addHelpText(
      "after",
      helpText("\nExamples:\n  $ invitewatch check\n\nExit code 1 means that there is something to fix.", context),
    )
    .action(async () => {
      const config = await loadConfiguration(context);
      let fine = true;
      const report = async ({ subject, ok, text }: Finding) => {
        fine &&= ok;
        await write(context.stdout, `${ok ? "OK " : "FIX"}  ${subject.padEnd(SUBJECT_WIDTH)}  ${printable(text)}\n`);
      };
      for (const missing of config.missing) await report({ subject: "configuration", ok: false, text: missing });
      if (config.missing.length === 0) await report({ subject: "configuration", ok: true, text: summaryOf(config) });
      for (const warning of config.warnings) await report({ subject: "note", ok: true, text: warning });
      // Loaded here so that `--help` and a wrong configuration are answered at once.
      const [{ scheduleFindings }, { findingsOf }] = await Promise.all([
        import("./schedule-findings.ts"),
        import("./findings.ts"),
      ]);
      for (const finding of scheduleFindings(config, context.now())) await report(finding);
      for await (const finding of findingsOf(config)) await report(finding);
      if (!fine) context.setExitCode(1);
    });
}

const SUBJECT_WIDTH = 22;

function summaryOf({ watches }: Config): string {
  return watches.map(({ name, to, schedule }) => `${name}: ${schedule}, mail to ${to.join(", ")}`).join("; ");
}
