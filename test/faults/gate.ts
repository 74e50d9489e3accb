/**
 * The way from the program to Postgres, with a gatekeeper: statements can be made to fail for real, connections be cut,
 * and the whole server be away or only just starting.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createSockets } from "../support/sockets.ts";
import { postgresSplitters, type Unit } from "./units.ts";

export type Statement = {
  /** Its beginning. */
  readonly what: string;
  /** Whether a transaction is open that the program has begun. */
  readonly inTransaction: boolean;
};

/** What the server is asked in place of the statement, or null where it may pass. */
export type Rule = (statement: Statement) => string | null | Promise<string | null>;

export type Gate = {
  /** The server's URL, by way of the gate. */
  readonly url: string;
  /** Statements that did not pass, so far. */
  readonly stopped: number;
  /** Asked for each statement from now on; null lets all pass. */
  rule(rule: Rule | null): void;
  /** Breaks every connection, and refuses new ones. */
  leave(): void;
  /** Of the connections that are open the program hears nothing any more, not even that they end; new ones are taken. */
  vanish(): void;
  /** Takes connections again, and tells each that the server is starting. */
  start(): Promise<void>;
  comeBack(): Promise<void>;
  close(): void;
};

export async function openGate(target: string): Promise<Gate> {
  const url = new URL(target);
  const { hostname, port: targetPort } = url;
  const sockets = createSockets();
  const lines: { readonly client: Socket; readonly upstream: Socket }[] = [];
  let asked: Rule | null = null;
  let starting = false;
  let stopped = 0;
  const askRule: Rule = async (statement) => {
    const instead = (await asked?.(statement)) ?? null;
    if (instead !== null) stopped += 1;
    return instead;
  };
  const listen = async (port: number): Promise<Server> => {
    const server = createServer((client) => {
      if (starting) return sockets.keep(client).once("data", () => client.end(STARTING));
      const upstream = sockets.keep(connect(Number(targetPort), hostname));
      lines.push({ client: sockets.keep(client), upstream });
      return pass(client, upstream, askRule);
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  url.host = `127.0.0.1:${port}`;
  const leave = () => {
    server.close();
    sockets.destroy();
  };
  return {
    url: url.href,
    get stopped() {
      return stopped;
    },
    rule(rule) {
      asked = rule;
    },
    leave,
    vanish() {
      for (const { client, upstream } of lines.splice(0)) {
        client.removeAllListeners("data").resume();
        upstream.removeAllListeners("close").destroy();
      }
    },
    async start() {
      starting = true;
      server = await listen(port);
    },
    async comeBack() {
      if (!server.listening) server = await listen(port);
      starting = false;
    },
    close: leave,
  };
}

/** One connection. The program sends a statement only when it has the answer to the one before. */
function pass(client: Socket, upstream: Socket, rule: Rule): void {
  const splitters = postgresSplitters();
  let inTransaction = false;
  let replaced = false;
  let before = Promise.resolve();
  const ask = async ({ what, bytes }: Unit) => {
    const instead = isStatement(bytes) ? await rule({ what, inTransaction }) : null;
    replaced = instead !== null;
    upstream.write(instead === null ? bytes : query(instead));
  };
  client.on("data", (bytes: Buffer) => {
    for (const unit of splitters.out(bytes)) {
      before = before.then(() => ask(unit)).catch(() => void client.destroy());
    }
  });
  upstream.on("data", (bytes: Buffer) => {
    for (const unit of splitters.in(bytes)) {
      const messages = messagesOf(unit.bytes);
      for (const message of messages) if (typeOf(message) === "Z") inTransaction = message.at(-1) !== IDLE;
      client.write(replaced ? Buffer.concat(messages.filter((message) => "EZ".includes(typeOf(message)))) : unit.bytes);
    }
  });
  client.on("close", () => upstream.end());
  upstream.on("close", () => client.end());
}

const IDLE = "I".charCodeAt(0);

/** Whether the request is a statement, and not a greeting, a password or a farewell. */
function isStatement(bytes: Buffer): boolean {
  return bytes.length >= 5 && "QP".includes(typeOf(bytes)) && bytes.readInt32BE(1) > 4;
}

function typeOf(message: Buffer): string {
  return String.fromCharCode(message.readUInt8(0));
}

function messagesOf(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    messages.push(bytes.subarray(at, end));
    at = end;
  }
  return messages;
}

/** @see https://www.postgresql.org/docs/current/protocol-message-formats.html */
function message(type: string, text: string): Buffer {
  const body = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function query(sql: string): Buffer {
  return message("Q", sql);
}

const STARTING = message("E", "SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0");
