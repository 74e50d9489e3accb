/** What is to be known of the TLS that a connection to the relay has. */
import type { Socket } from "node:net";
import { type PeerCertificate, TLSSocket } from "node:tls";
import type { SmtpOptions } from "./options.ts";
import { certificateAdvice } from "./tls-advice.ts";

/** The socket, once it is secure. */
export function secureSocket(socket: Socket | false | null): TLSSocket | null {
  if (!(socket instanceof TLSSocket)) return null;
  return socket.authorized || socket.authorizationError ? socket : null;
}

/** Version, cipher and certificate, and why it is not trusted where it is not. */
export function describeTls(socket: TLSSocket, host: string): string {
  const certificate = socket.getPeerCertificate();
  const verdict = socket.authorized
    ? "verified"
    : `NOT VERIFIED: ${certificateAdvice(String(socket.authorizationError), host)}`;
  return [
    `${socket.getProtocol()}, ${socket.getCipher().standardName}`,
    `certificate of ${nameIn(certificate.subject)} by ${nameIn(certificate.issuer)}`,
    `valid until ${validUntil(certificate)}`,
    verdict,
  ].join("; ");
}

/** What to say of a connection that stays without TLS. */
export function describePlain({ ignoreTLS }: Pick<SmtpOptions, "ignoreTLS">): string {
  return `none: ${ignoreTLS ? "SMTP_URL says tls=off" : "the mail server does not offer it"}`;
}

function nameIn(party: PeerCertificate["subject"] | undefined): string {
  const { CN, O } = party ?? {};
  return [CN, O].flat().filter(Boolean).join(", ") || "nobody named";
}

function validUntil({ valid_to: end }: PeerCertificate): string {
  const at = new Date(end);
  return Number.isNaN(at.getTime()) ? end : at.toISOString().slice(0, 10);
}
