/** What well-known wordings of mail servers say of whose trouble it is, where their codes do not. */
import type { RefusalStage, Trouble } from "./trouble.ts";

type Wording = readonly [trouble: Trouble, ...patterns: readonly RegExp[]];

/** Believed before the code, beside which servers use them: a sender is refused with 5.7.1, a limit told with 5.4.5. */
const CLEAR: readonly Wording[] = [
  [
    "sender",
    /sender address rejected|not owned by user|not logged in|send ?as ?denied|permissions? to send as/i,
    /not (?:allowed|permitted|authorized) to (?:send|submit|use|relay)[^.]*\b(?:as|from|sender)\b/i,
    /email address is not verified|verified sender identity|sender verif(?:y|ication) failed|invalid sender/i,
    /(?:from|sender)(?: e?-?mail)?(?: address| domain)? (?:is )?not (?:verified|allowed|permitted|authorized|accepted)/i,
    /domain of sender address|sender (?:is )?(?:rejected|denied|refused)|sender must match/i,
  ],
  [
    "relaying",
    /relay(?:ing)?(?: access)?(?: is)? (?:denied|not (?:permitted|allowed|authorized)|prohibited)|unable to relay/i,
    /(?:do(?:es)? not|cannot|won't|not (?:permitted|allowed) to) relay|list of allowed rcpthosts|credentials for relay/i,
  ],
  [
    "quota",
    /throttl|rate[- ]?limit|message count quota|messaging limits|too many (?:messages|e?-?mails)|sent too (?:many|much)/i,
    /(?:sending|daily|hourly|outgoing|outbound|message|mail|relay) (?:\w+ ){0,2}(?:quota|rate|limit)s?[^.]*(?:exceed|reach)/i,
    /(?:exceeded|reached)[^.]*(?:sending|daily|hourly|outgoing|outbound|rate|messages?|emails?) ?(?:\w+ )?(?:quota|limit)/i,
  ],
];

/** Neither is a limit on sending. */
const FULL_MAILBOX =
  /mailbox[^.]*(?:full|quota|limit|exceed)|(?:user|recipient|account)[^.]*over (?:the )?quota|storage/i;
const TOO_LARGE = /\bsize\b|too (?:large|big|long)|line length/i;

/** In this order: the first that is found decides. */
const WORDINGS: readonly Wording[] = [
  ["message", TOO_LARGE],
  ["unclear", /\bhops?\b|\bloop/i],
  ["recipient", FULL_MAILBOX],
  ["quota", /\bquotas?\b|limits? (?:is |was |has been )?(?:exceeded|reached)|exceeded[^.]*(?:limit|threshold)/i],
  // Authentication of the domain comes before that of the client.
  [
    "policy",
    /\b(?:SPF|DKIM|DMARC|ARC|PTR)\b|reverse (?:dns|lookup)|unauthenticated e?-?mail|sender is unauthenticated/i,
  ],
  ["recipient", /RESOLVER\.RST|only (?:accepts?|receives?) (?:mail|messages) from/i],
  [
    "login",
    /authenticat(?:e|ion) (?:is )?required|not authenticated|(?:auth|login) (?:is )?required|log ?in first/i,
    /must (?:issue|first)[^.]*(?:auth|login|log in)/i,
  ],
  [
    "policy",
    /block(?:ed)? ?list|black ?list|blocked (?:using|by|at|for)|\b(?:rbls?|dnsbls?)\b|spamhaus|spamcop|barracuda/i,
    /reputation|\bbanned\b|your (?:ip|host|server|network)|client host|(?:bad|invalid) helo|ip ?check/i,
    /messages from \[[^\]]+\] weren't sent/i,
  ],
  [
    "recipient",
    /(?:no such|unknown|invalid|non-?existent|inactive) (?:local )?(?:user|recipient|mailbox|address|account)/i,
    /(?:user|recipient|mailbox|account|address)(?: address)?(?: <[^>]*>)? (?:is |was )?(?:unknown|not found|unavailable)/i,
    /(?:user|recipient|mailbox|account|address) (?:is |has been )?(?:disabled|inactive|suspended|invalid|expired)/i,
    /(?:user|recipient|mailbox|account|address) (?:does not|doesn't) exist|no mailbox|unrouteable|undeliverable/i,
    /not a valid (?:user|mailbox|recipient|address)|(?:domain|host) (?:name )?not found/i,
    /recipient address rejected: access denied/i,
  ],
  // By whom is not said: against us, by the recipient or about this mail.
  ["unclear", /(?:access|permission) denied|polic(?:y|ies)|prohibit|blocked senders?|spoof/i],
  ["unclear", /not (?:allowed|permitted|authorized)/i],
];

/** Said of what the mail holds, once it was seen. */
const CONTENT = /spam|virus|malware|infected|phish|unsolicited|content|attachment|header/i;

/** What is said beyond doubt; null where nothing is. */
export function clearWordsOf(answer: string): Trouble | null {
  return FULL_MAILBOX.test(answer) || TOO_LARGE.test(answer) ? null : firstOf(CLEAR, answer);
}

export function wordsOf(answer: string, stage: RefusalStage): Trouble | null {
  return firstOf(WORDINGS, answer) ?? (stage === "answer" && CONTENT.test(answer) ? "message" : null);
}

function firstOf(wordings: readonly Wording[], answer: string): Trouble | null {
  return wordings.find(([, ...patterns]) => patterns.some((pattern) => pattern.test(answer)))?.[0] ?? null;
}
