/** What is wrong with the database, as a sentence that says so and what to do, free of credentials. */
import type { PoolConfig } from "pg";
import { tlsSentence } from "./tls-trouble.ts";

/** The database cannot be used, or did not do what it was asked. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  /** Whether waiting cannot help: a person has to change something first. */
  readonly permanent: boolean;
  constructor(message: string, options: { readonly cause?: unknown; readonly permanent?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.permanent = options.permanent ?? false;
  }
}

/** The error as a sentence that says what is wrong with the database and what to do. */
export function asDatabaseError(error: unknown, at: string): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const { code, said } = tell(error);
  return new DatabaseError(explain(code, at, said), { cause: error });
}

/** Does the work over another connection than that of DATABASE_URL, and has what fails told of the setting that names it. */
export async function blaming<T>(setting: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const { message, cause, permanent } = error;
    throw new DatabaseError(message.replaceAll("DATABASE_URL", setting), { cause, permanent });
  }
}

/** Host and port of the connection, without login. */
export function where(connection: PoolConfig & { readonly at?: string }): string {
  if (connection.at !== undefined) return connection.at;
  const { host, port } = connection;
  if (connection.connectionString === undefined) {
    return host?.startsWith("/") || port === undefined ? `${host}` : `${host}:${port}`;
  }
  const url = URL.parse(connection.connectionString);
  return url === null ? "the given address" : url.host || url.searchParams.get("host") || "the local socket";
}

/** The driver's or the server's code; empty where there is none. */
export function codeOf(error: unknown): string {
  return tell(error).code;
}

/** A DatabaseError where the error is the database's; any other as it is. */
export function explained(error: unknown, connection: PoolConfig): unknown {
  return isOfDatabase(error) ? asDatabaseError(error, where(connection)) : error;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the arguments of a method are, they are passed on.
type Methods = { readonly [name: string]: (...args: any[]) => unknown };

/** The same methods, whose promises reject with what `explained` makes of their errors. */
export function explaining<T extends Methods>(methods: T, connection: PoolConfig): T {
  const explain = (error: unknown) => {
    throw explained(error, connection);
  };
  const wrap =
    (method: Methods[string]) =>
    (...args: unknown[]) => {
      const result = method(...args);
      return isThenable(result) ? result.then((value) => value, explain) : result;
    };
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, wrap(method)])) as T;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

const OF_DRIVER = /^(PrismaClient|DriverAdapter)/;
/** How the error begins with which we break a connection ourselves. */
export const NOTHING_HEARD = "nothing was heard from the server";

/** How the driver and the queue begin what they say without a code, where nothing was heard in time. */
const SILENT = [
  NOTHING_HEARD,
  "timeout exceeded",
  "timeout expired",
  "Connection terminated due to connection timeout",
  "LISTEN/NOTIFY heartbeat timed out",
];
/** The same, where a connection broke. */
const LOST = [
  "Connection terminated",
  "Client has encountered a connection error",
  "Client was closed",
  "LISTEN/NOTIFY connection ended",
  "LISTEN/NOTIFY channel registration was lost",
];

const beginsWithOneOf = (said: string, beginnings: readonly string[]) =>
  beginnings.some((beginning) => said.startsWith(beginning));

function isOfDatabase(error: unknown): boolean {
  const { code, said } = tell(error);
  if (tlsSentence({ code, said }, "") !== null) return true;
  return code !== "" || OF_DRIVER.test(String(faultOf(error)?.name)) || beginsWithOneOf(said, [...SILENT, ...LOST]);
}

