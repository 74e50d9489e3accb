/**
 * Whose trouble it is when a mail server says no to a mail: by enhanced code, wording, reply code and stage together.
 *
 * Only what is said of the mailbox or of this one mail is final. In doubt a mail is tried again, never lost.
 */
import { CODE_TROUBLES, SUBJECT_TROUBLES } from "./refusal-codes.ts";
import { clearWordsOf, wordsOf } from "./refusal-words.ts";
import type { RefusalStage, Trouble } from "./trouble.ts";

export type Refusal = {
  readonly stage: RefusalStage;
  /** 400 and more. @see https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3 */
  readonly code: number;
  /** @see https://www.rfc-editor.org/rfc/rfc3463 */
  readonly enhancedCode: string | null;
  /** The server's whole reply. */
  readonly answer: string;
};

/** What matters of a reply stands at its beginning. */
const LONGEST_READ = 2_000;
/** Their words say nothing: a mailbox may be called quota@ or dmarc@. */
const ADDRESSES = /<?[^\s<>]+@[^\s<>]+>?/g;

export function troubleOf({ answer, ...refusal }: Refusal): Trouble {
  const words = answer.slice(0, LONGEST_READ).replace(ADDRESSES, "<>");
  return atStage(refusal.stage, judge({ ...refusal, answer: words }));
}

function judge({ stage, code, enhancedCode, answer }: Refusal): Trouble {
  if (LOGIN_CODES.has(code)) return "login";
  if (code === UNKNOWN_PARAMETER) return "server";
  if (code < 500 || enhancedCode?.startsWith("4")) return temporaryOr(answer);
  const [, subject = "0", detail = "0"] = (enhancedCode ?? markedCode(answer))?.split(".") ?? [];
  return (
    clearWordsOf(answer) ??
    CODE_TROUBLES.get(`${subject}.${detail}`) ??
    wordsOf(answer, stage) ??
    SUBJECT_TROUBLES.get(subject) ??
    byReplyCode(code, stage)
  );
}

/** Replies that ask for a login, or another one. @see https://www.rfc-editor.org/rfc/rfc4954#section-6 */
const LOGIN_CODES: ReadonlySet<number> = new Set([530, 534, 535, 538]);
/** Said of what we send beside the address, such as SIZE. @see https://www.rfc-editor.org/rfc/rfc5321#section-4.1.1.11 */
const UNKNOWN_PARAMETER = 555;
/** Said of the dialogue. */
const DIALOGUE_CODES: ReadonlySet<number> = new Set([500, 502, 503, 504]);
/** Said of the mailbox where it is being named. @see https://www.rfc-editor.org/rfc/rfc5321#section-4.2.2 */
const MAILBOX_CODES: ReadonlySet<number> = new Set([501, 550, 551, 552, 553, 556]);

/** "For now" may still be said to every mail: a limit that is reached, a relay that wants to know us first. */
function temporaryOr(answer: string): Trouble {
  const words = clearWordsOf(answer);
  return words === "quota" || words === "relaying" ? words : "temporary";
}

/** qmail and Cisco mark it: "no mailbox here by that name (#5.1.1)", "#5.1.0 Address rejected". */
function markedCode(answer: string): string | null {
  return /#(5\.\d{1,3}\.\d{1,3})\b/.exec(answer)?.[1] ?? null;
}

function byReplyCode(code: number, stage: RefusalStage): Trouble {
  if (DIALOGUE_CODES.has(code)) return "server";
  if (stage === "recipient") return MAILBOX_CODES.has(code) ? "recipient" : "unclear";
  return code === 552 ? "message" : "unclear";
}

/** While the sender is being named nothing is known of the recipient. */
function atStage(stage: RefusalStage, trouble: Trouble): Trouble {
  if (stage !== "sender") return trouble;
  return trouble === "recipient" || trouble === "unclear" ? "sender" : trouble;
}

/** What is wrong and what to do about it, as what the mail server does. */
export const REFUSAL_ADVICE: Readonly<Record<Trouble, string>> = {
  recipient: "refuses the recipient; check the address, and that its mailbox takes mail",
  message: "refuses the mail itself; look into its log",
  sender: "refuses the sender; check that it lets this login send as MAIL_FROM",
  login: "refuses the mail without another login; check the user and password in SMTP_URL",
  relaying:
    "does not pass mail on to this recipient; check the user in SMTP_URL, and that it relays mail from this host",
  policy: "takes no mail from this host or domain; check the login, block lists, reverse DNS, SPF, DKIM and DMARC",
  quota: "takes no more mail for now, because a limit on sending is reached; raise the limit or wait until it ends",
  server: "cannot take mail as it is set up now; look into its log",
  unclear: "refuses it for a reason that may concern other mail too; look into its log",
  temporary: "refuses it for now; where that lasts, look into its log",
};
