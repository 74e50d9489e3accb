/** Why there is no TLS with the mail server, and what to do about it. */
import { codeOf, type SmtpError } from "./answer.ts";
import type { SessionFault } from "./fault.ts";
import type { SmtpOptions } from "./options.ts";

const USE_KNOWN_AUTHORITY =
  "give the mail server one of a public authority, or name your own authority's file in NODE_EXTRA_CA_CERTS";
const UNKNOWN_AUTHORITY = `its authority is not known here; ${USE_KNOWN_AUTHORITY}`;
const PERHAPS_IN_PART = `its authority is not known here, or the mail server sends its chain only in part; ${USE_KNOWN_AUTHORITY}`;
const RENEW = "give the mail server a new one";

/** @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: `it is self-signed; ${USE_KNOWN_AUTHORITY}`,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  CERT_UNTRUSTED: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: PERHAPS_IN_PART,
  UNABLE_TO_GET_ISSUER_CERT: PERHAPS_IN_PART,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: PERHAPS_IN_PART,
  CERT_HAS_EXPIRED: "it has expired; renew it at the mail server",
  CERT_NOT_YET_VALID: "it is not valid yet; check this machine's clock",
  CERT_REVOKED: `it was revoked; ${RENEW}`,
  EE_KEY_TOO_SMALL: `its key is too short to be safe; ${RENEW}`,
  CA_KEY_TOO_SMALL: `its authority's key is too short to be safe; ${RENEW}`,
  CA_MD_TOO_WEAK: `it is signed with a digest that is no longer safe; ${RENEW}`,
  INVALID_PURPOSE: `it was not issued for a server; ${RENEW}`,
};

const OLD_VERSIONS =
  "it offers versions of TLS before 1.2 alone, which are no longer safe; update it, or allow TLS 1.2 or newer there";
const NO_COMMON_CIPHER =
  "it has no cipher in common with this program, or wants a certificate of ours; allow TLS 1.2 or newer with ECDHE and AES-GCM there, and ask for no client certificate";
const NO_TLS_HERE =
  "it answers without TLS; use smtp:// where TLS begins with STARTTLS (587), smtps:// where it is there from the start (465)";
const CUT = "it cuts the connection during the handshake; look into its log, and check that the port is one for TLS";

/** By the names of OpenSSL's reasons. */
const HANDSHAKE_FAULTS: readonly (readonly [RegExp, string])[] = [
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|WRONG_SSL_VERSION/, OLD_VERSIONS],
  [
    /DH_KEY_TOO_SMALL|BAD_DH_VALUE/,
    "its Diffie-Hellman parameters are too short to be safe; give it 2048 bits or more",
  ],
  [/(?:EE|CA)_KEY_TOO_SMALL|MD_TOO_WEAK/, `its certificate is too weak to be safe; ${RENEW}`],
  [/ALERT_HANDSHAKE_FAILURE|NO_SHARED_CIPHER|NO_CIPHER|INSUFFICIENT_SECURITY|WRONG_CIPHER/, NO_COMMON_CIPHER],
  [
    /ALERT_CERTIFICATE_REQUIRED/,
    "it wants a certificate of ours, which is not supported; let it take mail without one",
  ],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_TOO_SMALL|UNEXPECTED_MESSAGE$/, NO_TLS_HERE],
  [/ALERT/, "it ends the handshake with an alert of its own; its log says why"],
];

const TIMEOUT =
  "the TLS handshake did not end in time; check that smtps:// and the port belong together (465), or use smtp://";

/** @param relay host, with how TLS is asked for */
export function tlsAdvice(fault: SessionFault, relay: Pick<SmtpOptions, "host" | "auth">): string {
  const { answer, cause, offer } = fault;
  const code = codeNameOf(cause);
  if (answer !== null && offer.starttls) {
    const isForNow = (codeOf(answer) ?? 0) < 500;
    return `it offers STARTTLS and refuses it${isForNow ? " for now; where that lasts," : ";"} look into its log`;
  }
  if (answer !== null || code === "ETLS") return noStarttls(relay);
  if (isCertificateFault(code)) return `its certificate is not trusted: ${certificateAdvice(code, relay.host)}`;
  if (code === "ETIMEDOUT") return TIMEOUT;
  const known = HANDSHAKE_FAULTS.find(([pattern]) => code.startsWith("ERR_SSL") && pattern.test(code))?.[1];
  return known ?? (code === "ECONNRESET" || code === "ECONNECTION" ? CUT : "the handshake fails; look into its log");
}

function noStarttls({ auth }: Pick<SmtpOptions, "auth">): string {
  if (auth === undefined) return "it offers no STARTTLS, which tls=require in SMTP_URL asks for";
  return "it must offer STARTTLS before a login is sent; where it has TLS from the start (465), use smtps://";
}

/** Why a certificate is not trusted, and what to do about it. @param code as Node.js names it */
export function certificateAdvice(code: string, host: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `it is not for ${host}; use a name in SMTP_URL that it is for`;
  return CERTIFICATE_FAULTS[code] ?? `${code}; ${USE_KNOWN_AUTHORITY}`;
}

/** What Node.js or OpenSSL calls it, in short. */
export function tlsReason(cause: SmtpError): string {
  const code = codeNameOf(cause);
  const reason = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/.exec(cause.message)?.[1];
  return reason ?? (isCertificateFault(code) ? code : cause.message);
}

function codeNameOf({ code, originalCode }: SmtpError): string {
  return originalCode ?? code ?? "";
}

/** @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
function isCertificateFault(code: string): boolean {
  return Object.hasOwn(CERTIFICATE_FAULTS, code) || (/CERT|ISSUER|LEAF_SIGNATURE/.test(code) && !/^ERR_SSL/.test(code));
}
