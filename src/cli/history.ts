/** `history`: the recorded events, with the coverage of the time asked for. */
import type { Command } from "commander";
import type { EventFilter, HistoryEntry, Paging } from "../app/queries.ts";
import { eventJson } from "../domain/chain.ts";
import { matches } from "../domain/pattern.ts";
import { type Context, write } from "./context.ts";
import { coverageClosing, type Period, periodOf, readCoverage } from "./coverage.ts";
import { type Report, writeReport } from "./format.ts";
import { helpText } from "./lines.ts";
import { printable } from "./printable.ts";
import {
  addPagingOptions,
  addReadingOptions,
  chooseInvite,
  type Desk,
  type PagingOptions,
  pagingOf,
  type ReadingOptions,
  reading,
  repeatable,
} from "./reading.ts";
import { summaryOf } from "./summary.ts";

type Options = ReadingOptions &
  PagingOptions & {
    readonly since?: string;
    readonly until?: string;
    readonly type?: readonly string[];
    readonly invite?: string;
    readonly org?: string;
    readonly email?: string;
    readonly inviter?: string;
    readonly status?: string;
    readonly text?: string;
  };

const HELP = `
A TIME is RFC 3339 (2026-11-22T10:00:00Z), a day (2026-11-22), yesterday, or how long ago (2h, 3d).

Events come newest first, in ndjson oldest first, so that \`invitewatch verify -\` can read along.

Examples:
  $ invitewatch history --since yesterday
  $ invitewatch history --type 'invite.*' --type '!invite.expiring' --org Acme
  $ invitewatch history --invite 4f5f0c14a2a41d5063dd301b2f829f04 --json
  $ invitewatch history --format ndjson > history.ndjson`;

const KEYS = [
  "seq",
  "id",
  "watch",
  "type",
  "inviteId",
  "occurredAt",
  "recordedAt",
  "syncId",
  "data",
  "prevHash",
  "hash",
];

export function addHistory(program: Command, context: Context): void {
  const command = program
    .command("history")
    .description("the recorded events, and how much of the time asked for was covered by complete syncs")
    .option("--since <time>", "only what happened then or later")
    .option("--until <time>", "only what happened before")
    .addOption(repeatable("--type <type>", "only this type; invite.* and !invite.changed work; may be repeated"))
    .option("--invite <id>", "only this invitation: its id, or the beginning of it")
    .option("--org <text>", "part of the organization's name as now known, or its exact id")
    .option("--email <text>", "part of the invited address")
    .option("--inviter <text>", "part of who invited")
    .option("--status <status>", "only invitations whose status is this now")
    .option("--text <text>", "part of any value in the event, or of the organization's name");
  addPagingOptions(addReadingOptions(command))
    .addHelpText("after", helpText(HELP, context))
    .action((options: Options) =>
      reading(context, options, (question) => {
        const paging = pagingOf(options, "events", options.format === "ndjson" ? "asc" : "desc");
        const period = periodOf(options, question);
        return (desk) => answer(desk, { ...options, paging, period }, context);
      }),
    );
}

type Asked = Options & { readonly paging: Paging; readonly period: Period };

async function answer(desk: Desk, options: Asked, context: Context): Promise<void> {
  const { reader, zone } = desk;
  const { paging, period } = options;
  const inviteId = await chooseInvite(options.invite, desk, context);
  if (inviteId === undefined) return;
  const types = await chooseTypes(options.type, desk, context);
  const filter = filterOf(options, { ...period, watches: desk.watches, inviteId, types });
  const report: Report<HistoryEntry> = {
    noun: "events",
    listing: reader.events(filter, paging),
    json: ({ event }) => eventJson(event),
    keys: KEYS,
    columns: columns(desk),
    closing: async () => coverageClosing(await readCoverage(period, desk), zone),
  };
  await writeReport(report, { format: options.format, paging, zoneName: zone.name }, context);
}

type Chosen = Pick<EventFilter, "since" | "until" | "watches" | "inviteId" | "types">;

function filterOf(options: Options, chosen: Chosen): EventFilter {
  const { org = null, email = null, inviter = null, status = null, text = null } = options;
  return { ...chosen, organization: org, email, inviter, status, text };
}

/** The recorded types that the patterns mean; null for all. Patterns that mean none are told on stderr. */
async function chooseTypes(
  patterns: readonly string[] | undefined,
  { reader }: Desk,
  { stderr }: Context,
): Promise<readonly string[] | null> {
  if (patterns === undefined) return null;
  const recorded = await reader.eventTypes();
  const chosen = recorded.filter((type) => matches(patterns, [type]));
  if (chosen.length === 0) {
    const types = recorded.length === 0 ? "nothing is recorded yet" : `recorded: ${recorded.join(", ")}`;
    await write(stderr, `There is no event of the type ${printable(patterns.join(" "))}; ${types}.\n`);
  }
  return chosen;
}

function columns({ zone }: Desk): Report<HistoryEntry>["columns"] {
  return [
    { title: "TIME", cell: ({ event }) => zone.show(event.occurredAt) },
    { title: "RECORDED", cell: ({ event }) => zone.show(event.recordedAt), from: 160 },
    { title: "WATCH", cell: ({ event }) => event.watch, flexible: true },
    { title: "SEQ", cell: ({ event }) => String(event.seq), align: "right" },
    { title: "TYPE", cell: ({ event }) => event.type, flexible: true },
    {
      title: "WHAT",
      cell: ({ event, organizationName }) => summaryOf(event, organizationName, zone),
      flexible: true,
      below: true,
    },
  ];
}
