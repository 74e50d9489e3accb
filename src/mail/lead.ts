/** The sentences of a mail that say where things stand and what to do. */
import type { InviteNews } from "./group.ts";
import type { Times } from "./times.ts";
import { firstEnd } from "./title.ts";

/** Until when the invitations can be answered, or that they no longer can. */
export function leadOf(news: readonly InviteNews[], times: Times): string {
  const [first, ...others] = news;
  if (first === undefined) return "Below is whom it was meant for, and why it failed.";
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

/** What the reader can do, and where; the dashboard's address follows. */
export function actionOf(news: readonly InviteNews[]): string {
  if (news.some(({ open }) => open)) {
    return "To answer, sign in to the Cloudflare dashboard as the invited user and accept or reject there. invitewatch only reads invitations and cannot answer them.";
  }
  if (news.length === 0) return "The Cloudflare dashboard, where invitations are answered:";
  return news.some(isUnclear)
    ? "Please have a look at it in the Cloudflare dashboard:"
    : "Nothing needs to be done. The Cloudflare dashboard:";
}
