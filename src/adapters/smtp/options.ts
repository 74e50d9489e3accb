/** Where the relay is and how long it may take, from SMTP_URL. */
import { isLoopback } from "../../domain/loopback.ts";

const TIMEOUTS = { dnsTimeout: 10_000, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 60_000 };

export type Timeouts = typeof TIMEOUTS;

export type SmtpOptions = Timeouts & {
  readonly host: string;
  readonly port: number;
  /** TLS from the start. */
  readonly secure: boolean;
  readonly requireTLS: boolean;
  readonly ignoreTLS?: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
  readonly tls: { readonly minVersion: "TLSv1.2" };
};

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
