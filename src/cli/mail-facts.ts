/** What is told of a mail wherever it is shown: why this recipient, what it waits for, its attempts, what was said. */
import type { Mail } from "../app/explain.ts";
import { titled } from "./lines.ts";
import { attemptFacts } from "./mail-attempts.ts";
import { relative, spellInstants, type Zone } from "./zone.ts";

export type MailView = { readonly zone: Zone; readonly now: Date; readonly columns: number };

/** A line or more for each thing that is known. */
export function mailFacts(mail: Mail, view: MailView): string[] {
  const { zone } = view;
  const { attempts, lastAttemptAt, coveredBy, heldBy, state, reason } = mail;
  const last = lastAttemptAt === null ? "" : `, the last at ${zone.show(lastAttemptAt)}`;
  const facts: readonly (readonly [title: string, text: string | null])[] = [
    ["chosen by", mail.rules.length === 0 ? null : mail.rules.join(", ")],
    ["subject", mail.subject],
    ["held for", heldBy],
    ["told by", coveredBy === null ? null : `mail ${shortId(coveredBy)}, in its place`],
    ["reason", coveredBy === null && reason !== null ? spellInstants(reason, zone) : null],
    ["attempts", attempts === 0 ? "none" : `${attempts}${last}`],
    ...attemptFacts(mail, zone),
    ["next attempt", state === "pending" ? nextAttempt(mail, view) : null],
    ["answer", mail.response],
    ["error", state === "delivered" ? null : mail.error],
    ["delivered", mail.deliveredAt && zone.show(mail.deliveredAt)],
  ];
  return facts.flatMap(([title, text]) => (text === null ? [] : titled(title, text, view)));
}

/** Enough to tell the ids of a screen apart, and for a command to find the mail. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

function nextAttempt({ nextAttemptAt }: Mail, { zone, now }: MailView): string {
  if (nextAttemptAt === null || nextAttemptAt <= now) return "now";
  return `${zone.show(nextAttemptAt)} (${relative(nextAttemptAt, now)})`;
}
