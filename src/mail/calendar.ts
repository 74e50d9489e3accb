/**
 * Calendar entries for the ends of invitations, so that a calendar rings before they end.
 *
 * The state of an invite says whether it has an entry; what happened says whether an entry is taken back.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5545 iCalendar
 * @see https://www.rfc-editor.org/rfc/rfc5546#section-3.2 the methods PUBLISH and CANCEL
 */
import { hash } from "node:crypto";
import ICAL from "ical.js";
import type { Event } from "../domain/event.ts";
import { hasEnded } from "../domain/expiry.ts";
import { type Invite, inviteKey } from "../domain/invite.ts";
import { defang, withoutIsolates } from "./defang.ts";
import { idOrQuote } from "./fields.ts";
import { organization } from "./headline.ts";
import { DASHBOARD_URL } from "./links.ts";
import { formatReferences } from "./references.ts";
import { asciiAddress, senderAddress, senderDomain } from "./sender.ts";
import { createTimes, type Times } from "./times.ts";

/** One calendar file, beside the text of a mail. */
export type CalendarAttachment = {
  readonly filename: string;
  /** With the method as a parameter, which has to be that of the content. */
  readonly contentType: string;
  readonly content: string;
};

export type CalendarInput = {
  readonly events: readonly Event[];
  /** The invites that the events concern, as now known. */
  readonly invites: readonly Invite[];
  readonly now: Date;
  /** The From header as configured. */
  readonly from: string;
};

/** An invite with an entry, and what the mail tells of it. */
type Entry = { readonly invite: Invite; readonly events: readonly Event[]; readonly end: Date };

/** A calendar is for one person where it takes entries out of theirs. */
type Addressed = CalendarInput & { readonly recipient: string | null };

type Timed = { readonly times: Times };

// No line is longer than 75 octets (RFC 5545, section 3.1); ical.js does not count the space before a continued one.
ICAL.foldLength = 74;

/** Entries in one calendar; a mail shows no more invitations than these. */
const MAX_ENTRIES = 20;
/** An entry is as long as a calendar needs to draw it, and lies before the end, which is then the end of the entry. */
const LENGTH_MS = 15 * 60_000;
const ALARM_LEADS_MS = [24 * 3_600_000, 3_600_000];
const OUTCOMES: ReadonlySet<string> = new Set(["accepted", "rejected", "expired", "withdrawn"]);

/**
 * The calendar that goes with a mail, `invitations.ics`; none where no entry is new or moved.
 *
 * It holds every invite that can still be answered, the one that ends first in front. An entry is known by its UID
 * for ever, and by its SEQUENCE as newer.
 */
export function publishedCalendars(input: CalendarInput): readonly CalendarAttachment[] {
  const published = concerned(input).flatMap(({ invite, events }) => {
    const end = invite.expiresAt;
    return end === null || invite.status !== "pending" || hasEnded(invite, input.now) ? [] : [{ invite, events, end }];
  });
  return attachment("invitations.ics", "PUBLISH", published, { ...input, recipient: null });
}

/** The calendar with the entries that are to go, `invitations-cancelled.ics`; none where no entry is over. */
export function cancelledCalendars(
  input: CalendarInput & { readonly recipient: string },
): readonly CalendarAttachment[] {
  const cancelled = concerned(input).flatMap(({ invite, events }) => {
    const end = cancelledEnd(invite, events, input.now);
    return end === null ? [] : [{ invite, events, end }];
  });
  return attachment("invitations-cancelled.ics", "CANCEL", cancelled, input);
}

/** The invites that the events tell something of. */
function concerned({ events, invites }: CalendarInput): readonly Omit<Entry, "end">[] {
  const eventsOf = eventsByInvite(events);
  return invites.flatMap((invite) => {
    const own = eventsOf.get(inviteKey(invite));
    return own === undefined ? [] : [{ invite, events: own }];
  });
}

function eventsByInvite(events: readonly Event[]): ReadonlyMap<string, readonly Event[]> {
  const byInvite = new Map<string, Event[]>();
  for (const event of events) {
    if (event.inviteId === null) continue;
    const key = inviteKey({ watch: event.watch, id: event.inviteId });
    const others = byInvite.get(key);
    if (others === undefined) byInvite.set(key, [event]);
    else others.push(event);
  }
  return byInvite;
}

/**
 * The end at which the calendar may hold an entry that has to go; null where none has to.
 *
 * Only what the events tell takes an entry back, and never in the mail that tells of the invite for the first time:
 * no calendar has it then. An entry that has simply run out stays, as past appointments do: it was right, and to
 * remove it would only ask its owner to confirm. It goes where the invite ran out earlier than the entry says.
 */
function cancelledEnd(invite: Invite, events: readonly Event[], now: Date): Date | null {
  if (events.some((event) => event.type === "invite.received")) return null;
  const earlierEnds = events.flatMap(earlierEnd);
  const end = invite.expiresAt ?? earlierEnds.at(-1) ?? null;
  if (end === null) return null;
  if (invite.status === "pending") return invite.expiresAt === null ? end : null;
  if (!OUTCOMES.has(invite.status) || !events.some(tellsOutcome)) return null;
  if (invite.status !== "expired") return end;
  return [end, ...earlierEnds].some((one) => one > now) ? end : null;
}

function tellsOutcome(event: Event): boolean {
  if (event.type === "invite.status_changed") return OUTCOMES.has(event.data.to);
  return event.type === "invite.expired" || event.type === "invite.withdrawn";
}

