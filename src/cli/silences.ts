/** `silences`: what is held, until when and why. */
import type { Command } from "commander";
import type { Paging } from "../app/queries.ts";
import { isInForce, type Silence } from "../domain/silence.ts";
import type { Context } from "./context.ts";
import { type JsonRow, type Report, writeReport } from "./format.ts";
import { helpText } from "./lines.ts";
import { type PeopleDesk, withPeople } from "./people.ts";
import { quoted } from "./printable.ts";
import {
  addPagingOptions,
  addReadingOptions,
  type PagingOptions,
  pagingOf,
  type ReadingOptions,
  tellUnknown,
} from "./reading.ts";
import { relative } from "./zone.ts";

type Options = ReadingOptions & PagingOptions & { readonly all?: true };

const HELP = `
Examples:
  $ invitewatch silences
  $ invitewatch silences --all --json`;

const KEYS = ["id", "watch", "inviteId", "organization", "until", "reason", "by", "createdAt", "endedAt"];

export function addSilences(program: Command, context: Context): void {
  const command = program
    .command("silences")
    .description("the silences in force, newest first")
    .option("--all", "those that are over or were ended too");
  addPagingOptions(addReadingOptions(command))
    .addHelpText("after", helpText(HELP, context))
    .action((options: Options) =>
      withPeople(context, "read", () => {
        const paging = pagingOf(options, "silences");
        return (desk) => answer(desk, { ...options, paging }, context);
      }),
    );
}

type Asked = Options & { readonly paging: Paging };

async function answer(desk: PeopleDesk, options: Asked, context: Context): Promise<void> {
  const { people, zone, now } = desk;
  const { paging } = options;
  const watches = options.watch ?? null;
  if (watches !== null) await tellUnknown(watches, await people.watchNames(), context.stderr);
  const report: Report<Silence> = {
    noun: "silences",
    listing: people.silences({ watches, inForceAt: options.all ? null : now }, paging),
    json: silenceJson,
    keys: KEYS,
    columns: columns(desk),
  };
  await writeReport(report, { format: options.format, paging, zoneName: zone.name }, context);
}

/** The silence in its public form. */
export function silenceJson(silence: Silence): JsonRow {
  return {
    id: silence.id,
    watch: silence.watch,
    inviteId: silence.inviteId,
    organization: silence.organization,
    until: silence.until.toISOString(),
    reason: silence.reason,
    by: silence.by,
    createdAt: silence.createdAt.toISOString(),
    endedAt: silence.endedAt?.toISOString() ?? null,
  };
}

function columns({ zone, now }: PeopleDesk): Report<Silence>["columns"] {
  return [
    { title: "ID", cell: ({ id }) => id.slice(0, 8) },
    { title: "UNTIL", cell: ({ until }) => zone.show(until) },
    { title: "", cell: (silence) => standingOf(silence, now) },
    { title: "HOLDS", cell: holds, flexible: true },
    { title: "WATCH", cell: ({ watch }) => watch ?? "all", flexible: true },
    { title: "BY", cell: ({ by }) => by, flexible: true },
    { title: "SINCE", cell: ({ createdAt }) => zone.show(createdAt), from: 140 },
    { title: "REASON", cell: ({ reason }) => reason, flexible: true, below: true },
  ];
}

function standingOf(silence: Silence, now: Date): string {
  if (silence.endedAt !== null) return "ended";
  return isInForce(silence, now) ? relative(silence.until, now) : "over";
}

function holds({ inviteId, organization }: Silence): string {
  return inviteId === null ? quoted(organization ?? "") : `invite ${inviteId}`;
}
