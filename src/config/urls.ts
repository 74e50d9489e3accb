/**
 * The URLs in settings: web addresses, the mail server and the database.
 *
 * The mail server's and the database's hold logins, so no message about one of them quotes any part of it.
 */

import { domainToASCII } from "node:url";
import { isLoopback } from "../domain/loopback.ts";
import { CUT_LOGIN, databasePasswordsIn, ENCODE_HINT, parseDatabaseUrl } from "./database-url.ts";
import { smtpParameterFaults } from "./smtp-parameters.ts";

type Refuse = (message: string) => void;

/** A shorter path hides nothing, and masking it would garble other texts. */
const SHORTEST_SECRET_PATH = 12;
/** Of a segment of the path, or of a value of the query. */
const SHORTEST_SECRET_PART = 8;
/** Stands in many addresses of ours, and in much that we say. */
const OUR_NAME = "invitewatch";

const BAD_ENCODING = `Its login has a "%" that encodes nothing. ${ENCODE_HINT}`;

/** The base of an API, without a slash at its end: https, or http to this machine alone. */
export function readApiBaseUrl(text: string, refuse: Refuse): string | undefined {
  const base = readBaseUrl(text, refuse);
  if (base === undefined) return undefined;
  return requireTls(base, "the credential", refuse);
}

/** Where alerts are posted: https, or http to this machine alone. */
export function readWebhookUrl(text: string, refuse: Refuse): string | undefined {
  const address = readWebUrl(text, refuse);
  return address === undefined ? undefined : requireTls(address, "the alerts", refuse);
}

/** An http or https address that paths can be put behind: no query, no slash at its end. */
export function readBaseUrl(text: string, refuse: Refuse): string | undefined {
  const address = readWebUrl(text, refuse);
  if (address === undefined) return undefined;
  if (!address.includes("?")) return address.replace(/\/+$/, "");
  refuse('It has a query ("?…"), which is not taken here.');
  return undefined;
}

/** An http or https address without login and fragment. */
export function readWebUrl(text: string, refuse: Refuse): string | undefined {
  const url = parseUrl(text, /^https?:\/\//i);
  if (url === null) {
    refuse("It is not an http:// or https:// URL.");
    return undefined;
  }
  if (isCutLogin(url)) {
    refuse(CUT_LOGIN);
    return undefined;
  }
  if (url.username !== "" || url.password !== "") {
    refuse("It holds a login, which is not taken here.");
    return undefined;
  }
  if (url.hash !== "") {
    refuse('It has a fragment ("#…"), which is not taken here.');
    return undefined;
  }
  return url.href;
}

/** A proxy's URL; a bare host and port is one, too. Its login is no part of what is said of it. */
export function readProxyUrl(text: string, refuse: Refuse): string | undefined {
  const url = parseUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`, /^https?:\/\/[^/]/i);
  if (url === null) {
    refuse(`It is not the http:// or https:// URL of a proxy; SOCKS is not supported. ${ENCODE_HINT}`);
    return undefined;
  }
  if (decodes(url.username) && decodes(url.password)) return url.href;
  refuse(BAD_ENCODING);
  return undefined;
}

