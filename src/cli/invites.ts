/** `invites`: what is known of them now. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Paging } from "../app/queries.ts";
import { parseDuration } from "../config/duration.ts";
import { type Invite, inviteJson } from "../domain/invite.ts";
import type { Context } from "./context.ts";
import { type Report, writeReport } from "./format.ts";
import { helpText } from "./lines.ts";
import { quoted } from "./printable.ts";
import {
  addPagingOptions,
  addReadingOptions,
  type Desk,
  type PagingOptions,
  pagingOf,
  type ReadingOptions,
  reading,
} from "./reading.ts";
import { relative } from "./zone.ts";

type Options = ReadingOptions &
  PagingOptions & {
    readonly status?: string;
    readonly org?: string;
    readonly expiringWithin?: number;
    readonly all?: true;
  };

const HELP = `
Examples:
  $ invitewatch invites
  $ invitewatch invites --expiring-within 3d
  $ invitewatch invites --status withdrawn --org Acme --json
  $ invitewatch invites --all --format csv > invites.csv`;

const KEYS = [
  "watch",
  "id",
  "status",
  "apiStatus",
  "organizationId",
  "organizationName",
  "organizationEnforcesTwoFactor",
  "invitedMemberId",
  "invitedMemberEmail",
  "invitedBy",
  "roles",
  "invitedAt",
  "expiresAt",
  "firstSeenAt",
  "lastChangedAt",
  "listed",
];

export function addInvites(program: Command, context: Context): void {
  const command = program
    .command("invites")
    .description("invitations as now known, newest first; pending ones unless another status is asked for")
    .addOption(new Option("--status <status>", "only this status: pending, accepted, rejected, expired, withdrawn, …"))
    .option("--org <text>", "only where this is part of the organization's name, or its exact id")
    .addOption(
      new Option("--expiring-within <duration>", "only those that end within, such as 3d").argParser(parseSpan),
    )
    .addOption(new Option("--all", "whatever the status").conflicts("status"));
  addPagingOptions(addReadingOptions(command))
    .addHelpText("after", helpText(HELP, context))
    .action((options: Options) =>
      reading(context, options, () => {
        const paging = pagingOf(options, "invites");
        return (desk) => answer(desk, { ...options, paging }, context);
      }),
    );
}

type Asked = Options & { readonly paging: Paging };

async function answer(desk: Desk, options: Asked, context: Context): Promise<void> {
  const { reader, watches, now, zone } = desk;
  const { status = "pending", org = null, expiringWithin, all, paging } = options;
  const expiring =
    expiringWithin === undefined ? null : { after: now, until: new Date(now.getTime() + expiringWithin) };
  const filter = { watches, status: all ? null : status, organization: org, expiring };
  const listing = reader.invites(filter, paging);
  const report: Report<Invite> = { noun: "invites", listing, json: inviteJson, keys: KEYS, columns: columns(desk) };
  await writeReport(report, { format: options.format, paging, zoneName: zone.name }, context);
}

function columns({ zone, now }: Desk): Report<Invite>["columns"] {
  return [
    {
      title: "ORGANIZATION",
      cell: ({ organizationName }) => (organizationName === null ? "(no name)" : quoted(organizationName)),
      flexible: true,
    },
    { title: "STATUS", cell: (invite) => invite.status, flexible: true },
    { title: "ENDS", cell: ({ expiresAt }) => (expiresAt === null ? "unknown" : zone.show(expiresAt)) },
    {
      title: "",
      cell: ({ status, expiresAt }) => (status === "pending" && expiresAt !== null ? relative(expiresAt, now) : ""),
    },
    { title: "WATCH", cell: (invite) => invite.watch, flexible: true },
    { title: "ID", cell: (invite) => invite.id, below: true },
    { title: "ROLES", cell: (invite) => invite.roles.join(", "), flexible: true, below: true },
    { title: "INVITED BY", cell: (invite) => invite.invitedBy ?? "", flexible: true, from: 140 },
    { title: "FOR", cell: (invite) => invite.invitedMemberEmail ?? "", flexible: true, from: 140 },
  ];
}

const LONGEST_SPAN_MS = 100 * 366 * 24 * 3_600_000;

function parseSpan(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms > LONGEST_SPAN_MS) throw new InvalidArgumentError("It takes a duration such as 12h or 3d.");
  return ms;
}