/** The end that the event says is no longer the end. */
function earlierEnd(event: Event): readonly Date[] {
  const from = event.type === "invite.changed" ? event.data.changes.expiresAt?.from : null;
  return typeof from === "string" && !Number.isNaN(Date.parse(from)) ? [new Date(from)] : [];
}

type Method = "PUBLISH" | "CANCEL";

function attachment(
  filename: string,
  method: Method,
  entries: readonly Entry[],
  input: Addressed,
): readonly CalendarAttachment[] {
  if (entries.length === 0) return [];
  const soonest = entries.toSorted((a, b) => a.end.getTime() - b.end.getTime()).slice(0, MAX_ENTRIES);
  const timed = { ...input, times: createTimes("UTC", input.now) };
  const file = new ICAL.Component("vcalendar");
  file.addPropertyWithValue("version", "2.0");
  file.addPropertyWithValue("prodid", "-//invitewatch//invitewatch//EN");
  file.addPropertyWithValue("method", method);
  for (const entry of soonest) {
    const events = method === "PUBLISH" ? [publishedEvent(entry, timed)] : cancelledEvents(entry, timed);
    for (const event of events) file.addSubcomponent(event);
  }
  // The last line, too, has to end with CRLF (RFC 5545, section 3.1), which ical.js leaves out.
  return [{ filename, contentType: `text/calendar; charset=utf-8; method=${method}`, content: `${file}\r\n` }];
}

function publishedEvent(entry: Entry, input: Addressed & Timed): ICAL.Component {
  const event = basicEvent(entry, uidOf(entry.invite), input);
  event.addPropertyWithValue("status", "CONFIRMED");
  event.addPropertyWithValue("description", description(entry, input));
  event.addPropertyWithValue("url", DASHBOARD_URL);
  event.addPropertyWithValue("transp", "TRANSPARENT");
  event.addPropertyWithValue("x-microsoft-cdo-busystatus", "FREE");
  for (const alarm of alarmsOf(entry, input.now)) event.addSubcomponent(alarm);
  return event;
}

/** To cancel all of an event is to tell those who have it (RFC 5546, section 3.2.5). */
function cancelledEvents(entry: Entry, input: Addressed & Timed): readonly ICAL.Component[] {
  return [uidOf(entry.invite), formerUidOf(entry.invite, input.from)].map((uid) => {
    const event = basicEvent(entry, uid, input);
    event.addPropertyWithValue("status", "CANCELLED");
    if (input.recipient !== null) event.addPropertyWithValue("attendee", `mailto:${asciiAddress(input.recipient)}`);
    return event;
  });
}

/** What every entry has. All of its properties come before its alarms: RFC 5545, section 3.6.1. */
function basicEvent({ invite, end }: Entry, uid: string, { now, from }: Addressed): ICAL.Component {
  const event = new ICAL.Component("vevent");
  event.addPropertyWithValue("uid", uid);
  event.addPropertyWithValue("sequence", invite.calendarSequence);
  event.addPropertyWithValue("dtstamp", ICAL.Time.fromJSDate(now, true));
  event.addPropertyWithValue("dtstart", ICAL.Time.fromJSDate(startOf(end), true));
  event.addPropertyWithValue("dtend", ICAL.Time.fromJSDate(end, true));
  event.addPropertyWithValue("summary", summaryOf(invite));
  const organizer = event.addPropertyWithValue("organizer", `mailto:${asciiAddress(senderAddress(from))}`);
  organizer.setParameter("cn", "invitewatch");
  return event;
}

/** Made of watch and invite alone, so that updates reach the entry whatever the sender is by then. */
function uidOf(invite: Invite): string {
  return `${uidHash(invite)}@invitewatch.invalid`;
}

/** What UIDs were before they were independent of the sender; a calendar passes over the one that it does not know. */
function formerUidOf(invite: Invite, from: string): string {
  return `${uidHash(invite)}@${senderDomain(from)}`;
}

function uidHash({ watch, id }: Invite): string {
  return hash("sha256", `deadline\n${watch}\n${id}`);
}

function startOf(end: Date): Date {
  return new Date(end.getTime() - LENGTH_MS);
}

function summaryOf(invite: Invite): string {
  return withoutIsolates(`Invitation from ${organization(invite, 60)} ends`);
}

/** Alarms still ahead, counted from the start of the entry, as every calendar can; none once somebody took care. */
function alarmsOf({ invite, end }: Entry, now: Date): readonly ICAL.Component[] {
  if (invite.acknowledgedAt !== null) return [];
  return ALARM_LEADS_MS.filter((leadMs) => end.getTime() - leadMs > now.getTime()).map((leadMs) => {
    const alarm = new ICAL.Component("valarm");
    alarm.addPropertyWithValue("action", "DISPLAY");
    alarm.addPropertyWithValue("description", summaryOf(invite));
    alarm.addPropertyWithValue("trigger", ICAL.Duration.fromSeconds((LENGTH_MS - leadMs) / 1000));
    return alarm;
  });
}

function description({ invite, events, end }: Entry, { times }: Timed): string {
  const watchName = defang(invite.watch, 40);
  return [
    `It can be accepted or rejected until ${times.absolute(end)}, in the Cloudflare dashboard:`,
    DASHBOARD_URL,
    "",
    `Watch: ${watchName}`,
    `Invitation id: ${withoutIsolates(idOrQuote(invite.id, 64))}`,
    `Reference: ${formatReferences(events, () => watchName)}`,
    "",
    "Words in “quotation marks” come from outside.",
  ].join("\n");
}
