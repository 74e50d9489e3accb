/**
 * A client that looks for its server first: of several hosts the first that answers and will do, with TLS or without
 * where `sslmode` leaves that open. Each connection looks anew, so that it finds the new primary after a failover.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 */
import type { ConnectionOptions } from "node:tls";
import { Client, type ClientConfig } from "pg";
import type { DatabaseAddress, DatabaseHost } from "../../config/database-url.ts";
import { asDatabaseError, codeOf, DatabaseError } from "./database-error.ts";
import { lacksEncryption, NO_CHANNEL_BINDING } from "./tls-trouble.ts";

/** A server, and how to connect to it: with TLS, or false without, in the order in which that is tried. */
export type Place = DatabaseHost & { readonly ways: readonly (ConnectionOptions | false)[] };

export type Wishes = Pick<DatabaseAddress, "sessionAttributes" | "channelBinding"> & {
  /** For each attempt. */
  readonly timeoutMs: number;
};

type Way = DatabaseHost & { readonly ssl: ConnectionOptions | false };
type Callback = (error: Error | null) => void;
type Connect = Client["connect"];
/** What the driver's client has, and its types leave out. */
type Innards = {
  ssl: unknown;
  connection: { ssl: unknown; stream: { destroy(error: Error): void } } & NodeJS.EventEmitter;
};

/** The class of such clients, for a pool's option `Client`. */
export function createServerFinder(places: readonly Place[], wishes: Wishes): typeof Client {
  return class extends Client {
    readonly #config: ClientConfig;

    constructor(config: ClientConfig) {
      super(config);
      // A pool keeps its password where copies lose it.
      this.#config = { ...config, password: config.password };
      if (wishes.channelBinding === "require") requireChannelBinding(this as Client);
    }

    override connect: Connect = ((callback?: Callback) => {
      const connected = this.#connect();
      if (callback === undefined) return connected;
      connected.then(() => callback(null), callback);
      return undefined;
    }) as Connect;

    async #connect(): Promise<this> {
      const way = await findServer(places, wishes, this.#config);
      Object.assign(this, { host: way.host, port: way.port });
      const innards = this as unknown as Innards;
      innards.ssl = way.ssl;
      innards.connection.ssl = way.ssl;
      await super.connect();
      return this;
    }
  } as typeof Client;
}

/** The first way in. @throws the error that tells most, or of several servers one that tells of each */
async function findServer(places: readonly Place[], wishes: Wishes, config: ClientConfig): Promise<Way> {
  const failures: { readonly place: Place; readonly error: unknown }[] = [];
  const prefersStandby = wishes.sessionAttributes === "prefer-standby";
  for (const wanted of prefersStandby ? (["standby", "any"] as const) : [wishes.sessionAttributes]) {
    failures.length = 0;
    for (const place of places) {
      const found = await enter(place, { ...wishes, sessionAttributes: wanted }, config);
      if ("way" in found) return found.way;
      failures.push({ place, error: found.error });
      // As libpq has it: another server is not asked where one has refused the login.
      if (/^(28|3D)/.test(codeOf(found.error))) break;
    }
  }
  const [only] = failures;
  if (failures.length === 1 && only !== undefined) throw only.error;
  const each = failures.map(({ place, error }) => asDatabaseError(error, nameOf(place)).message);
  throw new DatabaseError(`None of the servers in DATABASE_URL can be used. ${each.join(" ")}`);
}

/** Tries each way into one server. The error is the one that says more than that the way was the wrong one. */
async function enter(
  place: Place,
  wishes: Wishes,
  config: ClientConfig,
): Promise<{ readonly way: Way } | { readonly error: unknown }> {
  const errors: unknown[] = [];
  for (const ssl of place.ways) {
    const way = { host: place.host, port: place.port, ssl };
    try {
      const answer = await look(way, wishes, config);
      if (answer === null) return { way };
      return { error: new DatabaseError(answer) };
    } catch (error) {
      errors.push(error);
    }
  }
  return { error: errors.find((error) => !lacksEncryption(error)) ?? errors.at(-1) };
}

/** Logs in and looks at the session: null where it will do, else why not. */
async function look(way: Way, wishes: Wishes, config: ClientConfig): Promise<string | null> {
  const client = new Client({ ...config, ...way, connectionTimeoutMillis: wishes.timeoutMs });
  client.on("error", () => {});
  if (wishes.channelBinding === "require") requireChannelBinding(client);
  try {
    await client.connect();
    if (wishes.sessionAttributes === "any") return null;
    const { rows } = await client.query<{ standby: boolean; readonly: boolean }>(
      "SELECT pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') = 'on' AS readonly",
    );
    const { standby = false, readonly = false } = rows[0] ?? {};
    const fits = {
      "read-write": !standby && !readonly,
      "read-only": standby || readonly,
      primary: !standby,
      standby,
      "prefer-standby": true,
    }[wishes.sessionAttributes];
    const is = standby ? "a standby" : readonly ? "read-only" : "a primary";
    const at = nameOf(way);
    return fits
      ? null
      : `The database at ${at} is ${is}, and target_session_attrs asks for ${wishes.sessionAttributes}.`;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Ends the connection where the server logs in without. The listeners come before the driver's own. */
function requireChannelBinding(client: Client): void {
  const { connection } = client as unknown as Innards;
  let bound = false;
  const refuse = () => connection.stream.destroy(new Error(NO_CHANNEL_BINDING));
  connection.on("authenticationSASL", ({ mechanisms }: { readonly mechanisms: readonly string[] }) => {
    bound = mechanisms.includes("SCRAM-SHA-256-PLUS");
    if (!bound) refuse();
  });
  for (const other of ["authenticationCleartextPassword", "authenticationMD5Password"]) connection.on(other, refuse);
  connection.on("authenticationOk", () => {
    if (!bound) refuse();
  });
}

/** As sentences name it. */
export function nameOf({ host, port }: DatabaseHost): string {
  if (host.startsWith("/")) return `the socket in ${host}`;
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
