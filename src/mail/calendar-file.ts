/**
 * Writes calendar entries as iCalendar.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5545 iCalendar
 */
import { hash } from "node:crypto";
import ICAL from "ical.js";
import type { Event } from "../domain/event.ts";
import type { Invite } from "../domain/invite.ts";
import { defang, withoutIsolates } from "./defang.ts";
import { idOrQuote } from "./fields.ts";
import { organization } from "./headline.ts";
import { DASHBOARD_URL } from "./links.ts";
import { formatReferences } from "./references.ts";
import { asciiAddress, senderAddress, senderDomain } from "./sender.ts";
import { createTimes, type Times } from "./times.ts";

/** An invite with an entry, and what the mail tells of it. */
export type Entry = { readonly invite: Invite; readonly events: readonly Event[]; readonly end: Date };

export type Method = "PUBLISH" | "CANCEL";

export type Addressing = {
  readonly now: Date;
  /** The From header as configured. */
  readonly from: string;
  /** A calendar is for one person where it takes entries out of theirs. */
  readonly recipient: string | null;
};

type Timed = Addressing & { readonly times: Times };

// No line is longer than 75 octets (RFC 5545, section 3.1); ical.js does not count the space before a continued one.
ICAL.foldLength = 74;

/** An entry is as long as a calendar needs to draw it, and lies before the end, which is then the end of the entry. */
const LENGTH_MS = 15 * 60_000;
const ALARM_LEADS_MS = [24 * 3_600_000, 3_600_000];

/** The file, in which each entry is known by its UID for ever, and by its SEQUENCE as newer. */
export function writeCalendar(method: Method, entries: readonly Entry[], addressing: Addressing): string {
  const timed = { ...addressing, times: createTimes("UTC", addressing.now) };
  const file = new ICAL.Component("vcalendar");
  file.addPropertyWithValue("version", "2.0");
  file.addPropertyWithValue("prodid", "-//invitewatch//invitewatch//EN");
  file.addPropertyWithValue("method", method);
  for (const entry of entries) {
    const events = method === "PUBLISH" ? [publishedEvent(entry, timed)] : cancelledEvents(entry, timed);
    for (const event of events) file.addSubcomponent(event);
  }
  // The last line, too, has to end with CRLF (RFC 5545, section 3.1), which ical.js leaves out.
  return `${file}\r\n`;
}

function publishedEvent(entry: Entry, input: Timed): ICAL.Component {
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
function cancelledEvents(entry: Entry, input: Timed): readonly ICAL.Component[] {
  return [uidOf(entry.invite), formerUidOf(entry.invite, input.from)].map((uid) => {
    const event = basicEvent(entry, uid, input);
    event.addPropertyWithValue("status", "CANCELLED");
    if (input.recipient !== null) event.addPropertyWithValue("attendee", `mailto:${asciiAddress(input.recipient)}`);
    return event;
  });
}

/** What every entry has. All of its properties come before its alarms: RFC 5545, section 3.6.1. */
function basicEvent({ invite, end }: Entry, uid: string, { now, from }: Addressing): ICAL.Component {
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
