/** Where the relay is, how it is spoken to and how long it may take, from SMTP_URL. */
import { hostname } from "node:os";
import { isLoopback } from "../../domain/loopback.ts";
import { defaultTlsMode, type MailWay, mayLogInPlain, TLS_MODES, type TlsMode } from "../../domain/mail-tls.ts";
import { helloNameOf } from "./hello-name.ts";

const TIMEOUTS = {
  dnsTimeout: 10_000,
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 60_000,
  /** The answer to the message: a repeat of it costs more than waiting. @see https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.2.6 */
  answerTimeout: 600_000,
};

export type Timeouts = typeof TIMEOUTS;

export type SmtpOptions = Timeouts & {
  readonly host: string;
  readonly port: number;
  /** What EHLO says. */
  readonly name: string;
  /** TLS from the start. */
  readonly secure: boolean;
  readonly tlsMode: TlsMode;
  readonly requireTLS: boolean;
  readonly ignoreTLS: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
  /** Whether the login may be sent without TLS. */
  readonly plainLogin: boolean;
  readonly tls: { readonly minVersion: "TLSv1.2"; readonly rejectUnauthorized: boolean };
};

/**
 * Connection options of an SMTP URL. A login is only ever sent over TLS, unless the relay is on this
 * machine or `?allowInsecureAuth=true` says otherwise.
 *
 * @param from MAIL_FROM, whose domain EHLO says where this host has no full name
 */
export function optionsOf(smtpUrl: string, from: string | null = null): SmtpOptions {
  const url = new URL(smtpUrl);
  const secure = url.protocol === "smtps:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const auth =
    url.username === "" ? null : { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
  const way: MailWay = {
    loopback: isLoopback(host),
    login: auth !== null,
    allowInsecureAuth: url.searchParams.get("allowInsecureAuth") === "true",
  };
  const asked = TLS_MODES.find((mode) => mode === url.searchParams.get("tls"));
  // Who asks for TLS from the start gets it verified, also from this machine, unless told otherwise.
  const tlsMode = asked ?? (secure ? "require" : defaultTlsMode(way));
  return {
    host,
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    name: helloNameOf({ asked: url.searchParams.get("name"), hostname: hostname(), from }),
    secure,
    tlsMode,
    requireTLS: !secure && tlsMode === "require",
    ignoreTLS: !secure && tlsMode === "off",
    plainLogin: mayLogInPlain(way),
    ...(auth && { auth }),
    tls: { minVersion: "TLSv1.2", rejectUnauthorized: tlsMode !== "opportunistic" },
    ...TIMEOUTS,
  };
}
