/**
 * The settings that every session of ours runs with, whatever the server, the database or the role has set: values are
 * written in one way, statements mean one thing, and names are looked up in one schema.
 *
 * A stranger's limits are lifted as pg_dump lifts them; what the URL's own `options` say of a limit stands.
 * `default_transaction_read_only` is left alone: whoever sets it wants nothing to be written.
 */
import { escapeIdentifier, escapeLiteral } from "pg";

/** By name, each value as `postgresql.conf` would have it. */
export type Settings = Readonly<Record<string, string>>;

/** Less than others wait for a lock of ours (see the time of a transaction), and more than we ever think in one. */
const IDLE_IN_TRANSACTION_MS = 25_000;

/** What a process that is paused, or a host that is gone, holds locked is free again within half a minute. */
const LIMITS: Settings = {
  idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_MS),
  lock_timeout: "0",
  statement_timeout: "0",
};

/** Of the server's own socket, which a pooler has to itself. */
const SOCKET: Settings = {
  tcp_keepalives_count: "3",
  tcp_keepalives_idle: "10",
  tcp_keepalives_interval: "5",
  tcp_user_timeout: String(IDLE_IN_TRANSACTION_MS),
};

/** Tells that the settings of the startup packet have arrived, which some poolers drop in silence. */
export const MARK = { name: "invitewatch.session", value: "own" };

const MEANING: Settings = {
  array_nulls: "on",
  bytea_output: "hex",
  datestyle: "ISO, MDY",
  default_transaction_deferrable: "off",
  default_transaction_isolation: "read committed",
  exit_on_error: "off",
  extra_float_digits: "1",
  intervalstyle: "postgres",
  quote_all_identifiers: "off",
  // Where policies hide rows, that is an error: a history with holes would look whole.
  row_security: "off",
  standard_conforming_strings: "on",
  timezone: "UTC",
  transform_null_equals: "off",
};

/** Known to newer servers alone, which others refuse the connection for. */
const SINCE: Readonly<Record<string, number>> = {
  idle_session_timeout: 140_000,
  transaction_timeout: 170_000,
};

export type Session = {
  /** Where names are looked up; null to leave that to the role. */
  readonly schema: string | null;
  /** As `server_version_num` has it; 0 where it is not known yet. */
  readonly version: number;
  /** Whether the server shares its sessions among clients, as behind a pooler. */
  readonly shared: boolean;
  /** What the URL's `options` set. */
  readonly given: Settings;
};

export function settingsOf({ schema, version, shared, given }: Session): Settings {
  const newer = Object.entries(SINCE).flatMap(([name, since]) => (version >= since ? [[name, "0"]] : []));
  return {
    ...LIMITS,
    ...Object.fromEntries(newer),
    ...(shared ? {} : { ...SOCKET, [MARK.name]: MARK.value }),
    ...given,
    ...MEANING,
    ...(schema === null ? {} : { search_path: escapeIdentifier(schema) }),
  };
}

/** For the startup packet: in force before the first statement, without a round trip. */
export function asOptions(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\\s]/g, "\\$&")}`)
    .join(" ");
}

/** Begins a transaction with the settings, which end with it. */
export function asTransaction(settings: Settings): string {
  const calls = Object.entries(settings).map(
    ([name, value]) => `set_config(${escapeLiteral(name)}, ${escapeLiteral(value)}, true)`,
  );
  return `BEGIN ISOLATION LEVEL READ COMMITTED NOT DEFERRABLE; SELECT ${calls.join(", ")};`;
}

/** What is in the `options` of a URL: settings, and what a provider reads there (`endpoint=…`). */
export type Options = { readonly given: Settings; readonly rest: string };

/** @see https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-SHELL */
export function readOptions(options: string): Options {
  const words = [...options.matchAll(/(?:\\.|[^\s\\])+/g)].map(([word]) => word.replaceAll(/\\(.)/g, "$1"));
  const given: Record<string, string> = {};
  const rest: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const text = word === "-c" ? words[++at] : /^(?:-c|--)(.+)$/.exec(word)?.[1];
    const [, name, value] = /^([\w.-]+)=(.*)$/s.exec(text ?? "") ?? [];
    if (name === undefined || value === undefined) rest.push(word, ...(word === "-c" ? [text ?? ""] : []));
    else given[name.replaceAll("-", "_").toLowerCase()] = value;
  }
  return { given, rest: rest.map((word) => word.replaceAll(/[\\\s]/g, "\\$&")).join(" ") };
}
