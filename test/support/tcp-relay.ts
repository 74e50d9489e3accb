/** Stands between the program and a server, so that a test can cut the line and mend it. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createSockets } from "./sockets.ts";

export type TcpRelay = {
  /** The server's URL, by way of the relay. */
  readonly url: string;
  /** Breaks every connection, and refuses new ones. */
  cut(): void;
  mend(): Promise<void>;
  /** Breaks every connection; new ones are accepted and ended at once. */
  hangUp(): Promise<void>;
  /** Of the server nothing is heard any more on the connections that are open; new ones are passed on. */
  vanish(): void;
  close(): Promise<void>;
};

export async function startRelay(target: URL): Promise<TcpRelay> {
  const sockets = createSockets();
  const lines: { readonly client: Socket; readonly upstream: Socket }[] = [];
  const passOn = (client: Socket) => {
    const upstream = sockets.keep(connect(Number(target.port), target.hostname));
    sockets.keep(client).pipe(upstream).pipe(client);
    lines.push({ client, upstream });
  };
  const open = async (port: number, serve = passOn): Promise<Server> => {
    const server = createServer(serve);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  let server = await open(0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(target);
  url.host = `127.0.0.1:${port}`;
  const cut = () => {
    server.close();
    sockets.destroy();
  };

  return {
    url: url.href,
    cut,
    async mend() {
      server = await open(port);
    },
    async hangUp() {
      cut();
      server = await open(port, (client) => {
        sockets.keep(client).resume().end();
      });
    },
    vanish() {
      for (const { client, upstream } of lines.splice(0)) {
        client.unpipe(upstream).resume();
        upstream.unpipe(client).destroy();
      }
    },
    async close() {
      cut();
    },
  };
}
