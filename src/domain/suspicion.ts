/**
 * Reasons to look twice at an invitation: anybody can send one, under any name.
 *
 * Hints for people, nothing else depends on them. They hold no text of the API, so that they can be shown as they are.
 */
import { imitatesCloudflare, inviterImitatesCloudflare } from "./imitation.ts";
import type { Invite } from "./invite.ts";

/** What a watch knew before this invitation came. */
export type Background = {
  /** Of earlier invitations, in lower case; empty where none is known. */
  readonly inviterDomains: ReadonlySet<string>;
  /** Different organizations whose first invitation came within 24 h up to this one, this one included. */
  readonly organizationsLately: number;
};

/** So many new organizations within a day are nothing that happens by itself. */
const MANY_ORGANIZATIONS = 5;
/** No name is longer; bounds the work on hostile input, in UTF-16 units. */
const MAX_NAME = 1_000;

const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;
/** The ways to write a dot that a reader takes for one: `[.]`, `(dot)`, ` dot `, the full stops of other scripts. */
const OTHER_DOTS =
  /\s*[[({]\s*(?:\.|[Dd][Oo][Tt])\s*[\])}]\s*|\s+dot\s+|\s+\.\s*(?=\p{L})|[\u3002\uFF0E\uFF61\u2024\uFE52]/gu;

/** Top-level domains of names that strangers choose, beside those of countries. */
const GENERIC_DOMAINS =
  "com|net|org|info|biz|app|dev|xyz|top|online|site|website|web|page|shop|store|club|link|click|live|cloud|tech|zip|mov|vip|icu|pro|support|gov|edu";
const INTERNATIONAL_DOMAINS =
  "рф|рус|бел|укр|срб|онлайн|сайт|ελ|公司|中国|中國|网络|网址|在线|香港|台灣|みんな|한국|닷컴|भारत|ไทย|مصر|السعودية|امارات|إختبار|موقع|شبكة|ישראל";
const WEB_ADDRESSES = [
  /(?:https?|hxxps?|ftp|mailto|tel|javascript|data)\s*\[?:\S/iu,
  /\/\/|\\\\/u,
  /(?<![\p{L}\p{N}])www\./iu,
  /(?<![\p{L}\p{N}])xn--[a-z0-9]/iu,
  /[^\s@]@[^\s@]/u,
  /(?<!\d)(?:\d{1,3}\.){3}\d{1,3}(?!\d)/u,
  /[\p{L}\p{N}]\.\p{L}{2,}[/:]\S/u,
  new RegExp(`[\\p{L}\\p{N}-]\\.(?:${GENERIC_DOMAINS}|${INTERNATIONAL_DOMAINS})(?![\\p{L}\\p{N}])`, "iu"),
  // A country's domain is written in one case: "Co.KG" is none, and "Node.js" has the ending of no country.
  /(?<![\p{L}\p{N}.])[\p{Ll}\p{N}-]{3,}\.(?!js(?!\p{L}))[a-z]{2}(?![\p{L}\p{N}.])/u,
  /(?<![\p{L}\p{N}.])[\p{Lu}\p{N}-]{3,}\.[A-Z]{2}(?![\p{L}\p{N}.])/u,
];

/** What presses or promises, in the words that are shown. */
const PRESSING = [
  "urgent",
  "immediately",
  "action required",
  "act now",
  "final notice",
  "verify",
  "suspended",
  "deactivated",
  "expire",
  "expires",
  "expired",
  "security alert",
  "password",
  "payment",
  "invoice",
  "refund",
  "overdue",
  "reward",
  "prize",
  "winner",
];
const PRESSING_WORDS = PRESSING.map((words) => ({
  words,
  pattern: new RegExp(`(?<![\\p{L}\\p{N}])${words.replace(" ", "[\\s_-]+")}(?![\\p{L}\\p{N}])`, "iu"),
}));

const WORDS = /[\p{L}\p{M}]+/gu;

/** The clauses of a sentence such as "Please look twice: a; b."; none for an ordinary invitation. */
export function suspicionsOf(invite: Invite, background: Background): readonly string[] {
  const name = (invite.organizationName ?? "").slice(0, MAX_NAME).toWellFormed();
  const inviter = (invite.invitedBy ?? "").slice(0, MAX_NAME).toWellFormed();
  return [
    ...(imitatesCloudflare(name) ? ["the organization is named like Cloudflare itself, as anybody can name one"] : []),
    ...(inviterImitatesCloudflare(inviter)
      ? ["the inviter is named like Cloudflare, at an address that is not Cloudflare's"]
      : []),
    ...inviterSuspicions(invite.invitedBy, background.inviterDomains),
    ...nameSuspicions(name),
    ...(imitatesLatin(inviter.replace(INVISIBLE, "")) ? ["the inviter's name mixes alphabets within a word"] : []),
    ...(background.organizationsLately >= MANY_ORGANIZATIONS
      ? [`${background.organizationsLately} organizations sent a first invitation within 24 hours`]
      : []),
    ...(invite.roles.some((role) => /admin/i.test(role)) ? ["it gives the role of an administrator"] : []),
  ];
}

/** The domain of the address that an invitation is from, in lower case; null where none can be seen. */
export function inviterDomain(invitedBy: string | null): string | null {
  const domain = /@([^@\s<>()[\],;:"']+)>?\s*$/u.exec(invitedBy ?? "")?.[1];
  return domain?.normalize("NFKC").toLowerCase().replace(/\.+$/, "") || null;
}

/** A domain is new only beside others: the first inviter of all is as unknown as anybody. */
function inviterSuspicions(invitedBy: string | null, known: ReadonlySet<string>): readonly string[] {
  const domain = inviterDomain(invitedBy);
  return domain === null || known.size === 0 || known.has(domain)
    ? []
    : ["no earlier invitation came from the inviter's domain"];
}

function nameSuspicions(name: string): readonly string[] {
  const visible = name.replace(INVISIBLE, "");
  const plain = visible.normalize("NFKC").replace(OTHER_DOTS, ".");
  const pressing = PRESSING_WORDS.filter(({ pattern }) => pattern.test(plain)).map(({ words }) => words);
  return [
    ...(WEB_ADDRESSES.some((address) => address.test(plain)) ? ["the organization's name holds a web address"] : []),
    ...(pressing.length === 0 ? [] : [`the organization's name says ${pressing.slice(0, 3).join(", ")}`]),
    ...(imitatesLatin(visible) ? ["the organization's name mixes alphabets within a word"] : []),
  ];
}

/** Whether a word has Latin letters beside Cyrillic or Greek ones, many of which look alike. */
function imitatesLatin(text: string): boolean {
  const words = text.normalize("NFC").match(WORDS) ?? [];
  return words.some((word) => /\p{Script=Latin}/u.test(word) && /\p{Script=Cyrillic}|\p{Script=Greek}/u.test(word));
}
