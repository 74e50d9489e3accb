/** What well-known wordings of mail servers say of whose trouble it is, where their codes do not. */
import type { RefusalStage, Trouble } from "./trouble.ts";

type Wording = readonly [trouble: Trouble, ...patterns: readonly RegExp[]];

/** Of a domain, by DNS. */
const DOMAIN_AUTHENTICATION =
  /\b(?:SPF|DKIM|DMARC|ARC|PTR|rDNS)\b|reverse (?:dns|lookup)|unauthenticated e?-?mail|sender is unauthenticated/i;

/** They count more than the code: servers refuse a sender with 5.7.1, and tell of a limit with 5.4.5. */
const CLEAR: readonly Wording[] = [
  ["policy", DOMAIN_AUTHENTICATION, /not accepted for policy reasons/i],
  [
    "sender",
    /sender address rejected|not owned by user|not logged in|send ?as ?denied|(?:permissions? to|may not|cannot) send as/i,
    /not (?:allowed|permitted|authorized) to (?:send|submit|use)[^.]*\b(?:as|from|sender)\b/i,
    /(?:address|domain) (?:is )?not verified|verified sender identity|sender verif(?:y|ication) failed/i,
    /(?:from|sender)(?: header)?(?: e?-?mail)?(?: address| domain)?:?(?: <>)? (?:is |was )?not (?:verified|allowed|permitted|authorized|accepted|owned)/i,
    /sending from (?:this|your) (?:address|domain) is not|relaying disallowed as|bad ?mail ?from/i,
    /domain of sender address|(?:invalid|bad|unknown) sender|sender must match/i,
    /sender(?: address| domain)? (?:(?:is|was|has been) )?(?:rejected|denied|refused|unknown|invalid|suspended|blocked)/i,
    /\byour (?:e?-?mail )?account (?:is|was|has been) (?:disabled|suspended|blocked|locked|deactivated|restricted)/i,
  ],
  [
    "relaying",
    /relay(?:ing)?(?: access| mail)?(?: to \S+)?(?: is)? (?:denied|disallowed|not (?:permitted|allowed|authorized)|prohibited)/i,
    /(?:do(?:es)? not|can(?:not|'t)|won't|unable to|not (?:permitted|allowed) to) relay|no relay(?:ing)?\b/i,
    /list of allowed rcpthosts|credentials for relay|delivery is not allowed to this address|local users? only/i,
  ],
  [
    "quota",
    /throttl|rate[- ]?limit|message count quota|messaging limits|sent too (?:many|much)|maximum credits|sending paused/i,
    /too many (?:messages|recipients|e?-?mails)|too much mail from|(?:per|in the last) (?:minute|hour|day|month)\b/i,
    /unusual (?:sending activity|amount)|limit on the number/i,
    /(?:sending|daily|hourly|outgoing|outbound|message|mail|relay) (?:\w+ ){0,2}(?:quota|rate|limit)s?[^.]*(?:exceed|reach)/i,
    /(?:exceeded|reached)[^.]*(?:sending|daily|hourly|outgoing|outbound|rate|messages?|emails?) ?(?:\w+ )?(?:quota|limit)/i,
  ],
];

/** Neither is a limit on sending. */
const FULL_MAILBOX =
  /mailbox[^.]*(?:full|quota|limit|exceed)|(?:user|recipient|account)[^.]*over (?:the )?quota|storage/i;
const TOO_LARGE = /\bsize\b|too (?:large|big|long)|line length/i;

/** Said of what the mail holds, once it was seen. */
const CONTENT = /spam|virus|malware|infected|phish|unsolicited|content|attachment|bad header|\bmime\b/i;

/** In this order: the first that is found decides. */
const WORDINGS: readonly Wording[] = [
  [
    "message",
    TOO_LARGE,
    /\b(?:surbl|uribl)\b|\burl (?:is )?bl(?:ack|ock)|suspicious (?:url|link)/i,
    /\bid=\S+ - banned:/i,
  ],
  ["unclear", /\bhops?\b|\bloop/i],
  ["recipient", FULL_MAILBOX],
  ["quota", /\bquotas?\b|limits? (?:is |was |has been )?(?:exceeded|reached)|exceeded[^.]*(?:limit|threshold)/i],
  ["recipient", /RESOLVER\.RST|only (?:accepts?|receives?) (?:mail|messages) from/i],
  [
    "login",
    /authenticat(?:e|ion) (?:is )?required|requires? authenticat|(?:not|un)[ -]?authenticated|authenticate first/i,
    /(?:auth|login) (?:is )?required|(?:log ?in|auth) first|need auth\b|smtp auth(?:entication)? in your/i,
    /must (?:issue|first)[^.]*(?:auth|login|log in)|check for new mail|pop before smtp/i,
    /(?:tls|encryption) (?:is )?(?:required|needed)|must (?:use|issue)[^.]*tls|requires? (?:tls|encryption)/i,
  ],
  ["unclear", /try (?:it )?again|try later|temporar(?:y|ily)|(?:system|internal|server) (?:error|problem|failure)/i],
  [
    "policy",
    /block(?:ed)? ?list|black ?list|blocked (?:using|by|at|for)|\b(?:rbls?|dnsbls?)\b|spamhaus|spamcop|barracuda/i,
    /reputation|\bbanned\b|your (?:ip|host|server|network|access)|client host|(?:bad|invalid) helo|ip ?check/i,
    /messages from \[[^\]]+\] (?:weren't sent|will be)|not allowed to connect|dynamic ip|isp relay|authentication level/i,
  ],
  [
    "recipient",
    /(?:no such|unknown|invalid|non-?existent|inactive) (?:local )?(?:user|recipient|mailbox|address|account)/i,
    /(?:user|recipient|mailbox|account|address)(?: address)?(?: <>)? (?:is |was )?(?:unknown|not found|unavailable)/i,
    /(?:user|recipient|mailbox|account|address) (?:is |has been )?(?:disabled|inactive|suspended|invalid|expired)/i,
    /(?:user|recipient|mailbox|account|address) (?:does not|doesn't) exist|no mailbox|unrouteable|undeliverable/i,
    /not a valid (?:user|mailbox|recipient|address)|(?:domain|host) (?:name )?not found/i,
    /recipient address rejected: need fully-qualified|5\.4\.1 (?:<>: )?recipient address rejected|validrcptto/i,
  ],
  // Postfix says so of every recipient to whoever has to log in first, and did not.
  ["relaying", /recipient address rejected: access denied/i],
];

/** They may be said of us, of the recipient or of this mail. */
const AMBIGUOUS: readonly Wording[] = [
  ["unclear", /(?:access|permission) denied|polic(?:y|ies)|prohibit|\bblock(?:ed|ing)?\b|spoof/i],
  ["unclear", /not (?:allowed|permitted|authorized)/i],
];

/** What is said beyond doubt; null where nothing is. */
export function clearWordsOf(answer: string): Trouble | null {
  return FULL_MAILBOX.test(answer) || TOO_LARGE.test(answer) ? null : firstOf(CLEAR, answer);
}

export function wordsOf(answer: string, stage: RefusalStage): Trouble | null {
  const content = stage === "answer" && CONTENT.test(answer) ? "message" : null;
  return firstOf(WORDINGS, answer) ?? content ?? firstOf(AMBIGUOUS, answer);
}

function firstOf(wordings: readonly Wording[], answer: string): Trouble | null {
  return wordings.find(([, ...patterns]) => patterns.some((pattern) => pattern.test(answer)))?.[0] ?? null;
}
