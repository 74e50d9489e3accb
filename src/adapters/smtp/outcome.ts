/** Says how an attempt ended: whose trouble it is, whether another try can help, and what to do about it. */
import type { DeliveryOutcome, DeliveryStage } from "../../domain/delivery/attempt.ts";
import { REFUSAL_ADVICE, type Refusal, troubleOf } from "../../domain/refusal.ts";
import { codeOf, enhancedCodeOf, queueIdOf, type SmtpError, tidyAnswer } from "./answer.ts";
import { type SessionFault, wasStopped } from "./fault.ts";
import { helloAdvice, loginAdvice, refusesHello } from "./login-advice.ts";
import type { SmtpOptions } from "./options.ts";
import { faultAdvice } from "./probe-advice.ts";
import type { ProbeStage } from "./probe-step.ts";
import { tlsAdvice, tlsReason } from "./tls-advice.ts";

/** The relay as it is named to people, and what may be shown of its words. */
export type Relay = Pick<SmtpOptions, "host" | "port" | "name" | "auth" | "ignoreTLS"> & {
  /** The setting that names it. */
  readonly setting: "SMTP_URL" | "FALLBACK_SMTP_URL";
  readonly redact: (text: string) => string;
};

type Verdict =
  | Pick<Extract<DeliveryOutcome, { kind: "failed" }>, "kind" | "cause">
  | Pick<Extract<DeliveryOutcome, { kind: "refused" }>, "kind" | "what">;

/** @param answer the server's whole reply to the mail */
export function acceptedOutcome(answer: string, durationMs: number, { redact }: Relay): DeliveryOutcome {
  const response = tidyAnswer(answer, redact);
  const codes = { code: codeOf(answer), enhancedCode: enhancedCodeOf(answer) };
  return { kind: "accepted", stage: "answer", ...codes, queueId: queueIdOf(response), durationMs, response };
}

export function faultOutcome(fault: SessionFault, durationMs: number, relay: Relay): DeliveryOutcome {
  const answer = fault.answer ?? "";
  const codes = { code: codeOf(answer), enhancedCode: enhancedCodeOf(answer) };
  const error = explain(fault, relay);
  return { ...verdictOn(fault), stage: fault.stage, ...codes, queueId: null, durationMs, error };
}

/** Whose trouble it is. A reply that is none counts as silence: what it was meant to say cannot be known. */
function verdictOn(fault: SessionFault): Verdict {
  const { stage, answer, waiting, cause } = fault;
  const code = codeOf(answer ?? "");
  const no = code !== null && code >= 400 ? code : null;
  if (wasStopped(fault) && stage !== "answer") return failed("stopped");
  if (refusesHello(fault)) return failed("unreachable");
  switch (stage) {
    case "answer":
      return no === null ? failed("unknown") : verdictOnMail({ stage, code: no, answer: answer ?? "" });
    case "connect":
    case "greeting":
      return failed("unreachable");
    case "tls":
      return failed(no === 421 || (no === null && (waiting || answer !== null)) ? "unreachable" : "tls");
    case "login":
      return failed(no === 421 || (no === null && !isOurs(answer, cause, "EAUTH")) ? "unreachable" : "login");
    default:
      if (isOurs(answer, cause, "EMESSAGE")) return refused("message");
      if (no === null || no === 421) return failed("unreachable");
      return verdictOnMail({ stage, code: no, answer: answer ?? "" });
  }
}

function verdictOnMail(refusal: Omit<Refusal, "enhancedCode">): Verdict {
  const trouble = troubleOf({ ...refusal, enhancedCode: enhancedCodeOf(refusal.answer) });
  return trouble === "recipient" || trouble === "message" ? refused(trouble) : failed(trouble);
}

/** Whether nodemailer stopped it itself: no login is offered (`EAUTH`), or the mail is larger than allowed. */
function isOurs(answer: string | null, { code }: SmtpError, expected: "EAUTH" | "EMESSAGE"): boolean {
  return answer === null && code === expected;
}

function failed(cause: Extract<Verdict, { kind: "failed" }>["cause"]): Verdict {
  return { kind: "failed", cause };
}

function refused(what: Extract<Verdict, { kind: "refused" }>["what"]): Verdict {
  return { kind: "refused", what };
}

/** One sentence that says what is wrong and what to do. */
export function explain(fault: SessionFault, relay: Relay): string {
  return sentenceOf(fault, relay).replaceAll("SMTP_URL", relay.setting);
}

function sentenceOf(fault: SessionFault, relay: Relay): string {
  const { host, port, redact } = relay;
  const server = `the mail server ${host}:${port}`;
  const verdict = verdictOn(fault);
  if (isOurs(fault.answer, fault.cause, "EMESSAGE")) return fault.cause.message.replace("the mail server", server);
  const because = tidyAnswer(fault.answer ?? faultAdvice(PROBE_STAGES[fault.stage], fault.cause), redact);
  if (verdict.kind === "refused") return `${server} ${REFUSAL_ADVICE[verdict.what]}: ${because}`;
  switch (verdict.cause) {
    case "login":
      return `${server} ${loginAdvice(fault, relay)}${fault.answer === null ? "" : `: ${because}`}`;
    case "tls":
      return `no TLS with ${server}; ${tlsAdvice(fault, relay)}: ${tidyAnswer(fault.answer ?? tlsReason(fault.cause), redact)}`;
    case "unreachable":
      return `${server} ${helloAdvice(fault, relay) ?? unreachableAdvice(fault)}: ${because}`;
    case "stopped":
      return `${server} was not waited for, as invitewatch was told to stop; the next start tries again`;
    case "unknown":
      return `${server} was sent the whole mail and gave no answer; it may have taken it, so that the next attempt may be a repeat: ${because}`;
    case "relaying":
      return `${server} ${relay.auth === undefined ? RELAYS_NOT_WITHOUT_LOGIN : REFUSAL_ADVICE.relaying}: ${because}`;
    default:
      return `${server} ${REFUSAL_ADVICE[verdict.cause]}: ${because}`;
  }
}

const RELAYS_NOT_WITHOUT_LOGIN =
  "does not pass mail on to this recipient without a login; put user and password into SMTP_URL, or let it relay mail from this host";

/** How the stages are called by which `mail test` reports. */
export const PROBE_STAGES: Readonly<Record<DeliveryStage, ProbeStage>> = {
  connect: "connect",
  greeting: "greeting",
  tls: "TLS",
  login: "login",
  sender: "MAIL FROM",
  recipient: "RCPT TO",
  data: "DATA",
  answer: "answer",
};

function unreachableAdvice({ answer }: SessionFault): string {
  if (answer === null) return "cannot be reached or does not answer";
  const code = codeOf(answer);
  if (code === null) return "answers what is no SMTP; check host and port in SMTP_URL";
  if (code < 500) return "turns us away for now; where that lasts, look into its log";
  const trouble = troubleOf({ stage: "data", code, enhancedCode: enhancedCodeOf(answer), answer });
  return trouble === "policy" || trouble === "quota" ? REFUSAL_ADVICE[trouble] : "turns us away; look into its log";
}