/** The mail server's URL as given, its host in ASCII. */
export function readSmtpUrl(text: string, refuse: Refuse): string | undefined {
  const url = parseUrl(text, /^smtps?:\/\//i);
  if (url === null || url.hostname === "") {
    refuse(`It is not an smtp:// or smtps:// URL with a host. ${ENCODE_HINT}`);
    return undefined;
  }
  if (isCutLogin(url)) {
    refuse(CUT_LOGIN);
    return undefined;
  }
  const faults = [...loginFaults(url), ...hostFaults(url), ...smtpFaults(url)];
  for (const fault of faults) refuse(fault);
  return faults.length === 0 ? withAsciiHost(url, text) : undefined;
}

/** The database's URL as given. */
export function readDatabaseUrl(text: string, refuse: Refuse): string | undefined {
  if (/^pglite:(?!\/\/)./i.test(text)) return `pglite:${text.slice("pglite:".length)}`;
  return parseDatabaseUrl(text, refuse) && text;
}

/** The URL of a Postgres server as given. */
export function readPostgresUrl(text: string, refuse: Refuse): string | undefined {
  if (/^postgres(ql)?:\/\//i.test(text)) return parseDatabaseUrl(text, refuse) && text;
  refuse(`It is not a postgres:// URL. ${ENCODE_HINT}`);
  return undefined;
}

/** The passwords of a URL, as written and decoded, and with its user as SMTP's AUTH PLAIN sends them. */
export function passwordsIn(text: string): readonly string[] {
  if (/^postgres(ql)?:/i.test(text)) return databasePasswordsIn(text);
  if (!URL.canParse(text)) return [];
  const url = new URL(text);
  const user = decoded(url.username) ?? url.username;
  const written = [url.password, url.searchParams.get("password") ?? ""].filter((password) => password !== "");
  const passwords = new Set(written.flatMap((password) => [password, decoded(password) ?? password]));
  return [...passwords].flatMap((password) => [password, Buffer.from(`\0${user}\0${password}`).toString("base64")]);
}

/** The texts by which somebody could post to the URL: itself, its path as a server echoes it, and each part of that. */
export function addressSecretsIn(text: string): readonly string[] {
  const { pathname, search, searchParams } = new URL(text);
  const path = `${pathname}${search}`;
  const values = [...searchParams].map(([name, value]) => (value === "" ? name : value));
  const written = [...pathname.split("/"), ...search.slice(1).split(/[&=]/)];
  const parts = [...written, ...written.map((part) => decoded(part) ?? part), ...values].filter(
    (part) => part.length >= SHORTEST_SECRET_PART && part.toLowerCase() !== OUR_NAME,
  );
  return [...new Set([text, ...(path.length < SHORTEST_SECRET_PATH ? [] : [path]), ...parts])];
}

function requireTls(address: string, what: string, refuse: Refuse): string | undefined {
  const { protocol, hostname } = new URL(address);
  if (protocol === "https:" || isLoopback(hostname)) return address;
  refuse(`Plain http would send ${what} in the clear; it is taken for this machine alone (localhost).`);
  return undefined;
}

function loginFaults(url: URL): readonly string[] {
  const faults: string[] = [];
  const isWhole = (url.username === "") === (url.password === "");
  if (!isWhole) faults.push("Its login is half there: give both user and password, or none.");
  if (!decodes(url.username) || !decodes(url.password)) faults.push(BAD_ENCODING);
  return faults;
}

function hostFaults({ hostname }: URL): readonly string[] {
  return asciiHost(hostname) === "" ? ["Its host is not a host name."] : [];
}

/** URLs of schemes that browsers do not know keep an international host percent-encoded, which no resolver knows. */
function withAsciiHost(url: URL, text: string): string {
  const host = asciiHost(url.hostname);
  if (host === url.hostname.toLowerCase()) return text;
  const written = new URL(url);
  written.hostname = host;
  return written.href;
}

/** The host as the DNS has it; empty where it is none. */
function asciiHost(hostname: string): string {
  return hostname.startsWith("[") ? hostname : domainToASCII(decoded(hostname) ?? "");
}

function smtpFaults(url: URL): readonly string[] {
  const faults: string[] = [];
  const isBare = (url.pathname === "" || url.pathname === "/") && url.hash === "";
  if (!isBare) faults.push(`It has a path or a fragment, which a mail server has not. ${ENCODE_HINT}`);
  faults.push(...smtpParameterFaults(url));
  return faults;
}

function parseUrl(text: string, start: RegExp): URL | null {
  return start.test(text) && !/\s/.test(text) && URL.canParse(text) ? new URL(text) : null;
}

/** Whether host and port are the beginning of a login, whose end the URL takes for something else. */
function isCutLogin({ hostname, port, username, href }: URL): boolean {
  const isHost = hostname.includes(".") || isLoopback(hostname);
  return username === "" && port !== "" && !isHost && href.includes("@");
}

function decodes(text: string): boolean {
  return decoded(text) !== null;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
