/**
 * Goes a mail's way to the relay step by step, and says at each step what was found.
 *
 * It is the way of a delivery; only the name is looked up beforehand, so that this can be told apart.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { onTheWire } from "./address.ts";
import { type SmtpError, tidyAnswer } from "./answer.ts";
import { dial, type Line } from "./dial.ts";
import { optionsOf, type SmtpOptions, type Timeouts } from "./options.ts";
import type { Relay } from "./outcome.ts";
import { faultAdvice } from "./probe-advice.ts";
import type { ProbeStep, Tell } from "./probe-step.ts";
import { createTeller } from "./probe-teller.ts";
import { sendOver } from "./session.ts";
import { within } from "./socket.ts";

export type ProbeMail = { readonly from: string; readonly to: readonly string[]; readonly mime: Buffer };

export type ProbeOptions = {
  readonly redact: (text: string) => string;
  /** Told of each step as it ends. */
  readonly report: (step: ProbeStep) => void;
  /** In ms; those of a delivery where nothing is said. */
  readonly timeouts?: Partial<Timeouts>;
};

/**
 * The recipients for whom the relay took the mail. Never rejects: what went wrong was reported.
 *
 * @param mail with bare addresses
 */
export async function probeRelay(smtpUrl: string, mail: ProbeMail, how: ProbeOptions): Promise<readonly string[]> {
  const options: SmtpOptions = { ...optionsOf(smtpUrl, mail.from), ...how.timeouts };
  const tell: Tell = (stage, ok, text, recipient) =>
    how.report({ stage, ok, text: tidyAnswer(text, how.redact), recipient: recipient ?? null });
  if (!(await resolveHost(options, tell))) return [];
  return converse(options, mail, { ...options, setting: "SMTP_URL", redact: how.redact }, tell);
}

async function resolveHost({ host, dnsTimeout }: SmtpOptions, tell: Tell): Promise<boolean> {
  if (isIP(host) !== 0) {
    tell("DNS", true, `${host} is an address, no name to look up`);
    return true;
  }
  try {
    const found = await within(dnsTimeout, lookup(host, { all: true }));
    tell("DNS", true, `${host} is ${[...new Set(found.map(({ address }) => address))].join(", ")}`);
    return true;
  } catch (error) {
    tell("DNS", false, `${host}: ${faultAdvice("DNS", error as SmtpError)}`);
    return false;
  }
}

/** As long as a delivery may take until the whole mail is sent. */
const DEADLINE_MS = 120_000;

async function converse(options: SmtpOptions, mail: ProbeMail, relay: Relay, tell: Tell): Promise<readonly string[]> {
  const teller = createTeller(mail.to, options, relay, tell);
  // A certificate that is not trusted is to be shown; nothing but EHLO is sent before the teller judges it.
  const patient = { ...options, tls: { ...options.tls, rejectUnauthorized: false } };
  const untilMs = performance.now() + DEADLINE_MS;
  let line: Line | null = null;
  try {
    line = await dial(patient, { untilMs, signal: new AbortController().signal }, teller);
    teller.loggedIn(line);
    const envelope = { from: onTheWire(mail.from), to: mail.to.map(onTheWire), size: mail.mime.length };
    await sendOver(line, { envelope, mime: mail.mime }, { untilMs }, options);
    return teller.accepted();
  } catch (fault) {
    teller.failed(fault);
    return [];
  } finally {
    line?.connection.quit();
    line?.connection.close();
  }
}
