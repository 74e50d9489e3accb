/** What the connection to the database is: encrypted and verified, encrypted, or neither. For `check`. */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Client } from "pg";
import { asDatabaseError, where } from "./database-error.ts";
import { type Connection, connect } from "./server.ts";
import { nameOf } from "./server-finder.ts";

export type Connected = {
  /** The server that was connected to. */
  readonly at: string;
  readonly encryption: string;
};

/** Connects, and tells to where and how. @throws DatabaseError */
export async function lookAtConnection(connection: Connection): Promise<Connected> {
  try {
    const client = await connect(connection);
    const { host, port } = client;
    const encryption = encryptionOf(client as unknown as Innards);
    await client.end().catch(() => {});
    return { at: nameOf({ host, port }), encryption };
  } catch (error) {
    throw asDatabaseError(error, where(connection));
  }
}

/** What the driver's client has, and its types leave out. */
type Innards = Pick<Client, "host"> & {
  readonly ssl: boolean | { readonly rejectUnauthorized?: boolean; readonly checkServerIdentity?: unknown };
  readonly connection: { readonly stream: Socket };
};

function encryptionOf({ host, ssl, connection: { stream } }: Innards): string {
  if (!(stream instanceof TLSSocket)) {
    return host.startsWith("/") ? "over a Unix socket" : "not encrypted: right on this machine or in a private network";
  }
  const protocol = `${stream.getProtocol()}`.replace(/^TLSv/, "TLS ");
  if (typeof ssl === "boolean" || ssl.rejectUnauthorized === false) {
    return `${protocol}, certificate not verified (sslmode=verify-full would)`;
  }
  if (ssl.checkServerIdentity === undefined) return `${protocol}, certificate verified`;
  return `${protocol}, certificate verified, host name not (sslmode=verify-full would)`;
}
