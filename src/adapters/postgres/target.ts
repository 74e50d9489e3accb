/** Where a database URL leads, apart from what the URL says of the session. */
import type { PoolConfig } from "pg";
import { addressOf, connectionOf } from "./address.ts";
import { type Options, readOptions } from "./session.ts";

export type Target = {
  /** How to connect; without settings of the session. `at` names several servers for messages. */
  readonly address: PoolConfig & { readonly at?: string };
  /** As `?schema=` names it; null where the role's search path decides. */
  readonly schema: string | null;
  readonly options: Options;
};

/** @throws DatabaseError where the URL, or a file that it names, cannot be used */
export function targetOf(url: string): Target {
  const { options, ...address } = addressOf(url);
  return {
    address: connectionOf({ ...address, options: null }),
    schema: address.schema,
    options: readOptions(options ?? ""),
  };
}
