/** Says how an attempt ended: whose trouble it is, whether another try can help, and what to do about it. */
import type { DeliveryOutcome, DeliveryStage } from "../../app/ports.ts";
import { REFUSAL_ADVICE, type Refusal, troubleOf } from "../../domain/refusal.ts";
import { codeOf, enhancedCodeOf, queueIdOf, type SmtpError, tidyAnswer } from "./answer.ts";
import { certificateAdvice, faultAdvice } from "./probe-advice.ts";
import type { ProbeStage } from "./probe-step.ts";
import type { SessionFault } from "./session.ts";

/** The relay as it is named to people, and what may be shown of its words. */
export type Relay = {
  readonly host: string;
  readonly port: number;
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
function verdictOn({ stage, answer, waiting, cause }: SessionFault): Verdict {
  const code = codeOf(answer ?? "");
  const no = code !== null && code >= 400 ? code : null;
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

function sentenceOf(fault: SessionFault, { host, port, redact }: Relay): string {
  const server = `the mail server ${host}:${port}`;
  const verdict = verdictOn(fault);
  const because = tidyAnswer(fault.answer ?? faultAdvice(PROBE_STAGES[fault.stage] ?? "DATA", fault.cause), redact);
  if (verdict.kind === "refused") return `${server} ${REFUSAL_ADVICE[verdict.what]}: ${because}`;
  switch (verdict.cause) {
    case "login":
      if (fault.stage !== "login") return `${server} ${REFUSAL_ADVICE.login}: ${because}`;
      return `${server} refuses the login; check the user and password in SMTP_URL: ${because}`;
    case "tls":
      return `no TLS with ${server}; ${tlsAdvice(fault, host)}: ${because}`;
    case "unreachable":
      return `${server} ${unreachableAdvice(fault)}: ${because}`;
    case "unknown":
      return `${server} was sent the whole mail and gave no answer; it may have taken it, so that the next attempt may be a repeat: ${because}`;
    default:
      return `${server} ${REFUSAL_ADVICE[verdict.cause]}: ${because}`;
  }
}

const PROBE_STAGES: Partial<Record<DeliveryStage, ProbeStage>> = {
  connect: "connect",
  greeting: "greeting",
  tls: "TLS",
};

function unreachableAdvice({ answer }: SessionFault): string {
  if (answer === null) return "cannot be reached or does not answer";
  if (codeOf(answer) === null) return "answers what is no SMTP; check host and port in SMTP_URL";
  return "turns us away for now; where that lasts, look into its log";
}

function tlsAdvice({ answer, cause }: SessionFault, host: string): string {
  const code = cause.originalCode ?? cause.code ?? "";
  if (answer !== null) return "it must offer STARTTLS before a login is sent";
  if (isCertificateFault(code)) return `its certificate is not trusted: ${certificateAdvice(code, host)}`;
  return "check that the port belongs to smtps:// (465) or smtp:// (587)";
}

/** @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
function isCertificateFault(code: string): boolean {
  return /CERT|ISSUER|LEAF_SIGNATURE/.test(code) && !code.startsWith("ERR_SSL");
}
