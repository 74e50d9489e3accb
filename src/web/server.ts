/**
 * The HTTP server: which page answers, that nobody keeps an answer, and that no client keeps it busy. Read-only.
 */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { HttpConfig } from "../config/config.ts";
import { visibleJson } from "../domain/visible.ts";
import type { Logger } from "../log.ts";

export type Answer = {
  readonly status: number;
  readonly body: { readonly [key: string]: unknown };
  readonly headers?: Readonly<Record<string, string>>;
};

export type Page = () => Promise<Answer>;

export type WebServer = { close(): Promise<void> };

const READING = ["GET", "HEAD"];

/** A request has no body and few headers: who needs longer than this to send it is slow on purpose, or gone. */
const LIMITS: ServerOptions = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16_384,
};
/** An answer that nobody takes in is given up. */
const SILENCE_MS = 30_000;
/** Far fewer than a process may have files open: those are needed for the database, the API and mail. */
const MOST_CONNECTIONS = 200;
/** Connections without a request that is being answered; where there are more, the oldest is closed. */
const MOST_WAITING = 100;

/**
 * Listens where the configuration says; a port that is taken is an error, and no reason not to watch.
 *
 * @param pages by path
 */
export async function serveHttp(
  { host, port }: Pick<HttpConfig, "host" | "port">,
  pages: ReadonlyMap<string, Page>,
  log: Logger,
): Promise<WebServer> {
  if (port === 0) return { close: async () => {} };
  const server = createServer(LIMITS, (request, response) => {
    void answerOf(request, pages)
      .catch((error): Answer => {
        log.error({ event: "http.request_failed", err: error }, "a request could not be answered");
        return { status: 500, body: { status: "error" } };
      })
      .then((answer) => send(answer, response));
  });
  limitConnections(server);
  await new Promise<void>((resolve) => {
    server.once("error", (error) => {
      log.error({ event: "http.failed", err: error, host, port }, "the HTTP server cannot listen; change HTTP_PORT");
      resolve();
    });
    server.listen(port, host, resolve);
  });
  return {
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** So that a client with hundreds of connections keeps neither the program from its work nor others from an answer. */
function limitConnections(server: Server): void {
  const waiting = new Set<Socket>();
  server.maxConnections = MOST_CONNECTIONS;
  server.timeout = SILENCE_MS;
  server.on("connection", (socket) => {
    waiting.add(socket);
    socket.once("close", () => waiting.delete(socket));
    const [oldest] = waiting;
    if (waiting.size > MOST_WAITING) oldest?.destroy();
  });
  server.on("request", ({ socket }, response: ServerResponse) => {
    waiting.delete(socket);
    response.once("close", () => {
      if (!socket.destroyed) waiting.add(socket);
    });
  });
}

async function answerOf({ url = "", method = "" }: IncomingMessage, pages: ReadonlyMap<string, Page>): Promise<Answer> {
  const page = pages.get(url.replace(/\?.*$/s, ""));
  if (page === undefined) return { status: 404, body: { status: "not found" } };
  if (READING.includes(method)) return page();
  return { status: 405, body: { status: "method not allowed" }, headers: { allow: READING.join(", ") } };
}

/** Of an answer to HEAD, Node.js sends the headers alone. */
function send({ status, body, headers }: Answer, response: ServerResponse): void {
  const text = `${visibleJson(body)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    ...headers,
  });
  response.end(text);
}
