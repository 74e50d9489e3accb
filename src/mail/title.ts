/** What a mail is about in one line: its subject, and the heading inside it. */
import { cap } from "./defang.ts";
import { statusName } from "./fields.ts";
import type { InviteNews } from "./group.ts";
import { headline } from "./headline.ts";
import { count, type Times } from "./times.ts";

/** Longest subject, in UTF-16 units. */
const MAX_SUBJECT = 120;
/** Lengths to which an organization's name is cut until the subject fits, in graphemes. */
const NAME_LENGTHS = [60, 45, 30, 15, 5];

export type TitleInput = {
  readonly inventory: boolean;
  readonly news: readonly InviteNews[];
  /** How many mails the mail reports as undeliverable. */
  readonly dead: number;
};

/**
 * The subject: the title, with the watch in front where it has a name of its own.
 *
 * @param watchName as shown to people
 */
export function subjectOf(input: TitleInput, times: Times, watchName: string): string {
  const prefix = watchName === "default" ? "" : `[${cap(watchName, 24)}] `;
  let subject = "";
  for (const nameLength of NAME_LENGTHS) {
    subject = prefix + titleOf(input, times, nameLength);
    if (subject.length <= MAX_SUBJECT) return subject;
  }
  return cap(subject, MAX_SUBJECT, MAX_SUBJECT - 1);
}

/**
 * "Ends in 5 hours: invitation from “Acme”", "3 invitations need a look: the first ends in 5 hours"
 *
 * @param nameLength longest organization name, in graphemes
 */
export function titleOf({ inventory, news, dead }: TitleInput, times: Times, nameLength = 60): string {
  const [first, ...others] = news;
  if (inventory) return inventoryTitle(news, times);
  if (first === undefined) return dead > 0 ? `${count(dead, "mail")} could not be delivered` : "Nothing to report";
  if (others.length === 0) return headline(first, times, nameLength);
  return severalTitle(news, times);
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

function severalTitle(news: readonly InviteNews[], times: Times): string {
  const open = news.filter((one) => one.open);
  const all = count(news.length, "invitation");
  if (open.length === 0) return `${all}: ${countByStatus(news)}`;
  const end = firstEnd(open);
  const ends = end === null ? "" : `ends ${times.relative(end)}`;
  if (open.length === news.length) return `${all} need a look${ends && `: the first ${ends}`}`;
  return `${all} with news: ${open.length} open${ends && `, ${open.length === 1 ? "" : "the first "}${ends}`}`;
}
