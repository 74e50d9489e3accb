/**
 * From the address in DATABASE_URL to what the driver connects with: each way to each server, with the TLS that
 * `sslmode` asks for. Reads the certificates that the address names.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type ConnectionOptions, createSecureContext, getCACertificates } from "node:tls";
import type { PoolConfig } from "pg";
import { type DatabaseAddress, type DatabaseHost, parseDatabaseUrl } from "../../config/database-url.ts";
import { DatabaseError } from "./database-error.ts";
import { createServerFinder, nameOf, type Place } from "./server-finder.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** @throws DatabaseError where the URL cannot be used */
export function addressOf(url: string): DatabaseAddress {
  const faults: string[] = [];
  const address = parseDatabaseUrl(url, (fault) => faults.push(fault));
  if (address !== undefined) return address;
  throw new DatabaseError(`The URL of the database is not valid. ${faults.join(" ")}`, { permanent: true });
}

/** @throws DatabaseError where a file that the address names cannot be used */
export function connectionOf(address: DatabaseAddress): PoolConfig & { readonly at?: string } {
  const tls = encryptsEver(address) ? tlsOptions(address) : null;
  const [first, ...others] = address.hosts.map((host): Place => ({ ...host, ways: waysTo(host, address, tls) }));
  if (first === undefined) throw new Error("an address without a host; it should have been refused");

  const timeoutMs = address.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const places = [first, ...others];
  const tries = places.reduce((sum, { ways }) => sum + ways.length, 0);
  const { sessionAttributes, channelBinding } = address;
  const isPlain = tries === 1 && sessionAttributes === "any" && channelBinding !== "require";
  const connection: PoolConfig = {
    host: first.host,
    port: first.port,
    ssl: first.ways[0],
    ...sessionOf(address),
    connectionTimeoutMillis: timeoutMs,
  };
  if (isPlain) return connection;
  return {
    ...connection,
    ...(places.length > 1 && { at: places.map(nameOf).join(" or ") }),
    // The server is looked for before the connection itself is made.
    connectionTimeoutMillis: (tries + 1) * timeoutMs,
    Client: createServerFinder(places, { sessionAttributes, channelBinding, timeoutMs }),
  };
}

function sessionOf(address: DatabaseAddress): PoolConfig {
  const { user, password, database, applicationName, options, tlsDirect, channelBinding } = address;
  return {
    ...(user !== null && { user }),
    ...(password !== null && { password }),
    ...(database !== null && { database }),
    ...(applicationName !== null && { application_name: applicationName }),
    ...(options !== null && { options }),
    ...(tlsDirect && { sslnegotiation: "direct" as const }),
    ...(channelBinding !== "disable" && { enableChannelBinding: true }),
  };
}

function encryptsEver({ sslmode, hosts }: DatabaseAddress): boolean {
  return sslmode !== null && sslmode !== "disable" && !hosts.every(isSocket);
}

function isSocket({ host }: DatabaseHost): boolean {
  return host.startsWith("/");
}

/** In the order in which libpq tries them. Over a Unix socket there is no TLS. */
function waysTo(host: DatabaseHost, { sslmode }: DatabaseAddress, tls: ConnectionOptions | null): Place["ways"] {
  if (tls === null || isSocket(host)) return [false];
  if (sslmode === "allow") return [false, tls];
  return sslmode === "prefer" ? [tls, false] : [tls];
}

/** What is verified, and against what. */
function tlsOptions({ sslmode, tlsFiles, tlsVersions }: DatabaseAddress): ConnectionOptions {
  const { rootCert, cert, key, keyPassword, revoked } = tlsFiles;
  // As libpq has it: whoever names a CA wants it to be looked at.
  const verifies = sslmode === "verify-full" || sslmode === "verify-ca" || (sslmode === "require" && rootCert !== null);
  const options: ConnectionOptions = {
    rejectUnauthorized: verifies,
    ...(verifies && { ca: rootCert === null || rootCert === "system" ? trustedCas() : certificatesIn(rootCert) }),
    ...(verifies && sslmode !== "verify-full" && { checkServerIdentity: () => undefined }),
    ...(revoked !== null && { crl: textOf("sslcrl", revoked) }),
    ...(tlsVersions.least !== null && { minVersion: tlsVersions.least }),
    ...(tlsVersions.most !== null && { maxVersion: tlsVersions.most }),
    ...(cert !== null && key !== null && clientCertificate(cert, key, keyPassword)),
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    const message = `The TLS settings in DATABASE_URL do not fit together: ${said}; do sslcert and sslkey belong together?`;
    throw new DatabaseError(message, { cause, permanent: true });
  }
  return options;
}

/** Those of Node.js, of the operating system, and of NODE_EXTRA_CA_CERTS. */
function trustedCas(): string[] {
  return [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
}

function certificatesIn(path: string): string[] {
  const found = textOf("sslrootcert", path).match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----.+?-----END [^-]+-----/gs);
  return (found ?? [""]).map((pem) => {
    try {
      return new X509Certificate(pem).toString();
    } catch (cause) {
      const message = `The file ${path} (sslrootcert in DATABASE_URL) holds no certificate in PEM form.`;
      throw new DatabaseError(message, { cause, permanent: true });
    }
  });
}

function clientCertificate(cert: string, key: string, passphrase: string | null): ConnectionOptions {
  const [certText, keyText] = [textOf("sslcert", cert), textOf("sslkey", key)];
  try {
    new X509Certificate(certText);
  } catch (cause) {
    const message = `The file ${cert} (sslcert in DATABASE_URL) holds no certificate in PEM form.`;
    throw new DatabaseError(message, { cause, permanent: true });
  }
  try {
    createPrivateKey({ key: keyText, ...(passphrase !== null && { passphrase }) });
  } catch (cause) {
    const message = `The file ${key} (sslkey in DATABASE_URL) holds no private key that can be read; is it encrypted, and is sslpassword right?`;
    throw new DatabaseError(message, { cause, permanent: true });
  }
  return { cert: certText, key: keyText, ...(passphrase !== null && { passphrase }) };
}

function textOf(parameter: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
    const why = code === "ENOENT" ? "does not exist" : `cannot be read (${code})`;
    const message = `The file ${path} (${parameter} in DATABASE_URL) ${why}; correct the path, or its rights.`;
    throw new DatabaseError(message, { cause, permanent: true });
  }
}
