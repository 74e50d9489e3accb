/** News that concern no single invitation and no gap: mail that did not reach its recipient, and silences. */
import type { Event, EventType } from "../domain/event.ts";
import { type Invite, inviteKey } from "../domain/invite.ts";
import { defang, quote } from "./defang.ts";
import { watchName } from "./facts.ts";
import { idOrQuote, spellInstants } from "./fields.ts";
import { compareRecorded } from "./group.ts";
import { organization } from "./headline.ts";
import { count, type Times } from "./times.ts";

const MAX_NOTES = 20;
/** Invitations that are named of a mail that was given up. */
const MAX_NAMED = 5;
const NOTED: ReadonlySet<EventType> = new Set(["notification.dead", "silence.created", "silence.ended"]);

/** A sentence for each such event, oldest first, the first twenty; and how many there are more. */
export function notesOf(events: readonly Event[], invites: readonly Invite[], times: Times): readonly string[] {
  const byKey = new Map(invites.map((invite) => [inviteKey(invite), invite]));
  const notes = events
    .filter(({ type }) => NOTED.has(type))
    .sort(compareRecorded)
    .flatMap((event) => noteOf(event, byKey, times));
  const more = notes.length - MAX_NOTES;
  return more > 0 ? [...notes.slice(0, MAX_NOTES), moreOf(more)] : notes;
}

/** What a mail is about that holds nothing else. */
export function noticeTitle(events: readonly Event[]): string {
  const dead = events.filter(({ type }) => type === "notification.dead").length;
  if (dead > 0) return `${count(dead, "mail")} could not be delivered`;
  const silence = events
    .toSorted(compareRecorded)
    .findLast(({ type }) => type === "silence.created" || type === "silence.ended");
  if (silence === undefined) return "Nothing to report";
  return silence.type === "silence.created" ? "Alerts have been silenced" : "A silence of alerts has ended";
}

/** What the notes are of. */
export function noticeLead(events: readonly Event[]): string {
  return events.some(({ type }) => type === "notification.dead")
    ? "Below is whom it was meant for, and why it failed."
    : "Below is what was decided, and by whom.";
}

/** "(and 12 more; …)": what found no room, and where it is found. */
export function moreOf(left: number): string {
  return `(and ${left.toLocaleString("en-US")} more; "invitewatch history" lists them all)`;
}

/** " about the invitations from “Acme”, “Globex” (and 3 more)"; empty where there is none. @param names the first of them */
export function aboutPhrase(names: readonly string[], count: number): string {
  if (count === 0) return "";
  const shown = names.slice(0, MAX_NAMED);
  const left = count - shown.length;
  const more = left > 0 ? ` (and ${left.toLocaleString("en-US")} more)` : "";
  return ` about the invitation${count === 1 ? "" : "s"} from ${shown.join(", ")}${more}`;
}

function noteOf(event: Event, invites: ReadonlyMap<string, Invite>, times: Times): readonly string[] {
  const reference = `(${watchName(event.watch)}/${event.seq})`;
  switch (event.type) {
    case "notification.dead": {
      const { recipient, reason, inviteIds = [], invites: count = inviteIds.length } = event.data;
      const why = quote(spellInstants(reason, times), 300);
      const names = inviteIds.map((id) => {
        const invite = invites.get(inviteKey({ watch: event.watch, id }));
        return invite === undefined ? idOrQuote(id, 40) : organization(invite, 40);
      });
      return [
        `A mail to ${defang(recipient, 100)}${aboutPhrase(names, count)} could not be delivered: ${why} ${reference}`,
      ];
    }
    case "silence.created": {
      if (event.inviteId !== null) return [];
      const { until, by, organization, reason } = event.data;
      const end = times.absolute(new Date(until));
      const what = organization === null ? "All alerts" : `Alerts of organizations like ${quote(organization, 60)}`;
      return [`${what} are silenced until ${end} by ${quote(by, 60)}: ${quote(reason, 200)} ${reference}`];
    }
    case "silence.ended": {
      if (event.inviteId !== null) return [];
      const { by, organization, reason } = event.data;
      const what = organization === null ? "" : ` of organizations like ${quote(organization, 60)}`;
      return [`The silence${what} was ended by ${quote(by, 60)}: ${quote(reason, 200)} ${reference}`];
    }
    default:
      return [];
  }
}
