/** What a mail says of one invitation, as labelled facts, so that its text and HTML parts cannot differ. */
import type { Event } from "../domain/event.ts";
import type { Invite } from "../domain/invite.ts";
import { defang, isolate, quote } from "./defang.ts";
import { foreign, idOrQuote, roleList, statusName } from "./fields.ts";
import type { InviteNews } from "./group.ts";
import { organization } from "./headline.ts";
import type { Fact } from "./model.ts";
import { formatReferences } from "./references.ts";
import { storyOf } from "./story.ts";
import type { Times } from "./times.ts";

/** What the facts of every invitation in one mail depend on. */
export type Telling = {
  readonly times: Times;
  /** Whether the mail tells of several watches, so that each item has to name its own. */
  readonly severalWatches: boolean;
  /** Whether it tells of a longer time, so that each event has to say when it was. */
  readonly dated: boolean;
};

/** Longest name of an organization, in graphemes. */
export const NAME_LENGTH = 60;
const MAX_ODDITIES = 5;
const MAX_CAUTIONS = 10;

/** Everything known and new about the invitation, what one decides by first. Safe to show as it is. */
export function factsOf(news: InviteNews, telling: Telling): readonly Fact[] {
  const { invite } = news;
  const { times } = telling;
  const oddities = invite.oddities.filter((oddity) => !saidIn(news.events, oddity)).slice(0, MAX_ODDITIES);
  return [
    ...watchFact(invite.watch, telling),
    { label: "Organization", value: organization(invite, NAME_LENGTH) },
    ...standing(news, telling),
    ...optional("Invited by", invite.invitedBy && quote(invite.invitedBy, 100)),
    ...optional("Invited address", invite.invitedMemberEmail && quote(invite.invitedMemberEmail, 100)),
    { label: "Roles", value: roleList(invite.roles) },
    ...optional("Two-factor", twoFactor(invite.organizationEnforcesTwoFactor)),
    ...optional("Invited", invite.invitedAt && times.absolute(invite.invitedAt)),
    ...storyOf(news, times, telling.dated),
    ...oddities.map((oddity) => ({ label: "Unclear", value: foreign(oddity, times) })),
    ...optional("Organization id", invite.organizationId && idOrQuote(invite.organizationId, 64)),
    { label: "Invitation id", value: idOrQuote(invite.id, 64) },
    referenceFact(news.events),
  ];
}

/** The few facts for an invitation that needs nothing any more. */
export function briefFactsOf(news: InviteNews, telling: Telling): readonly Fact[] {
  const { invite, events } = news;
  return [
    ...watchFact(invite.watch, telling),
    ...optional("Invited address", invite.invitedMemberEmail && quote(invite.invitedMemberEmail, 100)),
    ...standing(news, telling),
    ...(telling.dated ? storyOf(news, telling.times, true) : []),
    referenceFact(events),
  ];
}

/** Which watch an item is of, where a mail tells of several. */
export function watchFact(watch: string, { severalWatches }: Telling): readonly Fact[] {
  return severalWatches ? [{ label: "Watch", value: quote(watch, 40) }] : [];
}

/** Where the events are found in the history. */
export function referenceFact(events: readonly Event[]): Fact {
  return { label: "Reference", value: formatReferences(events, watchName) };
}

/** A watch's name as mails show it beside a number. */
export function watchName(watch: string): string {
  return isolate(defang(watch, 40));
}

/** How the invitation stands, and what to mind about it. */
function standing(news: InviteNews, { times }: Telling): readonly Fact[] {
  const { invite } = news;
  const { acknowledgedAt } = invite;
  const reasons = invite.cautions.slice(0, MAX_CAUTIONS).map((reason) => defang(reason, 200));
  return [
    endFact(news, times),
    { label: "Status", value: statusFact(invite) },
    ...optional("Acknowledged", acknowledgedAt && `${times.absolute(acknowledgedAt)}, no reminders since`),
    ...optional("Caution", reasons.length === 0 ? null : `Please look twice: ${reasons.join("; ")}.`),
  ];
}

function saidIn(events: readonly Event[], oddity: string): boolean {
  return events.some((event) => event.type === "invite.unrecognised" && event.data.reason.includes(oddity));
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

function optional(label: string, value: string | null): readonly Fact[] {
  return value ? [{ label, value }] : [];
}
