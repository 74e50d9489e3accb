/**
 * Calendar entries for the ends of invitations, so that a calendar rings before they end.
 *
 * The state of an invite says whether it has an entry; what happened says whether an entry is taken back.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5546#section-3.2 the methods PUBLISH and CANCEL
 */
import type { Event } from "../domain/event.ts";
import { hasEnded } from "../domain/expiry.ts";
import { type Invite, inviteKey } from "../domain/invite.ts";
import { type Entry, type Method, writeCalendar } from "./calendar-file.ts";

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

/** Entries in one calendar; a mail shows no more invitations than these. */
const MAX_ENTRIES = 20;
const OUTCOMES: ReadonlySet<string> = new Set(["accepted", "rejected", "expired", "withdrawn"]);

/**
 * The calendar that goes with a mail, `invitations.ics`; none where no entry is new or moved.
 *
 * It holds every invite that can still be answered, the one that ends first in front.
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

function attachment(
  filename: string,
  method: Method,
  entries: readonly Entry[],
  { now, from, recipient }: CalendarInput & { readonly recipient: string | null },
): readonly CalendarAttachment[] {
  if (entries.length === 0) return [];
  const soonest = entries.toSorted((a, b) => a.end.getTime() - b.end.getTime()).slice(0, MAX_ENTRIES);
  const content = writeCalendar(method, soonest, { now, from, recipient });
  return [{ filename, contentType: `text/calendar; charset=utf-8; method=${method}`, content }];
}
