/** The HTTP server: which page answers, and that nobody keeps an answer. Read-only. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
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
  const server = createServer((request, response) => {
    void answerOf(request, pages)
      .catch((error): Answer => {
        log.error({ event: "http.request_failed", err: error }, "a request could not be answered");
        return { status: 500, body: { status: "error" } };
      })
      .then((answer) => send(answer, response));
  });
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
