import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "../../src/log.ts";
import { serveHttp } from "../../src/web/server.ts";
import { freePort } from "../support/free-port.ts";
import { corpus, OBEYED } from "./corpus.ts";

test("an answer over HTTP holds nothing that the terminal of who asks would obey", async (t) => {
  const message = corpus.map(({ text }) => text.slice(0, 200)).join(" ");
  const log = createLogger({ level: "silent", format: "json", redact: (text) => text });
  const port = await freePort();
  const pages = new Map([["/x", async () => ({ status: 200, body: { message } })]]);
  const server = await serveHttp({ host: "127.0.0.1", port }, pages, log);
  t.after(() => server.close());

  const answer = await (await fetch(`http://127.0.0.1:${port}/x`)).text();

  assert.doesNotMatch(answer.trimEnd(), OBEYED);
  assert.equal(JSON.parse(answer).message, message);
});
