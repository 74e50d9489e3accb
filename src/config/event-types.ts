/** Which types of event there are, for patterns, and which of them make a mail. */
import type { EventType } from "../domain/event.ts";

const MAILED = {
  "invite.received": true,
  "invite.expiring": true,
  "invite.status_changed": true,
  "invite.changed": true,
  "invite.expired": true,
  "invite.withdrawn": true,
  "invite.returned": true,
  "invite.unrecognised": true,
  "watch.baseline": true,
  "watch.blind": true,
  "watch.recovered": true,
  "notification.dead": false,
  "notification.retried": false,
  "notification.discarded": false,
  "invite.acknowledged": false,
  "silence.created": false,
  "silence.ended": false,
} as const satisfies Readonly<Record<EventType, boolean>>;

export const EVENT_TYPES = Object.keys(MAILED) as readonly EventType[];

/** Those that somebody may be mailed about. */
export const MAILED_TYPES = EVENT_TYPES.filter((type) => MAILED[type]);

/** Whether events of this type are about an invitation, which has an organization, an inviter and roles. */
export function isAboutInvite(type: EventType): boolean {
  return type.startsWith("invite.");
}
