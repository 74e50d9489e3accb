/**
 * DATABASE_URL as libpq reads it: hosts, login, database and parameters. Pure; files that it names are read elsewhere.
 *
 * It holds a login, so no message quotes any part of it but the names of parameters.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
import { isLoopback } from "../domain/loopback.ts";
import { hasKnownName, readParameters, type Settings } from "./database-parameters.ts";

/** A host name, an IP address, or the folder of a Unix socket, which begins with `/`. */
export type DatabaseHost = { readonly host: string; readonly port: number };

export type DatabaseAddress = Settings & {
  /** In the order in which they are tried. */
  readonly hosts: readonly DatabaseHost[];
  /** Null where the driver's own default holds (PGUSER, PGPASSWORD, …). */
  readonly user: string | null;
  readonly password: string | null;
  readonly database: string | null;
};

type Refuse = (message: string) => void;

const DEFAULT_PORT = 5432;
/** Where libpq looks for a server of this machine: Debian, Red Hat and the official images; then everybody else. */
const DEFAULT_SOCKETS = ["/var/run/postgresql", "/tmp"];

export const ENCODE_HINT =
  "In a user name or password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F and % as %25.";

/** What to say of a URL in which an @ comes only after what would be its host. */
export const CUT_LOGIN = `Its login seems to hold a / or ? that is not encoded. ${ENCODE_HINT}`;

const CHOICE =
  "It names no sslmode, and its password would cross the network for anybody to read. Add sslmode=verify-full " +
  "(encrypted, certificate verified), sslmode=require (encrypted, not verified), or sslmode=disable for a private " +
  "network such as Compose's.";

const SHAPE = /^postgres(?:ql)?:\/\/(?:([^/?]*)@)?([^/?@]*)(?:\/([^?]*))?(?:\?(.*))?$/is;

/** The parts of the URL, or undefined after `refuse` was told of every fault, each in a sentence. */
export function parseDatabaseUrl(text: string, refuse: Refuse): DatabaseAddress | undefined {
  let sound = true;
  const fault = (message: string) => {
    sound = false;
    refuse(message);
  };
  const parts = SHAPE.exec(text);
  if (/\s/.test(text)) fault("It holds a space or a line break; write a space as %20.");
  else if (parts === null) fault(`It is neither a postgres:// URL nor pglite: with a folder. ${ENCODE_HINT}`);
  if (!sound || parts === null) return undefined;
  const [, login, hostList = "", path = "", query = ""] = parts;
  if (path.includes("@") || query.split("&").some((pair) => pair.includes("@") && !hasKnownName(pair))) {
    fault(CUT_LOGIN);
    return undefined;
  }
  if (!decodes(login ?? "")) fault(`Its login has a "%" that encodes nothing. ${ENCODE_HINT}`);
  if (![hostList, path, query].every(decodes)) fault(`It has a "%" that encodes nothing: write it as %25.`);
  if (!sound) return undefined;

  const parameters = readParameters(query, fault);
  const hosts = hostsOf(hostList, parameters, fault);
  if (sound && parameters.settings.sslmode === null && !hosts.every(isPrivate)) fault(CHOICE);
  if (!sound) return undefined;
  const { user, password, dbname } = parameters.overrides;
  const colon = login?.indexOf(":") ?? -1;
  const named = login === undefined ? null : colon < 0 ? login : login.slice(0, colon);
  return {
    ...parameters.settings,
    hosts,
    user: user ?? decodedOrNull(named),
    password: password ?? (colon < 0 ? null : decodedOrNull(login?.slice(colon + 1) ?? null)),
    database: dbname ?? decodedOrNull(path),
  };
}

/** Whether a host cannot be listened in on from outside of this machine. */
function isPrivate({ host }: DatabaseHost): boolean {
  return host.startsWith("/") || isLoopback(host);
}

/** The passwords of a URL, sound or not, as written and decoded. */
export function databasePasswordsIn(text: string): readonly string[] {
  const logins = [/^\w+:\/\/([^/?]*)@/, /^\w+:\/\/(.*)@/s].map((shape) => shape.exec(text)?.[1] ?? "");
  const written = [
    ...logins.map((login) => (login.includes(":") ? login.slice(login.indexOf(":") + 1) : "")),
    ...[...text.matchAll(/[?&](?:ssl)?password=([^&]*)/g)].map(([, value = ""]) => value),
  ].filter((password) => password !== "");
  return [...new Set(written.flatMap((text) => [text, decodes(text) ? decodeURIComponent(text) : text]))];
}

function hostsOf(
  list: string,
  { overrides }: { readonly overrides: Readonly<Record<string, string>> },
  fault: Refuse,
): readonly DatabaseHost[] {
  const written = list === "" ? [] : list.split(",").map(splitHost);
  if (written.includes(null)) {
    fault(
      `One of its hosts cannot be read: it takes HOST:PORT, [IPv6]:PORT or %2Ffolder, several with commas. ${ENCODE_HINT}`,
    );
    return [];
  }
  const names = overrides.host?.split(",") ?? written.map((one) => one?.host ?? "");
  const ports = overrides.port?.split(",") ?? written.map((one) => one?.port ?? "");
  if (names.length === 0) names.push("");
  if (ports.length > 1 && ports.length !== names.length) {
    fault(`It names ${names.length} hosts and ${ports.length} ports: give each host its port, or one port for all.`);
    return [];
  }
  return names.flatMap((name, index) => {
    const port = portOf(ports[index] ?? ports[0] ?? "");
    if (port === null) fault("One of its ports is not a number from 1 to 65535.");
    const folders = name === "" ? DEFAULT_SOCKETS : [name];
    return folders.map((host) => ({ host, port: port ?? DEFAULT_PORT }));
  });
}

function splitHost(text: string): { readonly host: string; readonly port: string } | null {
  const [, six, plain, port = ""] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(text) ?? [];
  const host = six ?? plain;
  return host === undefined ? null : { host: decodeURIComponent(host), port };
}

function portOf(text: string): number | null {
  if (text === "") return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : null;
}

function decodedOrNull(text: string | null): string | null {
  return text === null || text === "" ? null : decodeURIComponent(text);
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
