/** Sends mail through the relay that SMTP_URL names, and says what the relay answered. */
import { createTransport, type Transporter } from "nodemailer";
import MailComposer from "nodemailer/lib/mail-composer";
import type SMTPTransport from "nodemailer/lib/smtp-transport";
import type { DeliveryOutcome, MailTransport } from "../../app/ports.ts";
import { isLoopback } from "../../domain/loopback.ts";

const TIMEOUTS = { dnsTimeout: 10_000, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 60_000 };

/** The longest answer of a server that is kept. */
const LONGEST_ANSWER = 500;

/** A transport for the relay; nothing is connected yet. */
export function createMailTransport(smtpUrl: string, redact: (text: string) => string): MailTransport {
  const options = optionsOf(smtpUrl);
  const transporter: Transporter<SMTPTransport.SentMessageInfo> = createTransport(options);
  const said = (text: string) => tidyAnswer(text, redact);
  const relay = `${options.host}:${options.port}`;

  return {
    compose({ headers, messageId, attachments, ...message }) {
      const mail = {
        ...message,
        messageId: `<${messageId}>`,
        headers,
        attachments: [...attachments],
        // The bytes that are kept are those on the wire, where every line ends in CRLF.
        newline: "windows",
        disableFileAccess: true,
        disableUrlAccess: true,
      };
      return new MailComposer(mail).compile().build();
    },
    async send(mime, envelope) {
      try {
        const { response } = await transporter.sendMail({ envelope, raw: mime });
        return { kind: "accepted", response: said(response) };
      } catch (error) {
        return outcomeOf(error as SmtpError, relay, said);
      }
    },
    async verify() {
      try {
        await transporter.verify();
      } catch (error) {
        throw new Error(explain(error as SmtpError, relay, said), { cause: error });
      }
    },
    async close() {
      transporter.close();
    },
  };
}

/** What a server said on one line, without secrets, cut where it is very long. */
export function tidyAnswer(text: string, redact: (text: string) => string): string {
  return redact(text.replaceAll(/\s+/g, " ").trim()).slice(0, LONGEST_ANSWER);
}

export type SmtpError = Error & { code?: string; command?: string; response?: string; responseCode?: number };
export type SmtpOptions = SMTPTransport.Options & { host: string; port: number } & typeof TIMEOUTS;

/**
 * Connection options of an SMTP URL. A login is only ever sent over TLS, unless the relay is on this
 * machine or `?allowInsecureAuth=true` says otherwise.
 */
export function optionsOf(smtpUrl: string): SmtpOptions {
  const url = new URL(smtpUrl);
  const secure = url.protocol === "smtps:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const loopback = isLoopback(host);
  const insecureAllowed = loopback || url.searchParams.get("allowInsecureAuth") === "true";
  const auth =
    url.username === "" ? null : { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
  return {
    host,
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS: auth !== null && !secure && !insecureAllowed,
    ...(loopback && { ignoreTLS: !secure }),
    ...(auth && { auth }),
    tls: { minVersion: "TLSv1.2" },
    ...TIMEOUTS,
  };
}

/**
 * A 5xx for the recipient or the message is final; anything else may pass: the relay's own troubles,
 * the login, and the sender's address, which an administrator can mend.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1
 */
function outcomeOf(error: SmtpError, relay: string, said: (text: string) => string): DeliveryOutcome {
  const final = (error.responseCode ?? 0) >= 500 && /^(RCPT TO|DATA)/.test(error.command ?? "");
  return { kind: final ? "refused" : "failed", error: explain(error, relay, said) };
}

function explain(error: SmtpError, relay: string, said: (text: string) => string): string {
  const answer = said(error.response ?? error.message);
  switch (error.code) {
    case "EAUTH":
      return `the mail server ${relay} refuses the login; check the user and password in SMTP_URL: ${answer}`;
    case "ETLS":
      return `no TLS with the mail server ${relay}; it must offer STARTTLS before a login is sent: ${answer}`;
    case "ECONNECTION":
    case "ESOCKET":
    case "EDNS":
    case "ETIMEDOUT":
      return `the mail server ${relay} cannot be reached or does not answer: ${answer}`;
    default:
      return `the mail server ${relay} said: ${answer}`;
  }
}
