/** `notifications`: the outbox and its receipts. */
import { type Command, Option } from "commander";
import type { Notification, NotificationState } from "../domain/notification.ts";
import type { Context } from "./context.ts";
import { type JsonRow, type Report, writeReport } from "./format.ts";
import {
  addPagingOptions,
  addReadingOptions,
  type Desk,
  type PagingOptions,
  pagingOf,
  type ReadingOptions,
  reading,
} from "./reading.ts";
import type { Zone } from "./zone.ts";

type Options = ReadingOptions & PagingOptions & { readonly state?: NotificationState; readonly invite?: string };

const STATES: readonly NotificationState[] = ["pending", "sending", "delivered", "dead", "cancelled"];

const HELP = `
Examples:
  $ invitewatch notifications --state dead
  $ invitewatch notifications --invite 4f5f0c14a2a41d5063dd301b2f829f04 --json`;

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
    .description("the mails owed and delivered, newest first")
    .addOption(new Option("--state <state>", "only these").choices(STATES))
    .option("--invite <id>", "only mails about this invite");
  addPagingOptions(addReadingOptions(command))
    .addHelpText("after", HELP)
    .action((options: Options) => reading(context, options, (desk) => answer(desk, options, context)));
}

async function answer(desk: Desk, options: Options, context: Context): Promise<void> {
  const { reader, watches, zone } = desk;
  const paging = pagingOf(options, "desc");
  const filter = { watches, state: options.state ?? null, inviteId: options.invite ?? null };
  const report: Report<Notification> = {
    noun: "notifications",
    listing: reader.notifications(filter, paging),
    json: notificationJson,
    keys: KEYS,
    columns: columns(zone),
  };
  await writeReport(report, { format: options.format, paging, zoneName: zone.name }, context);
}

/** The notification in its public form. */
function notificationJson(notification: Notification): JsonRow {
  return {
    id: notification.id,
    watch: notification.watch,
    recipient: notification.recipient,
    kind: notification.kind,
    subject: notification.subject,
    messageId: notification.messageId,
    state: notification.state,
    reason: notification.reason,
    attempts: notification.attempts,
    createdAt: notification.createdAt.toISOString(),
    deliveredAt: notification.deliveredAt?.toISOString() ?? null,
    response: notification.response,
    error: notification.error,
    eventSeqs: notification.eventSeqs,
  };
}

function columns(zone: Zone): Report<Notification>["columns"] {
  return [
    { title: "CREATED", cell: (mail) => zone.show(mail.createdAt) },
    { title: "STATE", cell: (mail) => mail.state },
    { title: "TRIES", cell: (mail) => String(mail.attempts), align: "right" },
    { title: "RECIPIENT", cell: (mail) => mail.recipient, flexible: true },
    { title: "KIND", cell: (mail) => mail.kind },
    { title: "ID", cell: (mail) => mail.id, below: true },
    { title: "SUBJECT", cell: (mail) => mail.subject ?? "", flexible: true, below: true },
    { title: "REMARK", cell: remarkOf, flexible: true, below: true },
    { title: "WATCH", cell: (mail) => mail.watch ?? "several", flexible: true, from: 140 },
  ];
}

function remarkOf({ state, reason, error }: Notification): string {
  if (state === "delivered") return "";
  return [reason, error].filter((text) => text !== null).join(": ");
}
