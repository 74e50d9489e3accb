/** What is wrong where the server said nothing, and what to do about it. */
import type { ProbeStage } from "./probe-step.ts";

/** What nodemailer and Node.js say of a failure. */
export type ProbeFault = {
  readonly message?: string;
  /** Node.js's code, or nodemailer's with that of Node.js in `originalCode`. */
  readonly code?: string;
  readonly originalCode?: string;
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
};

export function faultAdvice(stage: ProbeStage, fault: ProbeFault): string {
  const code = fault.originalCode ?? fault.code ?? "";
  if (code === "ETIMEDOUT") return TIMEOUTS[stage] ?? "the mail server did not answer in time";
  return CONNECTION_FAULTS[code] ?? fault.message ?? code;
}
