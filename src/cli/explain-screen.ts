/** The story of one invitation for a screen: how it stands, what happened in the order of time, and each mail. */
import { type Mail, type Outcome, type Outlook, outcomesOf, type Story, thresholdText } from "../app/explain.ts";
import type { Event } from "../domain/event.ts";
import type { Invite } from "../domain/invite.ts";
import { type Route, recipientsOf } from "../domain/routing.ts";
import { isInForce, type Silence } from "../domain/silence.ts";
import { paragraph, titled } from "./lines.ts";
import { type MailView, mailFacts, shortId } from "./mail-facts.ts";
import { printable } from "./printable.ts";
import { summaryOf } from "./summary.ts";
import { relative, spellInstants } from "./zone.ts";

type View = MailView & {
  readonly outlook: Outlook;
  /** As configured now: who would be told. */
  readonly audience: { readonly recipients: readonly string[]; readonly routes: readonly Route[] };
  /** The organization's. */
  readonly name: string;
};

/** The lines of the screen, none wider than it but for ids that cannot be cut. */
export function screenOf(story: Story, view: View): string[] {
  return [
    ...paragraph(`The invitation of ${view.name}`, 0, view),
    ...standing(story, view),
    "",
    "What happened",
    ...timeline(story, view).flatMap(({ lines }) => ["", ...lines]),
    "",
    story.mails.length === 0 ? "No mail was made." : "Mails",
    ...story.mails.flatMap((mail) => ["", ...mailLines(mail, view)]),
    "",
    `Times are in ${view.zone.name}.`,
  ];
}

function standing({ invite, silences }: Story, view: View): string[] {
  const { zone, now, outlook } = view;
  const { acknowledgedAt, expiresAt, cautions } = invite;
  const end =
    expiresAt === null ? "its end is not known" : `ends ${zone.show(expiresAt)} (${relative(expiresAt, now)})`;
  return [
    ["id", invite.id],
    ["watch", invite.watch],
    ["status", invite.status === "pending" ? `pending, ${end}` : invite.status],
    ["acknowledged", acknowledgedAt === null ? "no" : `since ${zone.show(acknowledgedAt)}`],
    ...silences
      .filter((silence) => isInForce(silence, now))
      .map((silence) => ["silenced", `until ${zone.show(silence.until)} by silence ${shortId(silence.id)}`]),
    ...cautions.map((caution) => ["look twice", caution]),
    ["next", outlookText(outlook, invite, view)],
  ].flatMap(([title = "", text = ""]) => titled(title, text, view));
}

function outlookText(outlook: Outlook, invite: Invite, { zone, now, audience }: View): string {
  if (outlook.kind === "none") return `no reminder: ${outlook.reason}`;
  const { threshold, at, silence } = outlook;
  const when = at <= now ? "at the next sync" : `at ${zone.show(at)} (${relative(at, now)})`;
  const event = { type: "invite.expiring", watch: invite.watch, invite } as const;
  const people = recipientsOf(event, audience.recipients, audience.routes).map(
    ({ recipient, rules }) => `${recipient} (${rules.join(", ")})`,
  );
  const to = people.length === 0 ? "" : `, to ${people.join(", ")}`;
  const held = silence === null ? "" : `, held until ${zone.show(silence.until)} by silence ${shortId(silence.id)}`;
  return `a reminder ${when}: ${thresholdText(threshold)}${to}${held}`;
}

type Entry = { readonly at: Date; readonly lines: readonly string[] };

/** Silences come from their own rows: those of organizations have no event of this invite. */
function timeline(story: Story, view: View): Entry[] {
  const told = story.events.filter(({ type }) => !type.startsWith("silence."));
  const events = told.map((event) => ({ at: event.recordedAt, lines: eventLines(event, story, view) }));
  const silences = story.silences.flatMap((silence) => silenceEntries(silence, view));
  return [...events, ...silences].sort((a, b) => a.at.getTime() - b.at.getTime());
}

function eventLines(event: Event, story: Story, view: View): string[] {
  const { zone } = view;
  const { invite, syncs } = story;
  const sync = syncs.find(({ id }) => id === event.syncId);
  const source = sync === undefined ? "" : `, sync ${shortId(sync.id)} (${sync.outcome})`;
  const late = zone.show(event.recordedAt) === zone.show(event.occurredAt);
  const happened = late ? "" : `, happened ${zone.show(event.occurredAt)}`;
  return [
    ...paragraph(
      `${zone.show(event.recordedAt)}  ${event.type}  ${event.watch}/${event.seq}${source}${happened}`,
      0,
      view,
    ),
    ...paragraph(whatHappened(event, invite, view), 2, view),
    ...outcomesOf(event, story).flatMap((outcome) => paragraph(`- ${outcomeText(outcome, view)}`, 2, view)),
  ];
}

function whatHappened(event: Event, { organizationName }: Invite, { zone }: View): string {
  switch (event.type) {
    case "invite.acknowledged":
      return `by ${event.data.by}${event.data.reason === null ? "" : `: ${event.data.reason}`}`;
    case "watch.blind":
      return `no complete list since ${zone.show(new Date(event.data.since))}: ${event.data.reason}`;
    case "watch.recovered":
      return `complete lists again since ${zone.show(new Date(event.data.until))}`;
    default:
      return summaryOf(event, organizationName, zone);
  }
}

function outcomeText(outcome: Outcome, { zone, now }: View): string {
  const { recipient, rules, mail } = outcome;
  const who = `${recipient ?? "everybody"}${rules.length === 0 ? "" : ` (${rules.join(", ")})`}`;
  const which = mail === null ? "" : `mail ${shortId(mail.id)}`;
  switch (outcome.kind) {
    case "mailed":
      return `${who}: mailed ${zone.show(outcome.at)}, ${which}`;
    case "waiting": {
      const until = outcome.until === null || outcome.until <= now ? "now" : `until ${zone.show(outcome.until)}`;
      return `${who}: waiting ${until}, ${which}: ${spellInstants(outcome.reason, zone)}`;
    }
    case "not mailed":
      return `${who}: not mailed${which === "" ? "" : `, ${which}`}: ${spellInstants(outcome.reason, zone)}`;
  }
}

function silenceEntries({ id, by, until, reason, createdAt, endedAt }: Silence, view: View): Entry[] {
  const { zone, now } = view;
  const entry = (at: Date, what: string, text: string | null) => ({
    at,
    lines: [
      ...paragraph(`${zone.show(at)}  silence ${shortId(id)} ${what}`, 0, view),
      ...(text === null ? [] : paragraph(text, 2, view)),
    ],
  });
  const begun = entry(createdAt, "begins", `by ${by}, until ${zone.show(until)}: ${reason}`);
  if (endedAt !== null) return [begun, entry(endedAt, "is ended before its time", null)];
  return until <= now ? [begun, entry(until, "is over", null)] : [begun];
}

function mailLines(mail: Mail, view: View): string[] {
  const { id, createdAt, kind, recipient, state } = mail;
  return [
    ...paragraph(`${shortId(id)}  ${view.zone.show(createdAt)}  ${kind} to ${recipient}: ${state}`, 0, view),
    ...mailFacts(mail, view),
    // Never cut: it is what one looks for in the mail server's log.
    ...(mail.attempts === 0 ? [] : [`  <${printable(mail.messageId)}>`]),
  ];
}
