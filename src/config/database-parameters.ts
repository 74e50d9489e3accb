/**
 * The parameters of DATABASE_URL: libpq's, those that hosted providers and other clients put there, and what comes of each.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
 */
import { HONOURED, LIMITS, NEEDLESS, OVERRIDES, UNSUPPORTED, WITHOUT_EFFECT } from "./database-parameter-names.ts";
import { nearest } from "./nearest.ts";

export const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof SSL_MODES)[number];

const SESSIONS = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"] as const;
/** Which of several servers will do. */
export type SessionAttributes = (typeof SESSIONS)[number];

const CHANNEL_BINDINGS = ["disable", "prefer", "require"] as const;
const TLS_VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

export type TlsFiles = {
  /** Path of a PEM file with the CAs that are trusted; `system` for those that this machine trusts; null where none is named. */
  readonly rootCert: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly keyPassword: string | null;
  readonly revoked: string | null;
};

export type Settings = {
  /** Null where the URL does not say. */
  readonly sslmode: SslMode | null;
  readonly tlsFiles: TlsFiles;
  readonly tlsVersions: {
    readonly least: (typeof TLS_VERSIONS)[number] | null;
    readonly most: (typeof TLS_VERSIONS)[number] | null;
  };
  /** Whether TLS begins without asking first. */
  readonly tlsDirect: boolean;
  readonly channelBinding: (typeof CHANNEL_BINDINGS)[number];
  readonly sessionAttributes: SessionAttributes;
  /** Null for the connection's own first schema. */
  readonly schema: string | null;
  readonly applicationName: string | null;
  /** What libpq's `options` hold, and what else the URL says of the session: `-c name=value …`. */
  readonly options: string | null;
  /** For each host; 0 for no limit, null where the URL does not say. */
  readonly connectTimeoutMs: number | null;
  /** Names of parameters that change nothing here. */
  readonly ignored: readonly string[];
};

const KNOWN = [...OVERRIDES, ...LIMITS, ...HONOURED, ...NEEDLESS, ...WITHOUT_EFFECT];

type Refuse = (message: string) => void;
type Given = Readonly<Record<string, string>>;

export type Parameters = { readonly settings: Settings; readonly overrides: Given };

/** @param query without its `?`, and with every `%` in order */
export function readParameters(query: string, fault: Refuse): Parameters {
  const given = parse(query, fault);
  const sslmode = sslModeOf(given, fault);
  const files: TlsFiles = {
    rootCert: given.sslrootcert ?? null,
    cert: given.sslcert ?? null,
    key: given.sslkey ?? null,
    keyPassword: given.sslpassword ?? null,
    revoked: given.sslcrl ?? null,
  };
  tlsFaults(sslmode, files, given, fault);
  const settings: Settings = {
    sslmode,
    tlsFiles: files,
    tlsVersions: {
      least: wordOf("ssl_min_protocol_version", TLS_VERSIONS, given, fault),
      most: wordOf("ssl_max_protocol_version", TLS_VERSIONS, given, fault),
    },
    tlsDirect: wordOf("sslnegotiation", ["postgres", "direct"], given, fault) === "direct",
    channelBinding: wordOf("channel_binding", CHANNEL_BINDINGS, given, fault) ?? "disable",
    sessionAttributes: wordOf("target_session_attrs", SESSIONS, given, fault) ?? "any",
    schema: given.schema ?? firstOf(given.search_path),
    applicationName: given.application_name ?? null,
    options: optionsIn(given),
    connectTimeoutMs: timeoutOf(given, fault),
    ignored: WITHOUT_EFFECT.filter((name) => given[name] !== undefined),
  };
  return { settings, overrides: given };
}

/** Whether the pair `name=value` has a name that a parameter may have. */
export function hasKnownName(pair: string): boolean {
  return KNOWN.some((name) => pair.startsWith(`${name}=`));
}

