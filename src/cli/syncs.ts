/** `syncs`: the ledger of runs. */
import { type Command, Option } from "commander";
import type { Paging } from "../app/queries.ts";
import { isFuture } from "../domain/elapsed.ts";
import type { Sync, SyncOutcome } from "../domain/sync.ts";
import type { Context } from "./context.ts";
import { type Period, periodOf } from "./coverage.ts";
import { type JsonRow, type Report, writeReport } from "./format.ts";
import { helpText } from "./lines.ts";
import {
  addPagingOptions,
  addReadingOptions,
  type Desk,
  type PagingOptions,
  pagingOf,
  type ReadingOptions,
  reading,
} from "./reading.ts";
import { shortDuration, UNDER_WRONG_CLOCK, type Zone } from "./zone.ts";

type Options = ReadingOptions &
  PagingOptions & { readonly since?: string; readonly until?: string; readonly outcome?: SyncOutcome };

const OUTCOMES: readonly SyncOutcome[] = ["complete", "incomplete", "failed", "superseded"];

const HELP = `
Examples:
  $ invitewatch syncs --since 1d
  $ invitewatch syncs --outcome failed --json`;

const KEYS = [
  "id",
  "watch",
  "startedAt",
  "finishedAt",
  "outcome",
  "reason",
  "httpStatus",
  "code",
  "pages",
  "listed",
  "totalCount",
  "events",
];

export function addSyncs(program: Command, context: Context): void {
  const command = program
    .command("syncs")
    .description("the ledger of syncs, failed ones too, newest first")
    .option("--since <time>", "only those that started then or later")
    .option("--until <time>", "only those that started before")
    .addOption(new Option("--outcome <outcome>", "only these").choices(OUTCOMES));
  addPagingOptions(addReadingOptions(command))
    .addHelpText("after", helpText(HELP, context))
    .action((options: Options) =>
      reading(context, options, (question) => {
        const paging = pagingOf(options, "syncs");
        const period = periodOf(options, question);
        return (desk) => answer(desk, { ...options, paging, period }, context);
      }),
    );
}

type Asked = Options & { readonly paging: Paging; readonly period: Period };

async function answer(desk: Desk, options: Asked, context: Context): Promise<void> {
  const { reader, watches, zone } = desk;
  const { paging, period } = options;
  const filter = { watches, ...period, outcome: options.outcome ?? null };
  const listing = reader.syncs(filter, paging);
  const told = (sync: Sync): Sync => ({ ...sync, reason: reasonOf(sync, desk.now) });
  const report: Report<Sync> = {
    noun: "syncs",
    listing,
    json: (sync) => syncJson(told(sync)),
    keys: KEYS,
    columns: columns(zone, desk.now),
  };
  await writeReport(report, { format: options.format, paging, zoneName: zone.name }, context);
}

/** The sync in its public form. */
function syncJson(sync: Sync): JsonRow {
  return {
    id: sync.id,
    watch: sync.watch,
    startedAt: sync.startedAt.toISOString(),
    finishedAt: sync.finishedAt.toISOString(),
    outcome: sync.outcome,
    reason: sync.reason,
    httpStatus: sync.httpStatus,
    code: sync.code,
    pages: sync.pages,
    listed: sync.listed,
    totalCount: sync.totalCount,
    events: sync.events,
  };
}

/** Why it fell short; also that its instants cannot be true. */
function reasonOf({ startedAt, reason }: Sync, now: Date): string | null {
  if (!isFuture(startedAt, now)) return reason;
  return reason === null ? UNDER_WRONG_CLOCK : `${UNDER_WRONG_CLOCK}; ${reason}`;
}

function columns(zone: Zone, now: Date): Report<Sync>["columns"] {
  const number = (value: number | null) => (value === null ? "" : String(value));
  return [
    { title: "STARTED", cell: (sync) => zone.show(sync.startedAt) },
    { title: "WATCH", cell: (sync) => sync.watch, flexible: true },
    { title: "OUTCOME", cell: (sync) => sync.outcome },
    { title: "TOOK", cell: (sync) => tookOf(sync), align: "right" },
    { title: "LISTED", cell: (sync) => number(sync.listed), align: "right" },
    { title: "OF", cell: (sync) => number(sync.totalCount), align: "right" },
    { title: "EVENTS", cell: (sync) => number(sync.events), align: "right" },
    { title: "HTTP", cell: (sync) => number(sync.httpStatus), align: "right" },
    { title: "REASON", cell: (sync) => reasonOf(sync, now) ?? "", flexible: true, below: true },
    { title: "ID", cell: (sync) => sync.id, from: 140 },
  ];
}

function tookOf({ startedAt, finishedAt }: Sync): string {
  const ms = finishedAt.getTime() - startedAt.getTime();
  return ms < 1000 ? `${Math.max(0, ms)}ms` : shortDuration(ms);
}