const UNREACHABLE = ["ECONNREFUSED", "ENOENT", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EHOSTUNREACH", "P1001"];
const BROKEN = ["ECONNRESET", "EPIPE", "P1017", "08006", "08003"];

/** By the code; `at` is where the database is, `said` its own words. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const SENTENCES: Readonly<Record<string, (at: string, said: string) => string>> = {
  "25006": (at) => `The database at ${at} is read-only (25006); is it a standby? Name the primary in DATABASE_URL.`,
  "25P03": (at) =>
    `The database at ${at} ended a transaction that stood still (25P03); was this process paused, or too busy?`,
  "3D000": (at) => `The database named in DATABASE_URL does not exist at ${at}; create it first.`,
  "40001": (at) => `The database at ${at} put another transaction first (40001); try again.`,
  "40P01": (at) => `The database at ${at} put another transaction first, to end a deadlock (40P01); try again.`,
  "42501": (at, said) =>
    `The database at ${at} does not let its user do this (42501): ${said}; make the user the database's owner, or grant it CREATE on the database and on its schema.`,
  "53100": (at) => `The disk of the database at ${at} is full (53100); make room on it.`,
  "53200": (at) => `The database at ${at} is out of memory (53200); give it more.`,
  "53300": (at) =>
    `The database at ${at} takes no more connections (53300); raise its max_connections, or close others.`,
  "57014": (at) =>
    `The database at ${at} cancelled a statement (57014); did somebody, or is its statement_timeout too short?`,
  "57P01": (at) => `The database at ${at} ended the connection (57P01); is it being stopped, or did somebody end it?`,
  "57P02": (at) => `The database at ${at} ended the connection (57P02): one of its processes crashed; see its log.`,
  "57P03": (at) => `The database at ${at} takes no connections now (57P03): it is starting, stopping or recovering.`,
};

const NOT_SET_UP = ["42P01", "P2021", "42703"];

function explain(code: string, at: string, said: string): string {
  const tls = tlsSentence({ code, said }, at);
  if (tls !== null) return tls;
  const sentence = SENTENCES[code];
  if (sentence !== undefined) return sentence(at, said);
  const withCode = code === "" ? "" : ` (${code})`;
  if (UNREACHABLE.includes(code)) {
    return `The database at ${at} cannot be reached${withCode}; is it running, and is DATABASE_URL right?`;
  }
  if (beginsWithOneOf(said, SILENT))
    return `The database at ${at} does not answer in time; is it overloaded, or is the network down?`;
  if (BROKEN.includes(code) || beginsWithOneOf(said, LOST)) {
    return `The connection to the database at ${at} broke${withCode}; is it running, and is the network well?`;
  }
  if (said.startsWith("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be"))
    return `The database at ${at} asks for a password, and there is none in DATABASE_URL; put it there.`;
  if (code.startsWith("28"))
    return `The database at ${at} refuses the login; check the user and password in DATABASE_URL.`;
  if (NOT_SET_UP.includes(code)) {
    return "The database is not set up for this version; run `invitewatch migrate`.";
  }
  return `The database at ${at} failed${withCode}: ${said}`;
}

/** What Prisma's adapter keeps of the driver's error. */
type Driver = {
  readonly originalCode?: unknown;
  readonly originalMessage?: unknown;
  readonly kind?: unknown;
  readonly reason?: unknown;
};

const CODES_OF_KINDS: Readonly<Record<string, string>> = {
  DatabaseNotReachable: "P1001",
  ConnectionClosed: "P1017",
  SocketTimeout: "ETIMEDOUT",
};

/** What errors look like, be they Prisma's, the driver's or the queue's, whose are not of the class. */
type Fault = {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
  readonly meta?: { readonly driverAdapterError?: Fault };
};

/** The driver's or the server's code and words, wherever Prisma has put them; a code that is empty where there is none. */
function tell(error: unknown): { readonly code: string; readonly said: string } {
  const words = (text: unknown) => String(text).replaceAll(/\s+/g, " ").trim();
  const said = words(faultOf(error)?.message ?? error);
  for (let at = faultOf(error), depth = 0; at !== null && depth < 5; at = faultOf(at.cause), depth += 1) {
    const { code, cause, meta, errors } = at;
    if (errors !== undefined) return { code: tell(errors[0]).code, said };
    const driver: Driver = faultOf(meta?.driverAdapterError?.cause ?? cause) ?? {};
    if (typeof driver.originalCode === "string") {
      return { code: driver.originalCode, said: words(driver.originalMessage ?? said) };
    }
    if (driver.kind === "TlsConnectionError") return { code: "", said: words(driver.reason ?? said) };
    const known = CODES_OF_KINDS[String(driver.kind)];
    if (known !== undefined) return { code: known, said };
    if (typeof code === "string" && code !== "P2010") return { code, said };
  }
  return { code: "", said };
}

function faultOf(value: unknown): (Fault & Driver) | null {
  return typeof value === "object" && value !== null ? value : null;
}
