/** `gaps`: the stretches of time in which no complete snapshot was had. */
import type { Command } from "commander";
import type { Gap } from "../domain/coverage.ts";
import type { Context } from "./context.ts";
import { gapJson, gapLength, type Period, periodOf, readCoverage } from "./coverage.ts";
import { held, type Report, writeReport } from "./format.ts";
import { helpText } from "./lines.ts";
import { addReadingOptions, type Desk, type ReadingOptions, reading } from "./reading.ts";
import type { Zone } from "./zone.ts";

type Options = ReadingOptions & { readonly since?: string; readonly until?: string };

const HELP = `
A gap opens at a complete sync when the next one fell short or came late, and ends at the next complete one.

Examples:
  $ invitewatch gaps --since 30d
  $ invitewatch gaps --format csv > gaps.csv`;

export function addGaps(program: Command, context: Context): void {
  const command = program
    .command("gaps")
    .description("the stretches of time in which no complete snapshot was had, newest first")
    .option("--since <time>", "only those that lasted until then or longer")
    .option("--until <time>", "only those that began before");
  addReadingOptions(command)
    .addHelpText("after", helpText(HELP, context))
    .action((options: Options) =>
      reading(context, options, (question) => {
        const period = periodOf(options, question);
        return (desk) => answer(desk, { ...options, period }, context);
      }),
    );
}

type Asked = Options & { readonly period: Period };

async function answer(desk: Desk, options: Asked, context: Context): Promise<void> {
  const { gaps } = await readCoverage(options.period, desk);
  const report: Report<Gap> = {
    noun: "gaps",
    listing: held(gaps.toReversed()),
    json: gapJson,
    keys: ["watch", "since", "until", "reason", "syncs"],
    columns: columns(desk.zone),
  };
  const paging = { order: "desc", cursor: null, limit: null } as const;
  await writeReport(report, { format: options.format, paging, zoneName: desk.zone.name }, context);
}

function columns(zone: Zone): Report<Gap>["columns"] {
  return [
    { title: "SINCE", cell: (gap) => zone.show(gap.since) },
    { title: "UNTIL", cell: ({ until }) => (until === null ? "still open" : zone.show(until)) },
    { title: "LASTED", cell: gapLength, align: "right" },
    { title: "WATCH", cell: (gap) => gap.watch, flexible: true },
    { title: "SYNCS", cell: (gap) => String(gap.syncs), align: "right" },
    { title: "REASON", cell: (gap) => gap.reason, flexible: true, below: true },
  ];
}
