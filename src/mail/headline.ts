/** What happened to one invitation, in one line: the heading in a mail, and the subject of a mail about it alone. */
import type { Event } from "../domain/event.ts";
import { LAST_CHANCE } from "../domain/expiry.ts";
import type { Invite } from "../domain/invite.ts";
import { quote } from "./defang.ts";
import { fieldLabel, statusPhrase } from "./fields.ts";
import type { InviteNews } from "./group.ts";
import type { Times } from "./times.ts";

/**
 * "New invitation from “Acme” — ends in 3 days 4 hours"
 *
 * @param nameLength longest organization name, in graphemes
 */
export function headline(news: InviteNews, times: Times, nameLength: number): string {
  const { invite, topic } = news;
  const from = `from ${organization(invite, nameLength)}`;
  const end = endPhrase(news, times);
  if (news.open && news.events.some((event) => event.type === "invite.received")) {
    return `${receivedPhrase(news.events)} ${from}${end}`;
  }

  switch (topic.type) {
    case "invite.received":
      return `${receivedPhrase(news.events)} ${from}${end}`;
    case "invite.expiring":
      if (!news.open || invite.expiresAt === null) return `Invitation ${from}${end}`;
      return topic.data.threshold === LAST_CHANCE
        ? `Last chance, ends ${times.relative(invite.expiresAt)}: invitation ${from}`
        : `Ends ${times.relative(invite.expiresAt)}: invitation ${from}`;
    case "invite.status_changed":
    case "invite.expired":
    case "invite.withdrawn":
      return `Invitation ${from}${statusPhraseOf(news, end)}`;
    case "invite.returned":
      return `Invitation ${from} is listed again${end}`;
    case "invite.changed":
      return `Invitation ${from} has changed: ${changedFields(topic)}`;
    case "invite.unrecognised":
      return `Invitation ${from} holds something unknown`;
    case "invite.acknowledged":
      return `Invitation ${from} is taken care of${end}`;
    default:
      return `Reminders of the invitation ${from} are decided on${end}`;
  }
}

/** The organization's name in quotation marks, or words that say that it has none; never empty. */
export function organization(invite: Pick<Invite, "organizationName">, nameLength: number): string {
  const quoted = quote(invite.organizationName ?? "", nameLength);
  return quoted === "“”" ? "an organization without a name" : quoted;
}

function receivedPhrase(events: readonly Event[]): string {
  const received = events.find((event) => event.type === "invite.received");
  if (received?.data.baseline) return "Invitation";
  return received?.data.reinvited ? "Another invitation" : "New invitation";
}

/** How long it lasts or how it ended, to be put behind a name. */
function endPhrase({ invite, open }: InviteNews, times: Times): string {
  if (invite.expiresAt !== null && invite.status === "pending") {
    return ` — ${open ? "ends" : "ended"} ${times.relative(invite.expiresAt)}`;
  }
  return invite.status === "pending" || invite.status === "unknown" ? "" : ` ${statusPhrase(invite.status)}`;
}

/** How it stands now rather than after the event: a mail may come later than what it tells. */
function statusPhraseOf({ invite, open, topic }: InviteNews, end: string): string {
  if (open) return ` ${statusPhrase("pending")}${end}`;
  if (invite.status === "pending") return end;
  const status = invite.status === "unknown" ? statusAfter(topic) : invite.status;
  return ` ${statusPhrase(status)}`;
}

function statusAfter(event: Event): string {
  if (event.type === "invite.status_changed") return event.data.to;
  return event.type === "invite.withdrawn" ? "withdrawn" : "expired";
}

function changedFields(event: Event<"invite.changed">): string {
  const labels = Object.keys(event.data.changes).map((field) => fieldLabel(field)?.toLowerCase() ?? "further fields");
  const [first = "", second, ...others] = [...new Set(labels)];
  return first + (second ? `, ${second}` : "") + (others.length > 0 ? ", more" : "");
}
