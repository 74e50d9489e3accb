/** Where a database URL leads, apart from what the URL says of the session. */
import type { PoolConfig } from "pg";
import { type Options, readOptions } from "./session.ts";

export type Target = {
  /** How to connect; without settings of the session. */
  readonly address: PoolConfig;
  /** As `?schema=` names it; null where the role's search path decides. */
  readonly schema: string | null;
  readonly options: Options;
};

/** Names of the query that are ours to read: the driver knows nothing of a schema, and its options would displace ours. */
const SESSION = ["schema", "options"];

export function targetOf(url: string): Target {
  const [, address = "", query = ""] = /^([^?]*)\??(.*)$/s.exec(url) ?? [];
  const parameters = new URLSearchParams(query);
  const others = query.split("&").filter((pair) => pair !== "" && !SESSION.includes(pair.split("=")[0] ?? ""));
  return {
    address: { connectionString: others.length === 0 ? address : `${address}?${others.join("&")}` },
    schema: parameters.get("schema") || null,
    options: readOptions(parameters.get("options") ?? ""),
  };
}
