/** What a mail says of one invitation, as labelled facts, so that its text and HTML parts cannot differ. */
import type { Event } from "../domain/event.ts";
import { LAST_CHANCE } from "../domain/expiry.ts";
import type { Invite } from "../domain/invite.ts";
import { defang, quote } from "./defang.ts";
import { fieldLabel, fieldValue, idOrQuote, roleList, spellInstants, statusName } from "./fields.ts";
import type { InviteNews } from "./group.ts";
import { organization } from "./headline.ts";
import { formatReferences } from "./references.ts";
import type { Times } from "./times.ts";

export type Fact = { readonly label: string; readonly value: string };

/** Longest name of an organization, in graphemes. */
export const NAME_LENGTH = 60;
/** More news of one invitation in one mail than anybody reads. */
const MAX_DETAILS = 12;
const MAX_ODDITIES = 5;

const SOURCES = {
  list: "the list of invitations",
  detail: "asking for this one invitation",
  memberships: "the list of memberships",
} as const;

/**
 * Everything known and new about the invitation, what one decides by first. Safe to show as it is.
 *
 * @param watchName as shown to people
 */
export function factsOf(news: InviteNews, times: Times, watchName: string): readonly Fact[] {
  const { invite } = news;
  const details = news.events.slice(0, MAX_DETAILS).flatMap((event) => detailsOf(event, times));
  const oddities = invite.oddities.filter((oddity) => !saidIn(news.events, oddity)).slice(0, MAX_ODDITIES);
  const unsaid = news.events.length - MAX_DETAILS;
  return [
    { label: "Organization", value: organization(invite, NAME_LENGTH) },
    endFact(news, times),
    { label: "Status", value: statusFact(invite) },
    ...optional("Invited by", invite.invitedBy && quote(invite.invitedBy, 100)),
    ...optional("Invited address", invite.invitedMemberEmail && quote(invite.invitedMemberEmail, 100)),
    { label: "Roles", value: roleList(invite.roles) },
    ...optional("Two-factor", twoFactor(invite.organizationEnforcesTwoFactor)),
    ...optional("Invited", invite.invitedAt && times.absolute(invite.invitedAt)),
    ...details.slice(0, MAX_DETAILS),
    ...optional("More news", unsaid > 0 ? `(and ${unsaid} more)` : null),
    ...oddities.map((oddity) => ({ label: "Unclear", value: foreign(oddity, times) })),
    ...optional("Organization id", invite.organizationId && idOrQuote(invite.organizationId, 64)),
    { label: "Invitation id", value: idOrQuote(invite.id, 64) },
    { label: "Reference", value: references(watchName, news.events) },
  ];
}

/** The few facts for an invitation that needs nothing any more. */
export function briefFactsOf(news: InviteNews, times: Times, watchName: string): readonly Fact[] {
  const { invite } = news;
  return [
    ...optional("Invited address", invite.invitedMemberEmail && quote(invite.invitedMemberEmail, 100)),
    endFact(news, times),
    { label: "Status", value: statusFact(invite) },
    { label: "Reference", value: references(watchName, news.events) },
  ];
}

function detailsOf(event: Event, times: Times): readonly Fact[] {
  switch (event.type) {
    case "invite.received":
      return optional("Note", event.data.reinvited ? "this organization has invited this user before" : null);
    case "invite.expiring":
      return [{ label: "Reminder", value: reminder(event.data.threshold, event.data.covers) }];
    case "invite.status_changed": {
      const { from, to, source } = event.data;
      const change = `status from ${statusName(from)} to ${statusName(to)}`;
      return [{ label: "Changed", value: `${change}, known from ${SOURCES[source]}` }];
    }
    case "invite.changed":
      return Object.entries(event.data.changes).map(([field, { from, to }]) => {
        const change = `from ${fieldValue(field, from, times)} to ${fieldValue(field, to, times)}`;
        return { label: "Changed", value: `${fieldLabel(field)?.toLowerCase() ?? quote(field, 40)} ${change}` };
      });
    case "invite.expired":
      return [{ label: "Expired", value: `${times.absolute(new Date(event.data.expiresAt))}, no answer was seen` }];
    case "invite.withdrawn":
      return [{ label: "Evidence", value: foreign(event.data.evidence, times) }];
    case "invite.returned":
      return [{ label: "Note", value: "it had been withdrawn" }];
    case "invite.unrecognised":
      return [
        { label: "Unknown", value: foreign(event.data.reason, times) },
        { label: "As received", value: quote(JSON.stringify(event.data.raw), 300) },
      ];
    default:
      return [];
  }
}

function saidIn(events: readonly Event[], oddity: string): boolean {
  return events.some((event) => event.type === "invite.unrecognised" && event.data.reason.includes(oddity));
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

function twoFactor(enforced: boolean | null): string | null {
  if (enforced === null) return null;
  return enforced ? "required by the organization" : "not required";
}

function statusFact(invite: Invite): string {
  const { status, apiStatus } = invite;
  if (apiStatus === null || apiStatus === status) return statusName(status);
  return `${statusName(status)} (Cloudflare said last: ${statusName(apiStatus)})`;
}

function endFact({ invite, open }: InviteNews, times: Times): Fact {
  if (invite.expiresAt === null) return { label: "Ends", value: "no date given" };
  if (open) return { label: "Ends", value: times.full(invite.expiresAt) };
  return { label: "End", value: times.absolute(invite.expiresAt) };
}

/** Text of our own that may hold text of others. */
function foreign(text: string, times: Times): string {
  return defang(spellInstants(text, times), 300);
}

function references(watchName: string, events: readonly Event[]): string {
  return formatReferences(
    watchName,
    events.map((event) => event.seq),
  );
}

function optional(label: string, value: string | null): readonly Fact[] {
  return value ? [{ label, value }] : [];
}
