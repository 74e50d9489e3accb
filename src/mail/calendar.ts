/**
 * Calendar entries for the ends of invitations, so that a calendar rings before they end.
 *
 * The state of an invite says whether it has an entry; what happened says whether an entry is taken back.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5545 iCalendar
 * @see https://www.rfc-editor.org/rfc/rfc5546#section-3.2 the methods PUBLISH and CANCEL
 */
import { hash } from "node:crypto";
import calendar, {
  ICalCalendarMethod,
  ICalEventBusyStatus,
  type ICalEventData,
  ICalEventStatus,
  ICalEventTransparency,
} from "ical-generator";
import type { Event } from "../domain/event.ts";
import { hasEnded } from "../domain/expiry.ts";
import { type Invite, inviteKey } from "../domain/invite.ts";
import { defang } from "./defang.ts";
import { idOrQuote } from "./fields.ts";
import { organization } from "./headline.ts";
import { DASHBOARD_URL } from "./links.ts";
import { formatReferences } from "./references.ts";
import { senderAddress, senderDomain } from "./sender.ts";
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
  readonly publicUrl: string | null;
};

/** An invite with an entry, and what the mail tells of it. */
type Entry = { readonly invite: Invite; readonly events: readonly Event[]; readonly end: Date };

/** A calendar is for one person where it takes entries out of theirs. */
type Addressed = CalendarInput & { readonly recipient: string | null };

type Timed = { readonly times: Times };

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
  return attachment("invitations.ics", ICalCalendarMethod.PUBLISH, published, { ...input, recipient: null });
}

/** The calendar with the entries that are to go, `invitations-cancelled.ics`; none where no entry is over. */
export function cancelledCalendars(
  input: CalendarInput & { readonly recipient: string },
): readonly CalendarAttachment[] {
  const cancelled = concerned(input).flatMap(({ invite, events }) => {
    const end = cancelledEnd(invite, events, input.now);
    return end === null ? [] : [{ invite, events, end }];
  });
  return attachment("invitations-cancelled.ics", ICalCalendarMethod.CANCEL, cancelled, input);
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

function attachment(
  filename: string,
  method: ICalCalendarMethod,
  entries: readonly Entry[],
  input: Addressed,
): readonly CalendarAttachment[] {
  if (entries.length === 0) return [];
  const soonest = entries.toSorted((a, b) => a.end.getTime() - b.end.getTime()).slice(0, MAX_ENTRIES);
  const times = createTimes("UTC", input.now);
  const content = calendar({
    prodId: { company: "invitewatch", product: "invitewatch", language: "EN" },
    method,
    events: soonest.map((entry) => entryData(entry, method, { ...input, times })),
  }).toString();
  // The last line, too, has to end with CRLF (RFC 5545, section 3.1), which the generator leaves out.
  return [{ filename, contentType: `text/calendar; charset=utf-8; method=${method}`, content: `${content}\r\n` }];
}

function entryData(entry: Entry, method: ICalCalendarMethod, input: Addressed & Timed): ICalEventData {
  const { invite, end } = entry;
  const start = new Date(end.getTime() - LENGTH_MS);
  const about = {
    id: `${hash("sha256", `deadline\n${invite.watch}\n${invite.id}`)}@${senderDomain(input.from)}`,
    sequence: invite.calendarSequence,
    stamp: input.now,
    start,
    end,
    summary: `Invitation from ${organization(invite, 60)} ends`,
    organizer: { name: "invitewatch", email: senderAddress(input.from) },
  };
  if (method === ICalCalendarMethod.CANCEL) {
    // To cancel all of an event is to tell those who have it (RFC 5546, section 3.2.5).
    return { ...about, status: ICalEventStatus.CANCELLED, attendees: attendeesOf(input) };
  }
  return {
    ...about,
    status: ICalEventStatus.CONFIRMED,
    description: description(entry, input),
    url: DASHBOARD_URL,
    transparency: ICalEventTransparency.TRANSPARENT,
    busystatus: ICalEventBusyStatus.FREE,
    alarms: alarmsOf(entry, start, input.now),
  };
}

function attendeesOf({ recipient }: Addressed): NonNullable<ICalEventData["attendees"]> {
  return recipient === null ? [] : [{ email: recipient }];
}

/** Alarms still ahead, counted from the start of the entry, as every calendar can; none once somebody took care. */
function alarmsOf({ invite, end }: Entry, start: Date, now: Date): NonNullable<ICalEventData["alarms"]> {
  if (invite.acknowledgedAt !== null) return [];
  return ALARM_LEADS_MS.filter((leadMs) => end.getTime() - leadMs > now.getTime()).map((leadMs) => ({
    triggerBefore: (leadMs - (end.getTime() - start.getTime())) / 1000,
  }));
}

function description({ invite, events, end }: Entry, { publicUrl, times }: CalendarInput & Timed): string {
  const watchName = defang(invite.watch, 40);
  return [
    `It can be accepted or rejected until ${times.absolute(end)}, in the Cloudflare dashboard:`,
    DASHBOARD_URL,
    "",
    `Watch: ${watchName}`,
    `Invitation id: ${idOrQuote(invite.id, 64)}`,
    `Reference: ${formatReferences(events, () => watchName)}`,
    ...(publicUrl === null ? [] : [`History: ${publicUrl}`]),
    "",
    "Words in “quotation marks” come from outside.",
  ].join("\n");
}
