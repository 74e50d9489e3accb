/** What a mail is about in one line: its subject, and the heading inside it. */
import type { Event } from "../domain/event.ts";
import { cap, withoutIsolates } from "./defang.ts";
import { statusName } from "./fields.ts";
import { type Gap, gapHeadline, gapPhrase } from "./gaps.ts";
import { type InviteNews, RANK } from "./group.ts";
import { headline } from "./headline.ts";
import type { MailInput } from "./model.ts";
import { noticeTitle } from "./notices.ts";
import { count, type Times } from "./times.ts";

/** Longest subject, in UTF-16 units. */
const MAX_SUBJECT = 120;
/** Lengths to which an organization's name is cut until the subject fits, in graphemes. */
const NAME_LENGTHS = [60, 45, 30, 15, 5];

export type TitleInput = {
  readonly kind: MailInput["kind"];
  readonly news: readonly InviteNews[];
  readonly gaps: readonly Gap[];
  readonly events: readonly Event[];
};

/**
 * The subject: the title, with the watch in front where it has a name of its own.
 *
 * @param watch its name as shown to people; null where the mail tells of several
 */
export function subjectOf(input: TitleInput, times: Times, watch: string | null): string {
  const prefix = watch === null || watch === "default" ? "" : `[${cap(withoutIsolates(watch), 24)}] `;
  let subject = "";
  for (const nameLength of NAME_LENGTHS) {
    subject = prefix + withoutIsolates(titleOf(input, times, { nameLength, named: watch === null }));
    if (subject.length <= MAX_SUBJECT) return subject;
  }
  return cap(subject, MAX_SUBJECT, MAX_SUBJECT - 1);
}

/**
 * "Ends in 5 hours: invitation from “Acme”", "3 invitations need a look: the first ends in 5 hours"
 *
 * @param options `nameLength`: longest organization name, in graphemes; `named`: whether a watch that is blind is named
 */
export function titleOf(
  { kind, news, gaps, events }: TitleInput,
  times: Times,
  { nameLength, named }: { readonly nameLength: number; readonly named: boolean },
): string {
  if (kind === "inventory") return inventoryTitle(news, times);
  const [first, ...others] = news;
  const blind = gaps.filter((gap) => gap.blind);
  const foremost = blind.length > 0 ? blind : gaps;
  if (first === undefined) return foremost.length > 0 ? gapHeadline(foremost, times, named) : noticeTitle(events);
  if (blind.length > 0 && first.rank !== RANK.lastChance) {
    return `${gapHeadline(blind, times, named)}; ${count(news.length, "invitation")} with news`;
  }
  const title =
    others.length === 0 ? headline(first, times, nameLength) : severalTitle(news, times, kind === "summary");
  return foremost.length > 0 ? `${title}; ${gapPhrase(foremost, times)}` : title;
}

/** When the first of these invitations that are still open ends; null where none has a known end. */
export function firstEnd(news: readonly InviteNews[]): Date | null {
  const ends = news.filter(({ open }) => open).flatMap(({ invite }) => invite.expiresAt ?? []);
  return ends.reduce<Date | null>((first, end) => (first === null || end < first ? end : first), null);
}

/** "30 accepted, 7 expired", the most frequent first; at most three statuses by name. */
export function countByStatus(news: readonly InviteNews[]): string {
  const counts = new Map<string, number>();
  for (const { invite } of news) counts.set(invite.status, (counts.get(invite.status) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const shown = sorted.slice(0, 3).map(([status, number]) => `${number.toLocaleString("en-US")} ${statusName(status)}`);
  return shown.join(", ") + (sorted.length > shown.length ? ", others" : "");
}

function inventoryTitle(news: readonly InviteNews[], times: Times): string {
  const pending = news.filter(({ open }) => open);
  if (pending.length === 0) return "Now watching: no pending invitations";
  const end = firstEnd(pending);
  const which = pending.length === 1 ? "which" : "the first";
  const tail = end === null ? "" : `, ${which} ends ${times.relative(end)}`;
  return `Now watching: ${count(pending.length, "pending invitation")}${tail}`;
}

function severalTitle(news: readonly InviteNews[], times: Times, held: boolean): string {
  const open = news.filter((one) => one.open);
  const all = count(news.length, "invitation");
  const withNews = `${all} with news${held ? " while mail was held" : ""}`;
  if (open.length === 0) return `${held ? withNews : all}: ${countByStatus(news)}`;
  const end = firstEnd(open);
  const ends = end === null ? "" : `ends ${times.relative(end)}`;
  if (open.length === news.length) return `${held ? withNews : `${all} need a look`}${ends && `: the first ${ends}`}`;
  return `${withNews}: ${open.length} open${ends && `, ${open.length === 1 ? "" : "the first "}${ends}`}`;
}
