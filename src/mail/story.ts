/** What happened to one invitation, event by event, as labelled facts. */
import type { Event } from "../domain/event.ts";
import { LAST_CHANCE } from "../domain/expiry.ts";
import { isTurn } from "../domain/hold.ts";
import { quote } from "./defang.ts";
import { fieldLabel, fieldValue, foreign, statusName } from "./fields.ts";
import type { InviteNews } from "./group.ts";
import type { Fact } from "./model.ts";
import type { Times } from "./times.ts";

/** More news of one invitation in one mail than anybody reads. */
const MAX_DETAILS = 12;
/** So many changes of status are told as one going back and forth. */
const MANY_CHANGES = 3;

const SOURCES = {
  list: "the list of invitations",
  detail: "asking for this one invitation",
  memberships: "the list of memberships",
} as const;

/**
 * The events in their order, the first twelve; many changes of status as one line at the place of the first.
 *
 * @param dated whether each says when it happened, in a mail over some stretch of time
 */
export function storyOf(news: InviteNews, times: Times, dated: boolean): readonly Fact[] {
  const changes = news.events.filter(isTurn);
  const [first] = changes;
  const flaps = changes.length >= MANY_CHANGES;
  const told = flaps ? news.events.filter((event) => event === first || !isTurn(event)) : news.events;

  const facts = told.slice(0, MAX_DETAILS).flatMap((event) => {
    if (flaps && event === first) return [backAndForth(changes, news.invite.status, times)];
    const details = dated ? datedDetails(event, times) : detailsOf(event, times);
    return details.map(([label, value]) => ({ label, value }));
  });
  const unsaid = told.length - MAX_DETAILS;
  const more = unsaid > 0 ? [{ label: "More news", value: `(and ${unsaid.toLocaleString("en-US")} more)` }] : [];
  return [...facts.slice(0, MAX_DETAILS), ...more];
}

function backAndForth(changes: readonly Event[], status: string, times: Times): Fact {
  const instants = changes.map(({ occurredAt }) => occurredAt.getTime());
  const span = times.span(new Date(Math.min(...instants)), new Date(Math.max(...instants)));
  const number = changes.length.toLocaleString("en-US");
  return {
    label: "Changed",
    value: `status went back and forth: ${number} changes from ${span}; now ${statusName(status)}`,
  };
}

type Detail = readonly [label: string, value: string];

function datedDetails(event: Event, times: Times): readonly Detail[] {
  const at = times.clock(event.occurredAt);
  if (event.type === "invite.received") {
    return [["First seen", `${at}${event.data.reinvited ? "; this organization has invited this user before" : ""}`]];
  }
  if (event.type === "invite.expired") return [["Expired", `${at}, no answer was seen`]];
  return detailsOf(event, times).map(([label, value]) => [label, `${at} — ${value}`]);
}

function detailsOf(event: Event, times: Times): readonly Detail[] {
  switch (event.type) {
    case "invite.received":
      return event.data.reinvited ? [["Note", "this organization has invited this user before"]] : [];
    case "invite.expiring":
      return [["Reminder", reminder(event.data.threshold, event.data.covers)]];
    case "invite.status_changed": {
      const { from, to, source } = event.data;
      const change = `status from ${statusName(from)} to ${statusName(to)}`;
      return [["Changed", `${change}, known from ${SOURCES[source]}`]];
    }
    case "invite.changed":
      return Object.entries(event.data.changes).map(([field, { from, to }]) => {
        const change = `from ${fieldValue(field, from, times)} to ${fieldValue(field, to, times)}`;
        return ["Changed", `${fieldLabel(field)?.toLowerCase() ?? quote(field, 40)} ${change}`];
      });
    case "invite.expired":
      return [["Expired", `${times.absolute(new Date(event.data.expiresAt))}, no answer was seen`]];
    case "invite.withdrawn":
      return [["Evidence", foreign(event.data.evidence, times)]];
    case "invite.returned":
      return [["Note", "it had been withdrawn"]];
    case "invite.unrecognised":
      return [
        ["Unknown", foreign(event.data.reason, times)],
        ["As received", quote(JSON.stringify(event.data.raw), 300)],
      ];
    case "invite.acknowledged":
      return [["Taken care of", `said by ${quote(event.data.by, 60)}${noted(event.data.reason)}`]];
    case "silence.created": {
      const { until, by, reason } = event.data;
      return [["Silenced", `until ${times.absolute(new Date(until))} by ${quote(by, 60)}${noted(reason)}`]];
    }
    case "silence.ended":
      return [["Silence", `ended by ${quote(event.data.by, 60)}${noted(event.data.reason)}`]];
    default:
      return [];
  }
}

function noted(reason: string | null): string {
  return reason === null ? "" : `: ${quote(reason, 200)}`;
}

function reminder(threshold: string, covers: readonly string[]): string {
  const due =
    threshold === LAST_CHANCE
      ? "the last one before the end"
      : threshold.endsWith("%")
        ? `due at ${threshold} of its time left`
        : `due ${threshold} before the end`;
  return covers.length === 0 ? due : `${due}; stands for ${covers.join(", ")} too`;
}
