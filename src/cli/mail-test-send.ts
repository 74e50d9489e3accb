/** Sends the test mail, and says of each stage how it ended. */

import { randomUUID } from "node:crypto";
import { probeRelay } from "../adapters/smtp/probe.ts";
import type { ProbeStep } from "../adapters/smtp/probe-step.ts";
import { createMailTransport } from "../adapters/smtp/transport.ts";
import { composeOne } from "../app/composed-mail.ts";
import type { Config, MailConfig } from "../config/config.ts";
import { createRedactor } from "../domain/redact.ts";
import { messageIdFor } from "../mail/headers.ts";
import { senderAddress } from "../mail/sender.ts";
import { renderTestMail } from "../mail/test-mail.ts";
import { type Context, write } from "./context.ts";
import { printable } from "./printable.ts";

/** What the whole way came to. */
type Outcome = { readonly steps: readonly ProbeStep[]; readonly accepted: readonly string[] };

/** @param quiet to write no line for each stage */
export async function sendTest(
  config: Config,
  { smtpUrl, from }: MailConfig,
  recipients: readonly string[],
  { stdout, now }: Context,
  quiet: boolean,
): Promise<Outcome> {
  const redact = createRedactor(config.secrets);
  const date = now();
  const { timezone } = config;
  const rendered = renderTestMail({ timezone, now: date, recipients, from });
  const to = recipients.join(", ");
  const transport = createMailTransport(smtpUrl, redact);
  const message = { ...rendered, messageId: messageIdFor(randomUUID(), to, from), from, to, date };
  const mime = await composeOne(message, transport);
  await transport.close();

  const steps: ProbeStep[] = [];
  const report = (step: ProbeStep) => {
    steps.push(step);
    if (!quiet) void write(stdout, `${lineOf(step)}\n`).catch(() => {});
  };
  const accepted = await probeRelay(smtpUrl, { from: senderAddress(from), to: recipients, mime }, { redact, report });
  return { steps, accepted };
}

const STAGE_WIDTH = 9;

function lineOf({ stage, ok, text, recipient }: ProbeStep): string {
  const whom = recipient === null ? "" : `<${recipient}>: `;
  return `${ok ? "OK " : "FIX"}  ${stage.padEnd(STAGE_WIDTH)}  ${printable(`${whom}${text}`)}`;
}
