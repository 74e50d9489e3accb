/** What is wrong at a step on a mail's way, and what to do about it. */
import { REFUSAL_ADVICE, type RefusalStage, troubleOf } from "../../domain/refusal.ts";
import { codeOf, enhancedCodeOf } from "./answer.ts";
import type { ProbeStage } from "./probe-step.ts";

/** What nodemailer and Node.js say of a failure. */
export type ProbeFault = {
  readonly message?: string;
  /** Node.js's code, or nodemailer's with that of Node.js in `originalCode`. */
  readonly code?: string;
  readonly originalCode?: string;
  readonly response?: string;
};

const CONNECTION_FAULTS: Readonly<Record<string, string>> = {
  ENOTFOUND: "there is no such host; check the host in SMTP_URL",
  ENODATA: "there is no such host; check the host in SMTP_URL",
  EAI_AGAIN: "the name could not be looked up; check this machine's DNS and try again",
  ECONNREFUSED: "the connection is refused; check the port in SMTP_URL, and that the mail server runs",
  ECONNRESET: "the mail server cut the connection; look into its log",
  EHOSTUNREACH: "there is no way to this host; check the network and firewalls",
  ENETUNREACH: "there is no way to this host; check the network and firewalls",
};

const TIMEOUTS: Partial<Record<ProbeStage, string>> = {
  DNS: "the name was not resolved in time; check this machine's DNS",
  connect:
    "nothing answers in time; check host and port in SMTP_URL, and firewalls: many networks block ports for mail",
  greeting:
    "it takes the connection and says nothing; where the port is one for TLS from the start (465), use smtps://",
  TLS: "the TLS handshake did not end in time; check that smtps:// and the port belong together (465), or use smtp://",
};

export const NO_LOGIN_OFFERED = "it offers no login; take the user out of SMTP_URL where it needs none";

/** @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its authority is not known here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its authority is not known here, or the mail server sends its chain only in part",
  UNABLE_TO_GET_ISSUER_CERT: "its authority is not known here, or the mail server sends its chain only in part",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its authority is not known here, or the mail server sends its chain only in part",
};
const USE_KNOWN_AUTHORITY =
  "give the mail server one of a public authority, or name your own authority's file in NODE_EXTRA_CA_CERTS";

/** One sentence about the fault. @param relay host, with its port once that matters */
export function adviceFor(stage: ProbeStage, fault: ProbeFault, relay: string): string {
  if (fault.response !== undefined) return `${fault.response} (${answerAdvice(stage, fault.response)})`;
  return `${relay}: ${faultAdvice(stage, fault)}`;
}

/** What is wrong where the server said nothing, and what to do about it. */
export function faultAdvice(stage: ProbeStage, fault: ProbeFault): string {
  const code = fault.originalCode ?? fault.code ?? "";
  const message = fault.message ?? code;
  if (code === "ETIMEDOUT") return TIMEOUTS[stage] ?? "the mail server did not answer in time";
  if (stage === "TLS" && (code.startsWith("ERR_SSL") || fault.code === "ETLS")) {
    return `no TLS here; use smtp:// where TLS begins with STARTTLS (587), smtps:// where it is there from the start (465): ${message}`;
  }
  return CONNECTION_FAULTS[code] ?? message;
}

/** Why a certificate is not trusted, and what to do about it. @param code as Node.js names it */
export function certificateAdvice(code: string, host: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `it is not for ${host}; use a name in SMTP_URL that it is for`;
  if (code === "CERT_HAS_EXPIRED") return "it has expired; renew it at the mail server";
  if (code === "CERT_NOT_YET_VALID") return "it is not valid yet; check this machine's clock";
  return `${CERTIFICATE_FAULTS[code] ?? code}; ${USE_KNOWN_AUTHORITY}`;
}

const REFUSAL_STAGES: Partial<Record<ProbeStage, RefusalStage>> = {
  "MAIL FROM": "sender",
  "RCPT TO": "recipient",
  DATA: "data",
  answer: "answer",
};

/** The same that an attempt at delivery would say of the answer. */
function answerAdvice(probeStage: ProbeStage, answer: string): string {
  if (probeStage === "login") return "check the user and password in SMTP_URL";
  if (probeStage === "TLS") return "the mail server must offer STARTTLS before a login is sent; or use smtps://";
  const stage = REFUSAL_STAGES[probeStage];
  const code = codeOf(answer);
  if (stage !== undefined && code !== null) {
    return `the mail server ${REFUSAL_ADVICE[troubleOf({ stage, code, enhancedCode: enhancedCodeOf(answer), answer })]}`;
  }
  if (answer.startsWith("4")) return "refused for now: try again later, or look into the mail server's log";
  return "the mail server refuses this client; look into its log";
}
