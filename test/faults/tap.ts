/** A proxy on one line, which passes on whole units of its protocol for as long as the world is not stopped. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createSockets } from "../support/sockets.ts";
import type { Crossings, LineName } from "./crossings.ts";
import { httpSplitters, postgresSplitters, type Splitter, type Splitters, smtpSplitters } from "./units.ts";

export type Tap = {
  /** The server's URL, by way of the tap. */
  readonly url: string;
  /** Drops every connection, on both sides. */
  cut(): void;
  close(): void;
};

const SPLITTERS: Readonly<Record<LineName, () => Splitters>> = {
  postgres: postgresSplitters,
  smtp: smtpSplitters,
  http: httpSplitters,
};

/** @param crossings of the world that the line belongs to, at any moment */
export async function startTap(line: LineName, target: string, crossings: () => Crossings): Promise<Tap> {
  const url = new URL(target);
  const { hostname, port } = url;
  const sockets = createSockets();
  const pass = (from: Socket, to: Socket, split: Splitter, direction: "out" | "in") => {
    from.on("data", (bytes: Buffer) => {
      for (const unit of split(bytes)) {
        if (!crossings().cross({ line, direction, what: unit.what, role: unit.role })) return;
        to.write(unit.bytes);
      }
    });
    from.on("close", () => to.end());
  };
  const server = createServer((client) => {
    if (crossings().stopped) {
      client.destroy();
      return;
    }
    const upstream = sockets.keep(connect(Number(port), hostname));
    const splitters = SPLITTERS[line]();
    pass(sockets.keep(client), upstream, splitters.out, "out");
    pass(upstream, client, splitters.in, "in");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cut = () => {
    sockets.destroy();
  };
  return {
    url: url.href.replace(/\/$/, ""),
    cut,
    close() {
      server.close();
      cut();
    },
  };
}
