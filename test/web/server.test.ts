import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { createLogger } from "../../src/log.ts";
import { type Page, serveHttp, type WebServer } from "../../src/web/server.ts";
import { freePort } from "../support/free-port.ts";

const PAGES = new Map<string, Page>([["/healthz", async () => ({ status: 200, body: { status: "ok" } })]]);

let port: number;
let server: WebServer;
let sockets: Socket[];

beforeEach(async () => {
  port = await freePort();
  sockets = [];
  const log = createLogger({ level: "silent", format: "json", redact: (text) => text });
  server = await serveHttp({ host: "127.0.0.1", port }, PAGES, log);
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

/** Connects and sends the text; what happens to the connection is told by its events. */
function send(text: string): Socket {
  const socket = connect(port, "127.0.0.1", () => socket.write(text));
  socket.on("error", () => {}).resume();
  sockets.push(socket);
  return socket;
}

test("hundreds of half-sent requests take few connections, and others are answered meanwhile", async () => {
  const closed = Array.from({ length: 800 }, () => once(send("GET /healthz HTTP/1.1\r\nhost: x\r\n"), "close"));

  await Promise.all(closed.slice(0, 600));
  const response = await fetch(`http://127.0.0.1:${port}/healthz`);

  assert.equal(response.status, 200);
});

test("whoever sends a request too slowly is hung up on", async () => {
  const startedAt = performance.now();
  for (const half of [
    "",
    "GET",
    "GET /healthz HTTP/1.1\r\nhost: x\r\n",
    "POST /healthz HTTP/1.1\r\ncontent-length: 9\r\n",
  ]) {
    const socket = send(half);
    await once(socket, "close");
  }

  assert.ok(performance.now() - startedAt < 30_000);
});

test("headers without end are refused", async () => {
  const socket = send(`GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`);
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
  });

  await once(socket, "close");

  assert.match(answer, /^HTTP\/1\.1 431 /);
});
