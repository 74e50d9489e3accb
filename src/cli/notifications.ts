/** `notifications`: the outbox and its receipts. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { saidOf } from "../app/explain.ts";
import { isHeld } from "../app/mail-decisions.ts";
import type { ListedMail, NotificationFilter, Paging } from "../app/queries.ts";
import { EVENT_TYPES } from "../config/event-types.ts";
import type { NotificationKind, NotificationState } from "../domain/notification.ts";
import type { Context } from "./context.ts";
import { type Period, periodOf } from "./coverage.ts";
import { type Report, writeReport } from "./format.ts";
import { helpText } from "./lines.ts";
import { notificationJson } from "./mail-json.ts";
import { addNotificationsDiscard } from "./notifications-discard.ts";
import { addNotificationsRetry } from "./notifications-retry.ts";
import { addNotificationsShow } from "./notifications-show.ts";
import {
  addPagingOptions,
  addReadingOptions,
  chooseInvite,
  type Desk,
  type PagingOptions,
  pagingOf,
  type ReadingOptions,
  reading,
} from "./reading.ts";
import { spellInstants } from "./zone.ts";

type Options = ReadingOptions &
  PagingOptions & {
    readonly state?: readonly NotificationState[];
    readonly invite?: string;
    readonly recipient?: string;
    readonly kind?: NotificationKind;
    readonly since?: string;
    readonly until?: string;
  };

const STATES: readonly NotificationState[] = ["pending", "sending", "delivered", "dead", "cancelled"];
const KINDS: readonly NotificationKind[] = [...EVENT_TYPES, "inventory", "digest", "summary", "test"];

const HELP = `
A TIME is RFC 3339 (2026-11-22T10:00:00Z), a day (2026-11-22), yesterday, or how long ago (2h, 3d).

Every attempt at a mail is told by \`invitewatch notifications show\`; all mails about an invitation, and what was not
mailed, by \`invitewatch explain\`.

Examples:
  $ invitewatch notifications --state dead
  $ invitewatch notifications --recipient lead@example.com --since 7d
  $ invitewatch notifications --invite 4f5f0c14a2a41d5063dd301b2f829f04 --json
  $ invitewatch notifications show 7c9e66
  $ invitewatch notifications retry --all-dead
  $ invitewatch notifications discard 7c9e66 --reason "told by phone"`;

const KEYS = [
  "id",
  "watch",
  "recipient",
  "kind",
  "subject",
  "messageId",
  "state",
  "reason",
  "attempts",
  "createdAt",
  "deliveredAt",
  "response",
  "error",
  "eventSeqs",
];

export function addNotifications(program: Command, context: Context): void {
  const command = program
    .command("notifications")
    .description("the mails owed and delivered, newest first; show tells one, retry and discard act on them")
    .addOption(
      new Option("--state <state>", `only these: ${STATES.join(", ")}; may be given several times`).argParser(
        parseState,
      ),
    )
    .option("--invite <id>", "only mails about this invitation: its id, or the beginning of it")
    .option("--recipient <address>", "only mails to this address")
    .addOption(new Option("--kind <kind>", "only this kind, such as invite.expiring or digest").argParser(parseKind))
    .option("--since <time>", "only mails made then or later")
    .option("--until <time>", "only mails made before");
  addPagingOptions(addReadingOptions(command))
    .addHelpText("after", helpText(HELP, context))
    .action((options: Options) =>
      reading(context, options, (question) => {
        const paging = pagingOf(options, "notifications");
        const period = periodOf(options, question);
        return (desk) => answer(desk, { ...options, paging, period }, context);
      }),
    );
  addNotificationsShow(command, context);
  addNotificationsRetry(command, context);
  addNotificationsDiscard(command, context);
}

function parseState(text: string, before: readonly NotificationState[] = []): readonly NotificationState[] {
  const state = STATES.find((one) => one === text);
  if (state === undefined) throw new InvalidArgumentError(`Allowed choices are ${STATES.join(", ")}.`);
  return [...before, state];
}

function parseKind(text: string): NotificationKind {
  const kind = KINDS.find((one) => one === text);
  if (kind === undefined) throw new InvalidArgumentError(`It takes one of ${KINDS.join(", ")}.`);
  return kind;
}

type Asked = Options & { readonly paging: Paging; readonly period: Period };

async function answer(desk: Desk, options: Asked, context: Context): Promise<void> {
  const { reader, zone } = desk;
  const { paging, period } = options;
  const inviteId = await chooseInvite(options.invite, desk, context);
  if (inviteId === undefined) return;
  const report: Report<ListedMail> = {
    noun: "notifications",
    listing: reader.notifications(filterOf(options, inviteId, { ...period, watches: desk.watches }), paging),
    json: notificationJson,
    keys: KEYS,
    columns: columns(desk),
  };
  await writeReport(report, { format: options.format, paging, zoneName: zone.name }, context);
}

function filterOf(
  options: Options,
  inviteId: string | null,
  where: Period & Pick<NotificationFilter, "watches">,
): NotificationFilter {
  const { state: states = null, recipient = null, kind = null } = options;
  return { ...where, states, inviteId, recipient, kind };
}

function columns(desk: Desk): Report<ListedMail>["columns"] {
  const { zone } = desk;
  return [
    { title: "CREATED", cell: (mail) => zone.show(mail.createdAt) },
    { title: "STATE", cell: (mail) => mail.state },
    { title: "TRIES", cell: (mail) => String(mail.attempts), align: "right" },
    { title: "RECIPIENT", cell: (mail) => mail.recipient, flexible: true },
    { title: "KIND", cell: (mail) => mail.kind },
    { title: "ID", cell: (mail) => mail.id, below: true },
    { title: "SUBJECT", cell: (mail) => mail.subject ?? "", flexible: true, below: true },
    // Never cut: when a mail goes on stands at the end.
    { title: "REMARK", cell: (mail) => remarkOf(mail, desk), below: true },
    { title: "WATCH", cell: (mail) => mail.watch ?? "several", flexible: true, from: 140 },
  ];
}

/** Why it waits, was given up or is not sent; of a delivered one, that it may be a repeat. */
function remarkOf(mail: ListedMail, desk: Desk): string {
  return spellInstants(remarkTextOf(mail, desk), desk.zone);
}

function remarkTextOf(mail: ListedMail, desk: Desk): string {
  const { state, reason, error } = mail;
  switch (state) {
    case "delivered":
      return reason ?? "";
    case "pending":
      return waitOf(mail, desk);
    case "sending":
      return error ?? "";
    case "dead":
    case "cancelled":
      return saidOf(mail);
  }
}

function waitOf(mail: ListedMail, { zone, now }: Desk): string {
  const { attempts, reason, error, nextAttemptAt } = mail;
  if (mail.waitsForRelay && reason !== null) return reason;
  const until = nextAttemptAt === null || nextAttemptAt <= now ? "now" : zone.show(nextAttemptAt);
  if (isHeld(mail, now)) return `held until ${until}: ${reason ?? mail.heldBy}`;
  if (attempts === 0) return "";
  return `next attempt ${until}: ${error ?? `attempt ${attempts} has no record`}`;
}
