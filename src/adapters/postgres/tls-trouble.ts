/** What is wrong with the encryption of a connection to the database, as a sentence. */

/** How the driver says that a server has no TLS. */
const NO_TLS = "The server does not support SSL connections";
/** How we end a connection ourselves. */
export const NO_CHANNEL_BINDING = "channel binding is required, and the server did not offer it";

/** @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const UNTRUSTED = [
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_UNTRUSTED",
  "INVALID_CA",
  "CERT_SIGNATURE_FAILURE",
];
const UNTRUSTED_WORDS = /^(self[- ]signed certificate|unable to (get|verify)|certificate not trusted|invalid CA)/;

/** What servers and poolers that take TLS only say to a connection without it. */
const TLS_ONLY = /no encryption|SSL off|SSL (connection )?(is )?required|connection is insecure|sslmode=require/i;
const PLAIN_ONLY = /pg_hba\.conf.*\bSSL (encryption|on)/i;

type Spoken = { readonly code: string; readonly said: string };

/** The sentence, or null where it is not encryption that fails. @param at where the database is */
export function tlsSentence({ code, said }: Spoken, at: string): string | null {
  const ofServer = code.startsWith("28") || code.startsWith("08P01");
  if (ofServer && TLS_ONLY.test(said)) {
    return `The database at ${at} lets nobody in without encryption (${code}); set sslmode=verify-full or sslmode=require in DATABASE_URL.`;
  }
  if (ofServer && PLAIN_ONLY.test(said)) {
    return `The database at ${at} has no rule in its pg_hba.conf for this user, database and address over TLS (${code}); add one (hostssl).`;
  }
  if (ofServer && /valid client certificate/.test(said)) {
    return `The database at ${at} asks for a client certificate (${code}); name one with sslcert and sslkey in DATABASE_URL.`;
  }
  if (said.startsWith(NO_TLS)) {
    return `The database at ${at} has no TLS, and sslmode in DATABASE_URL asks for it; turn it on there (ssl = on), or set sslmode=disable where the network is private.`;
  }
  if (said.startsWith(NO_CHANNEL_BINDING)) {
    return `The database at ${at} logs in without channel binding, which channel_binding=require in DATABASE_URL asks for; leave that out, or use SCRAM over TLS there.`;
  }
  return certificateSentence({ code, said }, at);
}

function certificateSentence({ code, said }: Spoken, at: string): string | null {
  if (UNTRUSTED.includes(code) || UNTRUSTED_WORDS.test(said)) {
    return `The certificate of the database at ${at} is of a CA that is not trusted here (${said.replace(/; if the root CA .*/, "")}); name the file of its CA with sslrootcert in DATABASE_URL, or in NODE_EXTRA_CA_CERTS.`;
  }
  if (code === "CERT_HAS_EXPIRED" || said === "certificate has expired") {
    return `The certificate of the database at ${at} has expired; renew it there.`;
  }
  if (code === "CERT_NOT_YET_VALID" || said === "certificate is not yet valid") {
    return `The certificate of the database at ${at} is not valid yet; is this machine's clock right?`;
  }
  if (code === "CERT_REVOKED" || said === "certificate revoked") {
    return `The certificate of the database at ${at} is revoked; renew it there.`;
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || said.startsWith("Hostname/IP does not match certificate's altnames")) {
    const names = said.replace(/^.*altnames: /, "").replace(/[\s:.]+$/, "");
    return `The certificate of the database at ${at} is for another host name (${names}); put a name that it holds into DATABASE_URL, or set sslmode=verify-ca.`;
  }
  if (/^(ERR_SSL_|EPROTO)/.test(code) || said.startsWith("There was an error establishing an SSL connection")) {
    const reason = /^ERR_SSL_(\w+)$/.exec(code)?.[1]?.toLowerCase().replaceAll("_", " ") ?? said;
    return `TLS with the database at ${at} cannot be set up (${reason}); do its ssl settings and those in DATABASE_URL fit together?`;
  }
  return null;
}

/** Whether all that is wrong is that the connection was with TLS and should have been without, or the other way round. */
export function lacksEncryption(error: unknown): boolean {
  const said = error instanceof Error ? error.message : String(error);
  return said.startsWith(NO_TLS) || TLS_ONLY.test(said) || PLAIN_ONLY.test(said);
}
