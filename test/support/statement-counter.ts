/** Stands between the program and Postgres and counts the statements that go by. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { createSockets } from "./sockets.ts";

export type StatementCounter = {
  /** The server's URL, by way of the counter. */
  readonly url: string;
  /** Statements so far: simple queries, and executions of prepared ones. */
  count(): number;
  close(): Promise<void>;
};

export async function countStatements(target: URL): Promise<StatementCounter> {
  const sockets = createSockets();
  let statements = 0;
  const server = createServer((client) => {
    const upstream = sockets.keep(connect(Number(target.port), target.hostname));
    sockets.keep(client).pipe(upstream).pipe(client);
    client.on(
      "data",
      eachMessage((type) => {
        if (type === "Q" || type === "E") statements += 1;
      }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    count: () => statements,
    async close() {
      sockets.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/**
 * Takes the bytes of a connection as they come and tells the type of each message in them.
 *
 * @see https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS
 */
function eachMessage(tell: (type: string) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  // The first message has no type.
  let hasType = false;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const lengthAt = hasType ? 1 : 0;
      if (rest.length < lengthAt + 4) return;
      const end = lengthAt + rest.readInt32BE(lengthAt);
      if (rest.length < end) return;
      if (hasType) tell(String.fromCharCode(rest.readUInt8(0)));
      hasType = true;
      rest = rest.subarray(end);
    }
  };
}