/** By their names, decoded; the last one of a name counts, and an empty one is as not given. */
function parse(query: string, fault: Refuse): Given {
  const given: Record<string, string> = {};
  for (const pair of query.split("&").filter((text) => text !== "")) {
    const at = pair.indexOf("=");
    const name = decodeURIComponent(at < 0 ? pair : pair.slice(0, at));
    if (!KNOWN.includes(name)) fault(unknown(name));
    else if (at < 0) fault(`Its parameter ${name} has no value.`);
    else if (at < pair.length - 1) given[name] = decodeURIComponent(pair.slice(at + 1));
  }
  return given;
}

/** Only a name that looks like one is quoted: it may be the end of a password. */
function unknown(name: string): string {
  if (UNSUPPORTED.includes(name)) return `Its parameter ${name} is not supported here; leave it out.`;
  const shown = /^[a-z][a-z_]{1,30}$/i.test(name) ? ` ${name}` : " that is not shown";
  return `It has a parameter${shown} that is not known; did you mean ${nearest(name, KNOWN)?.name}?`;
}

function sslModeOf(given: Given, fault: Refuse): SslMode | null {
  // As libpq has it, for URLs that were made for JDBC.
  if (given.sslmode === undefined && given.ssl !== undefined) {
    if (given.ssl === "true" || given.ssl === "1") return "require";
    if (given.ssl === "false" || given.ssl === "0") return "disable";
    fault("Its parameter ssl is neither true nor false; say sslmode.");
  }
  if (given.sslmode === "no-verify") {
    fault("Its sslmode is not known; what other clients call no-verify is sslmode=require.");
    return null;
  }
  return wordOf("sslmode", SSL_MODES, given, fault) ?? (given.sslrootcert === "system" ? "verify-full" : null);
}

function tlsFaults(sslmode: SslMode | null, { rootCert, cert, key }: TlsFiles, given: Given, fault: Refuse): void {
  if (rootCert === "system" && sslmode !== null && sslmode !== "verify-full") {
    fault(
      "sslrootcert=system goes with sslmode=verify-full alone: with less, any certificate of any public CA would do.",
    );
  }
  if (sslmode === "verify-ca" && rootCert === null) {
    fault(
      "sslmode=verify-ca needs sslrootcert, the file of the CA that is trusted: with less, any certificate of any public CA would do. Or use verify-full.",
    );
  }
  if ((cert === null) !== (key === null)) fault("sslcert and sslkey go together: name both files, or none.");
  if (given.sslnegotiation === "direct" && (sslmode === null || ["disable", "allow", "prefer"].includes(sslmode))) {
    fault("sslnegotiation=direct needs sslmode=require or more.");
  }
  if (given.gssencmode === "require") fault("Its gssencmode=require is not supported here; use TLS.");
  const encoding = given.client_encoding?.toLowerCase().replace(/[^a-z0-9]/g, "") ?? "utf8";
  if (!["utf8", "unicode", "auto"].includes(encoding))
    fault("Its client_encoding is not UTF8, which is what we speak.");
}

function wordOf<const W extends string>(name: string, words: readonly W[], given: Given, fault: Refuse): W | null {
  const value = given[name];
  if (value === undefined) return null;
  const word = words.find((known) => known === value) ?? null;
  if (word === null) {
    fault(
      `Its ${name} is not a known word; did you mean ${nearest(value, words)?.name}? It takes ${words.join(", ")}.`,
    );
  }
  return word;
}

/** In `options` a space and a backslash are written with a backslash before them. */
function optionsIn(given: Given): string | null {
  const limits = LIMITS.flatMap((name) => {
    const value = given[name];
    return value === undefined ? [] : [`-c ${name}=${value.replaceAll(/[\\\s]/g, "\\$&")}`];
  });
  return [given.options ?? [], limits].flat().join(" ") || null;
}

function firstOf(searchPath: string | undefined): string | null {
  return (
    searchPath
      ?.split(",")[0]
      ?.trim()
      .replace(/^"(.*)"$/, "$1") ?? null
  );
}

function timeoutOf({ connect_timeout: text }: Given, fault: Refuse): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,6}$/.test(text)) {
    fault("Its connect_timeout is not a number of seconds.");
    return null;
  }
  // As libpq has it: less than two seconds are two.
  const seconds = Number(text);
  return seconds === 0 ? 0 : Math.max(2, seconds) * 1_000;
}
