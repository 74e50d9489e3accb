/** Answers `/healthz`: that the daemon is alive, whatever the state of the world around it. */
import { createServer } from "node:http";
import type { HttpConfig } from "../config/config.ts";
import type { Logger } from "../log.ts";

export type HealthServer = { close(): Promise<void> };

/** Listens where the configuration says; a port that is taken is an error, and no reason not to watch. */
export async function serveHealth({ host, port }: HttpConfig, log: Logger): Promise<HealthServer> {
  if (port === 0) return { close: async () => {} };
  const server = createServer((request, response) => {
    const found = request.method === "GET" && request.url === "/healthz";
    response.writeHead(found ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify({ status: found ? "ok" : "not found" }));
  });
  await new Promise<void>((resolve) => {
    server.once("error", (error) => {
      log.error({ event: "http.failed", err: error, host, port }, "the health server cannot listen; change HTTP_PORT");
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
