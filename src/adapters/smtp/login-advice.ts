/** Why the mail server does not let us in by our login or our name, and what to do about it. */
import { codeOf, enhancedCodeOf } from "./answer.ts";
import type { SessionFault } from "./fault.ts";
import type { SmtpOptions } from "./options.ts";

type Relay = Pick<SmtpOptions, "auth" | "ignoreTLS" | "name">;

const ASKS_FOR_TLS = /STARTTLS|(?:TLS|encryption) (?:is )?(?:required|needed)|requires? (?:TLS|encryption)/i;

/** As a predicate: what the mail server does, and what to do. */
export function loginAdvice({ answer, offer, command }: SessionFault, relay: Relay): string {
  if (answer === null) return `takes no login of ours: ${nothingOffered(offer, relay)}`;
  const code = codeOf(answer) ?? 0;
  const enhanced = enhancedCodeOf(answer);
  if (ASKS_FOR_TLS.test(answer) || code === 538 || enhanced === "5.7.11" || enhanced === "5.7.10") {
    return `wants TLS first; ${relay.ignoreTLS ? "take tls=off out of SMTP_URL" : "use tls=require in SMTP_URL, or smtps://"}`;
  }
  if (relay.auth === undefined) return "wants a login; put user and password into SMTP_URL";
  if (code < 500) return "refuses the login for now; where that lasts, look into its log";
  if (code <= 504) return `does not support the mechanism ${mechanismOf(command)}; look into its log`;
  if (/auth\w*[^.]*\bdisabled\b/i.test(answer))
    return "allows this account no login by password; enable SMTP AUTH for it there";
  if (code === 534)
    return "wants another login than this password; its answer says which, often a password for one app";
  return "refuses the login; check the user and password in SMTP_URL";
}

function nothingOffered({ mechanisms, starttls }: SessionFault["offer"], { ignoreTLS }: Relay): string {
  if (mechanisms.length > 0) {
    return `it offers ${mechanisms.join(", ")} alone, which invitewatch does not support; it needs PLAIN, LOGIN or CRAM-MD5, often with a password for one app`;
  }
  if (ignoreTLS && starttls) return "it offers a login after STARTTLS alone; take tls=off out of SMTP_URL";
  return "it offers no login; take the user out of SMTP_URL where it needs none";
}

function mechanismOf(command: string): string {
  return /^AUTH (\S+)/.exec(command)?.[1] ?? "of the login";
}

/**
 * As a predicate, where it is the name in EHLO that the server does not take; else null. Postfix says so only at a
 * recipient.
 */
export function helloAdvice(fault: SessionFault, { name }: Relay): string | null {
  if (!refusesHello(fault)) return null;
  const setIt = "set name=HOST in SMTP_URL to one that it takes";
  if (fault.answer === null) return `hangs up on EHLO; it may not take "${name}" as the name of this host: ${setIt}`;
  return `does not take "${name}" as the name of this host; ${setIt}`;
}

/** Not as part of an address or a host's name. */
const HELLO = /(?<![\w<@.-])(?:HELO|EHLO)(?![\w@.-])/i;

export function refusesHello({ stage, answer, command, waiting, cause }: SessionFault): boolean {
  const code = codeOf(answer ?? "");
  if (answer !== null) {
    const isNo = code !== null && code >= 400 && code !== 421;
    return isNo && (/^(?:EHLO|HELO)/.test(command) || (stage !== "answer" && HELLO.test(answer)));
  }
  const hungUp = (cause.originalCode ?? cause.code) !== "ETIMEDOUT";
  return stage === "greeting" && waiting && hungUp && /^(?:EHLO|HELO)/.test(command);
}
