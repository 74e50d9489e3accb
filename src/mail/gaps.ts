/** Stretches of time in which a watch could not be read: what a mail says of one that began or ended. */
import type { Event } from "../domain/event.ts";
import { hasEnded } from "../domain/expiry.ts";
import { type Invite, inviteKey } from "../domain/invite.ts";
import { quote } from "./defang.ts";
import { NAME_LENGTH, referenceFact, type Telling, watchFact } from "./facts.ts";
import { foreign, idOrQuote, statusName } from "./fields.ts";
import { compareRecorded } from "./group.ts";
import { organization } from "./headline.ts";
import type { Fact } from "./model.ts";
import { duration, type Times } from "./times.ts";

const MAX_AT_RISK = 20;
/** A reason names the failure and what to do about it; the latter stands at its end. */
const REASON_LENGTH = 600;
const MAX_WATCHES = 3;

/** All that one mail tells of one gap. */
export type Gap = {
  readonly watch: string;
  /** Whether it lasts, as far as the mail knows. */
  readonly blind: boolean;
  readonly data: Event<"watch.blind" | "watch.recovered">["data"];
  /** By `seq`; at least one. */
  readonly events: readonly Event[];
};

/** One entry per gap, those that last first, then in the order in which they were recorded. */
export function gapsOf(events: readonly Event[]): readonly Gap[] {
  const byStart = new Map<string, Gap>();
  const told = events.filter((event) => event.type === "watch.blind" || event.type === "watch.recovered");
  for (const event of told.sort(compareRecorded)) {
    const key = `${event.data.since} ${event.watch}`;
    const before = byStart.get(key)?.events ?? [];
    const blind = event.type === "watch.blind";
    byStart.set(key, { watch: event.watch, blind, data: event.data, events: [...before, event] });
  }
  return [...byStart.values()].sort((a, b) => Number(b.blind) - Number(a.blind));
}

/**
 * "Blind since 10:15 CET: invitations of “ops” cannot be read"
 *
 * @param gaps at least one, and all of them lasting or all of them over
 * @param named whether the watch is named
 */
export function gapHeadline(gaps: readonly Gap[], times: Times, named: boolean): string {
  const whose = named ? ` of ${watchNames(gaps)}` : "";
  const { blind } = gaps[0] as Gap;
  return `${capitalize(gapPhrase(gaps, times))}: invitations${whose} ${blind ? "cannot be read" : "can be read"}`;
}

/** "blind since 10:15 CET", "seeing again after 3 hours": of the longest one. */
export function gapPhrase(gaps: readonly Gap[], times: Times): string {
  const since = new Date(Math.min(...gaps.map(({ data }) => Date.parse(data.since))));
  const longestMs = Math.max(...gaps.map(lengthMs));
  return gaps[0]?.blind ? `blind since ${times.clock(since)}` : `seeing again after ${duration(longestMs)}`;
}

/** What the gaps mean for the reader. */
export function gapLead(gaps: readonly Gap[], named: boolean): string {
  const lasting = gaps.filter(({ blind }) => blind);
  const over = gaps.filter(({ blind }) => !blind);
  const sentences: string[] = [];
  if (lasting.length > 0) {
    const whose = named ? ` of ${watchesPhrase(lasting)}` : "";
    sentences.push(`New invitations and answers${whose} stay unnoticed until invitations can be read again.`);
    sentences.push("Reminders of ends that are known still come.");
  }
  if (over.length > 0) {
    const whose = named ? ` of ${watchesPhrase(over)}` : "";
    sentences.push(`The invitations${whose} can be read again.`);
    sentences.push("Changes that lasted are told as usual; whatever came and went in between was not seen.");
  }
  return sentences.join(" ");
}

/**
 * Cause, length, and the invitations whose end falls into the gap. Safe to show as it is.
 *
 * @param invites as now known, by `inviteKey`
 */
export function gapFacts(gap: Gap, invites: ReadonlyMap<string, Invite>, now: Date, telling: Telling): readonly Fact[] {
  const { times } = telling;
  const { since, until, reason } = gap.data;
  const from = new Date(since);
  const stretch =
    until === null
      ? { label: "Blind since", value: times.full(from) }
      : {
          label: "Blind",
          value: `${duration(lengthMs(gap))}, from ${times.absolute(from)} to ${times.absolute(new Date(until))}`,
        };
  return [
    ...watchFact(gap.watch, telling),
    { label: "Cause", value: foreign(reason, times, REASON_LENGTH) },
    stretch,
    riskFact(gap, invites, now, times),
    referenceFact(gap.events),
  ];
}

function riskFact({ watch, blind, data }: Gap, invites: ReadonlyMap<string, Invite>, now: Date, times: Times): Fact {
  const label = blind ? "May end unseen" : "Ended inside it";
  const known = data.atRisk.map((id) => ({ id, invite: invites.get(inviteKey({ watch, id })) }));
  const end = ({ invite }: { invite: Invite | undefined }): number => invite?.expiresAt?.getTime() ?? Infinity;
  const lines = known
    .sort((a, b) => (end(a) === end(b) ? 0 : end(a) - end(b)))
    .slice(0, MAX_AT_RISK)
    .map(({ id, invite }) =>
      invite === undefined ? `invitation ${idOrQuote(id, 64)}` : riskLine(invite, blind, now, times),
    );
  const left = known.length - lines.length;
  const [first, ...more] = left > 0 ? [...lines, `(and ${left.toLocaleString("en-US")} more)`] : lines;
  if (first === undefined)
    return { label, value: blind ? "no pending invitation that is known" : "none that is known" };
  return more.length === 0 ? { label, value: first } : { label, value: first, more };
}

function riskLine(invite: Invite, blind: boolean, now: Date, times: Times): string {
  const { expiresAt, status } = invite;
  const name = organization(invite, NAME_LENGTH);
  const told = expiresAt === null || (blind && !hasEnded(invite, now)) ? times.full : times.absolute;
  const end = expiresAt === null ? "no end is known" : `${hasEnded(invite, now) ? "ended" : "ends"} ${told(expiresAt)}`;
  return `${name}, ${end}${["pending", "expired"].includes(status) ? "" : `; now ${statusName(status)}`}`;
}

function lengthMs({ data }: Gap): number {
  return data.until === null ? 0 : Date.parse(data.until) - Date.parse(data.since);
}

function watchesPhrase(gaps: readonly Gap[]): string {
  const several = gaps.some(({ watch }) => watch !== gaps[0]?.watch);
  return `the watch${several ? "es" : ""} ${watchNames(gaps)}`;
}

function watchNames(gaps: readonly Gap[]): string {
  const names = [...new Set(gaps.map(({ watch }) => watch))].map((watch) => quote(watch, 24));
  const left = names.length - MAX_WATCHES;
  return names.slice(0, MAX_WATCHES).join(", ") + (left > 0 ? ` (and ${left} more)` : "");
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
