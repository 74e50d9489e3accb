/** The sentences of a mail that say where things stand and what to do. */
import type { CalendarAttachment } from "./calendar.ts";
import { foreign } from "./fields.ts";
import type { Gap } from "./gaps.ts";
import type { InviteNews } from "./group.ts";
import type { Times } from "./times.ts";
import { firstEnd } from "./title.ts";

const MAX_CAUSES = 3;

/**
 * Until when the invitations can be answered, or that they no longer can.
 *
 * @param news at least one
 */
export function leadOf(news: readonly [InviteNews, ...InviteNews[]], times: Times): string {
  const [first, ...others] = news;
  const open = news.filter((one) => one.open);
  const end = firstEnd(open);
  if (others.length > 0) {
    if (open.length === 0) return "None of these invitations can be answered any more.";
    const until = end === null ? "" : ` The first of them ends ${times.full(end)}.`;
    return `${open.length} of ${news.length} can still be answered; the most urgent one stands first.${until}`;
  }
  if (first.open) {
    return end === null
      ? "It can be accepted or rejected now; no date is given until when."
      : `It can be accepted or rejected until ${times.full(end)}.`;
  }
  if (isUnclear(first)) {
    const until =
      first.invite.expiresAt === null
        ? ""
        : ` If it is still open, it is so until ${times.full(first.invite.expiresAt)}.`;
    return `invitewatch cannot make sense of what Cloudflare says of it, and sends no reminders meanwhile.${until}`;
  }
  return "It cannot be answered any more, and no reminders will follow.";
}

/** The outcomes that we know; whatever else is not pending may be an outcome or not. */
const OUTCOMES = ["accepted", "rejected", "expired", "withdrawn"];

function isUnclear({ invite, open, topic }: InviteNews): boolean {
  return !open && (topic.type === "invite.unrecognised" || ![...OUTCOMES, "pending"].includes(invite.status));
}

/** What the first complete look at a user's invitations found. */
export function inventoryLead(news: readonly InviteNews[]): string {
  const pending = news.filter(({ open }) => open).length;
  const [all, open, over] = [news.length, pending, news.length - pending].map((n) => n.toLocaleString("en-US"));
  const found = news.length === 0 ? "It found none." : `It found ${all}: ${open} pending, ${over} answered or over.`;
  return `invitewatch has read all invitations of this Cloudflare user for the first time. ${found} From now on you get a mail when something changes or is about to end.`;
}

/**
 * Why the mail comes later than its news.
 *
 * @param causes noun phrases, at least one
 */
export function heldSentence(causes: readonly string[], summary: boolean, times: Times): string {
  const shown = causes.slice(0, MAX_CAUSES).map((cause) => foreign(cause, times, 120));
  const left = causes.length - shown.length;
  const because = shown.join(" and ") + (left > 0 ? ` (and ${left} more)` : "");
  return summary
    ? `Mail was held because of ${because}: this one tells everything since, each invitation as it stands now.`
    : `This mail was held because of ${because}.`;
}

/**
 * What the reader can do, and where; the dashboard's address follows.
 *
 * @param calendars the files that go with the mail
 */
export function actionOf(
  news: readonly InviteNews[],
  gaps: readonly Gap[],
  calendars: readonly CalendarAttachment[],
): string {
  const open = news.filter((one) => one.open);
  const blind = gaps.some((gap) => gap.blind);
  const sentences = [
    ...(open.length > 0 ? [ANSWER] : []),
    ...calendarSentences(calendars, open.length > 1),
    ...(blind ? [MEND] : []),
    ...(open.length > 0 || blind ? [] : [closing(news)]),
  ];
  return sentences.join(" ");
}

const ANSWER =
  "To answer, sign in to the Cloudflare dashboard as the invited user and accept or reject there. invitewatch only reads invitations and cannot answer them.";
const MEND =
  'Please mend the cause; "invitewatch check", run where invitewatch runs, tests each step. Until then, look into the Cloudflare dashboard yourself:';

function calendarSentences(calendars: readonly CalendarAttachment[], several: boolean): readonly string[] {
  const cancels = ({ contentType }: CalendarAttachment): boolean => contentType.endsWith("method=CANCEL");
  const held = calendars.some((one) => !cancels(one));
  return [
    ...(held ? [`The attached calendar file holds the deadline${several ? "s" : ""}.`] : []),
    ...(calendars.some(cancels)
      ? [`${held ? "A second one" : "The attached calendar file"} takes out of your calendar what no longer applies.`]
      : []),
  ];
}

function closing(news: readonly InviteNews[]): string {
  if (news.length === 0) return "The Cloudflare dashboard, where invitations are answered:";
  return news.some(isUnclear)
    ? "Please have a look at it in the Cloudflare dashboard:"
    : "Nothing needs to be done. The Cloudflare dashboard:";
}
