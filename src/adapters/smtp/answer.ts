/** Reads what an SMTP server answers. */
import { maskedLine } from "../../domain/one-line.ts";

/** The longest answer of a server that is kept. */
const LONGEST_ANSWER = 500;

/** What nodemailer and Node.js say of a failure. */
export type SmtpError = Error & {
  /** nodemailer's, or that of Node.js. */
  code?: string;
  /** That of Node.js where nodemailer put its own in `code`. */
  originalCode?: string;
  response?: string;
};

/** What a server said on one line, without secrets, cut where it is very long. */
export function tidyAnswer(text: string, redact: (text: string) => string): string {
  return maskedLine(text, LONGEST_ANSWER, redact);
}

/** The reply code; null where the text is no reply. @see https://www.rfc-editor.org/rfc/rfc5321#section-4.2 */
export function codeOf(answer: string): number | null {
  const code = /^([2-5]\d\d)(?:[ -]|$)/m.exec(answer.split("\n", 1)[0]?.trimEnd() ?? "")?.[1];
  return code === undefined ? null : Number(code);
}

/** The enhanced status code; null where there is none. @see https://www.rfc-editor.org/rfc/rfc3463#section-2 */
export function enhancedCodeOf(answer: string): string | null {
  return /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})(?![\d.])/.exec(answer)?.[1] ?? null;
}

/** From the most telling form to the least; the name stands in the first group. */
const QUEUE_IDS: readonly RegExp[] = [
  // Postfix, SendGrid, Postmark, Mailpit and many more; Stalwart says "queued with id".
  /\bqueued (?:as|with id) <?([^\s<>]+?)>?[.;,]?(?:\s|$)/i,
  // Haraka
  /\bMessage Queued \(([^\s()]+)\)/i,
  // Exim
  /\bid=([A-Za-z0-9-]+)/,
  // Exchange names it InternalId beside the Message-ID; Outlook.com gives the Message-ID alone.
  /\[InternalId=(\d+)/i,
  /^250 2\.0\.0 OK <([^\s<>]+)> \[Hostname=/i,
  // Sendmail, OpenSMTPD
  /^250 2\.0\.0 ([A-Za-z0-9]+) Message accepted for delivery/i,
  // Gmail: the instant, then the name
  /^250 2\.0\.0 OK\s+\d+ (\S+) - gsmtp$/,
  // qmail
  /^250 ok \d+ qp (\d+)$/i,
  // Amazon SES
  /^250 Ok ([0-9a-f]{8,}(?:-[0-9a-f]+)+)$/i,
];

/** Under which name the server took the mail; null where its answer names none. @param answer on one line */
export function queueIdOf(answer: string): string | null {
  for (const pattern of QUEUE_IDS) {
    const id = pattern.exec(answer)?.[1];
    if (id !== undefined) return id;
  }
  return null;
}
