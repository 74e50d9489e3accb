/** What an event says, in one sentence for a terminal. */
import type { Event } from "../domain/event.ts";
import type { Json } from "../domain/json.ts";
import { shortId } from "./mail-facts.ts";
import { quoted } from "./printable.ts";
import type { Zone } from "./zone.ts";

/** Of more mails that were decided about at once, the first are named. */
const NAMED_MAILS = 10;

/** @param organizationName of the event's invite, as now known */
export function summaryOf(event: Event, organizationName: string | null, zone: Zone): string {
  const who = organizationName === null ? "an organization without a name" : quoted(organizationName);
  const when = (text: string | null) => {
    const instant = new Date(text ?? "");
    return text === null ? "an unknown time" : Number.isNaN(instant.getTime()) ? text : zone.show(instant);
  };
  switch (event.type) {
    case "watch.baseline":
      return `first complete sync: ${count(event.data.invites, "invitation")}, ${event.data.pending} pending`;
    case "invite.received": {
      const { invite, baseline, reinvited } = event.data;
      const name = invite.organizationName === null ? who : quoted(invite.organizationName);
      const remark = baseline ? " (already there at the first sync)" : reinvited ? " (invited before)" : "";
      const roles = invite.roles.length === 0 ? "" : ` as ${invite.roles.join(", ")}`;
      return `${name} invites ${invite.invitedMemberEmail ?? "this user"}${roles}, until ${when(invite.expiresAt)}${remark}`;
    }
    case "invite.status_changed":
      return `${who}: ${event.data.from} → ${event.data.to}${event.data.source === "list" ? "" : ` (${event.data.source})`}`;
    case "invite.changed": {
      const changes = Object.entries(event.data.changes).map(([field, { from, to }]) => {
        const show = (value: Json) =>
          field.endsWith("At") && typeof value === "string" ? when(value) : valueText(value);
        return `${field} ${show(from)} → ${show(to)}`;
      });
      return `${who}: ${changes.join("; ")}`;
    }
    case "invite.expiring": {
      const { threshold, expiresAt, covers } = event.data;
      const also = covers.length === 0 ? "" : `, also ${covers.join(", ")}`;
      return `${who} ends ${when(expiresAt)} (${threshold}${also})`;
    }
    case "invite.expired":
      return `${who} ended ${when(event.data.expiresAt)} unanswered`;
    case "invite.withdrawn":
      return `${who} withdrew it: ${event.data.evidence}`;
    case "invite.returned":
      return `${who} is listed again, until ${when(event.data.invite.expiresAt)}`;
    case "invite.unrecognised":
      return `${who}: ${event.data.reason}`;
    case "notification.dead":
      return `mail ${shortId(event.data.notificationId)} to ${event.data.recipient} was given up: ${event.data.reason}`;
    case "notification.retried":
      return `${event.data.by} had ${mailsText(event.data.notificationIds)} tried again`;
    case "notification.discarded":
      return `${event.data.by} discarded ${mailsText(event.data.notificationIds)}: ${event.data.reason}`;
    case "watch.blind":
      return `blind since ${when(event.data.since)}, ${count(event.data.atRisk.length, "invitation")} at risk: ${event.data.reason}`;
    case "watch.recovered":
      return `sees again; was blind ${when(event.data.since)} to ${when(event.data.until)}: ${event.data.reason}`;
    case "invite.acknowledged":
      return `${who} is taken care of, says ${event.data.by}${event.data.reason === null ? "" : `: ${event.data.reason}`}`;
    case "silence.created":
      return `${event.data.by} silenced ${silenced(event.data)} until ${when(event.data.until)}: ${event.data.reason}`;
    case "silence.ended":
      return `${event.data.by} ended the silence over ${silenced(event.data)}`;
  }
}

function silenced({ inviteId, organization }: Event<"silence.ended">["data"]): string {
  return inviteId === null ? `organizations like ${quoted(organization ?? "")}` : `the invitation ${inviteId}`;
}

/** How many, and which; of many the first. */
function mailsText(ids: readonly string[]): string {
  const named = ids.slice(0, NAMED_MAILS).map(shortId).join(", ");
  return `${count(ids.length, "mail")} (${named}${ids.length > NAMED_MAILS ? ", …" : ""})`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function valueText(value: Json): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(valueText).join(", ");
  return typeof value === "string" ? quoted(value) : JSON.stringify(value);
}
