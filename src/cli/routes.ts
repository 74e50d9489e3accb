/** `routes test`: who would be told of what, and by which rule; by the configuration alone. */
import type { Command } from "commander";
import type { Config, WatchConfig } from "../config/config.ts";
import { EVENT_TYPES, isAboutInvite, MAILED_TYPES } from "../config/event-types.ts";
import { nearest } from "../config/nearest.ts";
import type { EventType } from "../domain/event.ts";
import { matches } from "../domain/pattern.ts";
import { type Routable, type Routed, recipientsOf } from "../domain/routing.ts";
import { loadConfiguration } from "./configuration.ts";
import { type Context, write } from "./context.ts";
import { UsageError } from "./failure.ts";
import { held, type Report, writeReport } from "./format.ts";
import { type Column, renderTable, wrap } from "./format-table.ts";
import { helpText } from "./lines.ts";
import { printable } from "./printable.ts";
import { addReadingOptions, type ReadingOptions, repeatable } from "./reading.ts";

type Options = ReadingOptions & {
  readonly org?: string;
  readonly inviter?: string;
  readonly role?: readonly string[];
  readonly type?: readonly string[];
};

type Row = { readonly watch: string; readonly type: EventType; readonly recipients: readonly Routed[] };

const HELP = `
Nothing is contacted: what is asked is what the configuration says of an invitation like this. What is left out is
unknown, so that a route that asks for it does not match.

Examples:
  $ invitewatch routes test
  $ invitewatch routes test --org "Acme Labs" --type invite.received
  $ invitewatch routes test --watch ops --inviter eve@acme.example --role Administrator --json`;

/** Below every table in which it matters. */
const OUTCOME_NOTE =
  "How an invitation ended is told to those who were told of it before, unless their routes exclude it, and by the routes that ask for it.";
const OUTCOMES: readonly EventType[] = ["invite.status_changed", "invite.expired", "invite.withdrawn"];

export function addRoutes(program: Command, context: Context): void {
  const routes = program.command("routes").description("the routes of the configuration, tried out");
  const command = routes
    .command("test")
    .description("who would be told of what, and by which rule; nothing is contacted")
    .option("--org <text>", "the organization's name or id")
    .option("--inviter <text>", "who invites")
    .addOption(repeatable("--role <name>", "a role that is offered; may be given several times"))
    .addOption(repeatable("--type <type>", "a type of event, such as 'invite.*'; may be given several times"));
  addReadingOptions(command)
    .addHelpText("after", helpText(HELP, context))
    .action(async (options: Options) => answer(await loadConfiguration(context), options, context));
}

async function answer(config: Config, options: Options, context: Context): Promise<void> {
  const types = typesOf(options.type);
  const rows = watchesOf(config, options.watch).flatMap((watch) =>
    types.map((type): Row => {
      const invite = isAboutInvite(type) ? inviteOf(options) : null;
      return {
        watch: watch.name,
        type,
        recipients: recipientsOf({ type, watch: watch.name, invite }, watch.to, config.routes),
      };
    }),
  );
  if (options.format === "table") return write(context.stdout, tableOf(rows, context.columns));
  const report: Report<Row> = {
    noun: "routes",
    listing: held(rows),
    json: ({ watch, type, recipients }) => ({ watch, type, recipients }),
    keys: ["watch", "type", "recipients"],
    columns: COLUMNS,
  };
  const paging = { order: "asc", cursor: null, limit: null } as const;
  return writeReport(report, { format: options.format, paging, zoneName: config.timezone }, context);
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "WATCH", cell: ({ watch }) => watch, flexible: true },
  { title: "TYPE", cell: ({ type }) => type },
  { title: "TOLD, BY WHICH RULE", cell: ({ recipients }) => recipientsText(recipients), below: true },
];

function recipientsText(recipients: readonly Routed[]): string {
  const each = recipients.map(({ recipient, rules }) => `${recipient} (${rules.join(", ")})`);
  return each.length === 0 ? "nobody: nobody is configured" : each.join(", ");
}

function tableOf(rows: readonly Row[], columns: number): string {
  const lines = renderTable(rows, COLUMNS, columns);
  const note = rows.some(({ type }) => OUTCOMES.includes(type)) ? ["", ...wrap([OUTCOME_NOTE], columns)] : [];
  return `${[...lines, ...note].join("\n")}\n`;
}

/** @throws UsageError */
function watchesOf({ watches, missing }: Config, asked: readonly string[] | undefined): readonly WatchConfig[] {
  if (watches.length === 0) throw new UsageError(`No watch is configured. ${missing.join(" ")}`);
  for (const name of asked ?? []) {
    if (watches.some((watch) => watch.name === name)) continue;
    const known = watches.map((watch) => printable(watch.name)).join(", ");
    throw new UsageError(`There is no watch named ${printable(name)}; configured: ${known}.`);
  }
  return asked === undefined ? watches : watches.filter(({ name }) => asked.includes(name));
}

/** @throws UsageError */
function typesOf(asked: readonly string[] | undefined): readonly EventType[] {
  if (asked === undefined) return MAILED_TYPES;
  for (const pattern of asked) {
    const bare = pattern.replace(/^!/, "");
    if (EVENT_TYPES.some((type) => matches([bare], [type]))) continue;
    const meant = nearest(bare, EVENT_TYPES)?.name;
    throw new UsageError(`There is no type of event ${printable(pattern)}; did you mean ${meant}?`);
  }
  const types = MAILED_TYPES.filter((type) => matches(asked, [type]));
  if (types.length > 0) return types;
  throw new UsageError(`No mail is sent of such events by themselves. Mailed are ${MAILED_TYPES.join(", ")}.`);
}

/** Of an invite routing looks at no more than this. */
function inviteOf({ org, inviter, role }: Options): Routable["invite"] {
  return {
    organizationName: org ?? null,
    organizationId: org ?? null,
    invitedBy: inviter ?? null,
    roles: role ?? [],
  };
}
