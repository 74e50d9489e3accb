/** Logs in to the relay, by a mechanism that it offers. */
import type SMTPConnection from "nodemailer/lib/smtp-connection";
import { codeOf, enhancedCodeOf } from "./answer.ts";
import type { Done } from "./caller.ts";
import { SessionFault } from "./fault.ts";
import type { SmtpOptions } from "./options.ts";
import type { Progress } from "./progress.ts";

/** In the order in which they are preferred. */
const MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5"] as const;

/** The code of a fault where we did not try: the server offers no login that we know. */
const NO_LOGIN = "EAUTH";
/** The code of a fault where we did not try: the login would cross the wire in the clear. */
const NO_TLS = "ETLS";

type Line = { readonly connection: SMTPConnection; readonly progress: Progress };
type RunCall = (run: (done: Done) => void) => Promise<unknown>;

/**
 * As the URL says: without a user there is no login; with one, nothing is sent without it.
 *
 * A second mechanism is tried where the server says that the first one is at fault, and never a third: each refusal may
 * count towards locking the account.
 *
 * @returns the mechanism; null where there is no login. Rejects with a SessionFault
 */
export async function logIn(
  { connection, progress }: Line,
  { auth, plainLogin }: SmtpOptions,
  call: RunCall,
): Promise<string | null> {
  if (auth === undefined) return null;
  const offer = progress.offer();
  const refuse = (stage: "tls" | "login", code: string, message: string) =>
    new SessionFault(Object.assign(new Error(message), { code }), { stage, answer: null, offer });
  if (!connection.secure && !plainLogin) throw refuse("tls", NO_TLS, "no login is sent without TLS");
  const [first, second] = MECHANISMS.filter((mechanism) => offer.mechanisms.includes(mechanism));
  if (first === undefined) throw refuse("login", NO_LOGIN, "no mechanism for a login in common");
  const logInBy = (method: string) =>
    call((done) => connection.login({ ...auth, method, credentials: { ...auth } }, done));
  try {
    await logInBy(first);
    return first;
  } catch (fault) {
    if (second === undefined || !isOfMechanism(fault)) throw fault;
  }
  await logInBy(second);
  return second;
}

/**
 * Whether the mechanism was refused, and not the password.
 *
 * 500 to 504 say so; so may the general security codes 5.7.0 to 5.7.7 of RFC 3463 (Exchange: `504 5.7.4`, `535 5.7.3`).
 * From 5.7.8 on they speak of the account (RFC 4954), as does 535 alone: there a second try would be a second failure.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4954#section-6
 */
function isOfMechanism(fault: unknown): boolean {
  if (!(fault instanceof SessionFault) || fault.answer === null) return false;
  const code = codeOf(fault.answer) ?? 0;
  return (code >= 500 && code <= 504) || (code > 504 && /^5\.7\.[0-7]$/.test(enhancedCodeOf(fault.answer) ?? ""));
}
