/** How TLS is used on the way to a mail server. */

/**
 * `require`: STARTTLS or nothing, certificate verified. `verify`: STARTTLS where it is offered, certificate verified.
 * `opportunistic`: STARTTLS where it is offered and works, certificate not verified. `off`: no STARTTLS.
 */
export const TLS_MODES = ["require", "verify", "opportunistic", "off"] as const;

export type TlsMode = (typeof TLS_MODES)[number];

/** What is known of the way. */
export type MailWay = {
  /** Whether the mail server is this machine. */
  readonly loopback: boolean;
  /** Whether there is a login. */
  readonly login: boolean;
  /** Whether the login may be sent in the clear beyond this machine. */
  readonly allowInsecureAuth: boolean;
};

/** The mode where none is asked for. */
export function defaultTlsMode({ loopback, login, allowInsecureAuth }: MailWay): TlsMode {
  if (loopback) return "opportunistic";
  return login && !allowInsecureAuth ? "require" : "verify";
}

/** Whether a login may be sent over a connection without TLS. */
export function mayLogInPlain({ loopback, allowInsecureAuth }: MailWay): boolean {
  return loopback || allowInsecureAuth;
}
