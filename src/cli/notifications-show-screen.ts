/** One mail for a screen: how it stands and why, every attempt, what it tells, and in whose place. */
import type { Mail, MailStory } from "../app/explain.ts";
import type { HistoryEntry, ListedMail } from "../app/queries.ts";
import { paragraph, titled, titledWhole } from "./lines.ts";
import { type MailView, mailFacts, shortId } from "./mail-facts.ts";
import { summaryOf } from "./summary.ts";
import type { Zone } from "./zone.ts";

/** Of a longer list the others are counted. */
const LISTED = 20;

/** The lines of the screen, none wider than it but for ids, which are never cut. */
export function mailScreenOf({ mail, told, covers }: MailStory, view: MailView): string[] {
  const { zone } = view;
  const events = told.map((entry) => eventText(entry, zone));
  const mails = covers.map((one) => mailText(one, zone));
  return [
    ...paragraph(`The mail to ${mail.recipient}`, 0, view),
    ...standing(mail, view),
    ...mailFacts(mail, view),
    "",
    ...list(toldTitle(mail, told.length), events, view),
    ...(mails.length === 0 ? [] : ["", ...list("It tells in place of", mails, view)]),
    "",
    `Times are in ${zone.name}.`,
  ];
}

function standing(mail: Mail, view: MailView): string[] {
  const { createdAt, usefulUntil } = mail;
  const { zone } = view;
  return [
    ...titledWhole("id", mail.id, view),
    // As the mail server's log has it.
    ...titledWhole("Message-ID", `<${mail.messageId}>`, view),
    ...titled("kind", mail.kind, view),
    ...titled("watch", mail.watch ?? "several", view),
    ...titled("state", mail.state, view),
    ...titled("created", zone.show(createdAt), view),
    ...letThrough(mail, view),
    ...(usefulUntil === null ? [] : titled("useful until", zone.show(usefulUntil), view)),
  ];
}

/** When it was let through or, where it had been attempted by then, was last retried; nothing while it never left. */
function letThrough({ releasedAt, attempts, deliveryAttempts: [first] }: Mail, view: MailView): string[] {
  if (releasedAt === null || attempts === 0) return [];
  const title = first !== undefined && first.startedAt < releasedAt ? "retried" : "released";
  return titled(title, view.zone.show(releasedAt), view);
}

function toldTitle({ kind }: Mail, events: number): string {
  if (events > 0) return "It tells";
  return kind === "digest" ? "It is an overview, and tells no event by itself." : "It tells no event.";
}

function eventText({ event, organizationName }: HistoryEntry, zone: Zone): string {
  return `${event.watch}/${event.seq}  ${event.type}  ${summaryOf(event, organizationName, zone)}`;
}

function mailText({ id, createdAt, kind, heldBy }: ListedMail, zone: Zone): string {
  const held = heldBy === null ? "" : `, held for ${heldBy}`;
  return `mail ${shortId(id)}  ${zone.show(createdAt)}  ${kind}${held}`;
}

function list(title: string, texts: readonly string[], view: MailView): readonly string[] {
  const others = texts.length - LISTED;
  const more = others > 0 ? [`and ${others} more: --json has them all`] : [];
  const shown = [...texts.slice(0, LISTED), ...more].flatMap((text) => paragraph(text, 2, view));
  return [...paragraph(title, 0, view), ...shown];
}
