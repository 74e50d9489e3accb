/** Who is mailed about which events of a sync, and why an event is not mailed. */
import type { Event, EventType } from "./event.ts";
import type { NotificationKind } from "./notification.ts";

/** Most urgent first: the order in mails, and what decides a mail's kind. */
const URGENCY: readonly EventType[] = [
  "invite.expiring",
  "invite.received",
  "invite.returned",
  "invite.status_changed",
  "invite.expired",
  "invite.withdrawn",
  "invite.changed",
  "invite.unrecognised",
  "notification.dead",
  "watch.baseline",
];

/** The fields whose change is worth a mail by itself. */
const MAILED_CHANGES = ["expiresAt", "roles"];

export type PlannedMail = {
  readonly recipient: string;
  readonly kind: NotificationKind;
  /** In the order of the chain. */
  readonly eventSeqs: readonly number[];
};

/** One mail per recipient for the events of one sync; none where nothing is worth a mail. */
export function planMails(events: readonly Event[], recipients: readonly string[]): PlannedMail[] {
  const inventory = events.some((event) => event.type === "watch.baseline");
  const mailed = inventory ? events : events.filter((event) => silentBecause(event) === null);
  const first = mailed.toSorted((a, b) => URGENCY.indexOf(a.type) - URGENCY.indexOf(b.type))[0];
  if (first === undefined) return [];
  const kind = inventory ? "inventory" : first.type;
  const eventSeqs = mailed.map((event) => event.seq);
  return recipients.map((recipient) => ({ recipient, kind, eventSeqs }));
}

/** Why no mail is sent for the event by itself, or null where one is. */
export function silentBecause(event: Event): string | null {
  if (event.type === "invite.changed") {
    const fields = Object.keys(event.data.changes);
    return fields.some((field) => MAILED_CHANGES.includes(field)) ? null : `only ${fields.join(", ")} changed`;
  }
  if (event.type === "notification.dead") return "told in the next mail";
  return null;
}
