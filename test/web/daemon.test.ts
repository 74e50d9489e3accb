import assert from "node:assert/strict";
import { test } from "node:test";
import { demoCredentials, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import { MIGRATED } from "../support/database.ts";
import { freePort } from "../support/free-port.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { startRelay } from "../support/tcp-relay.ts";

test("the daemon answers while it waits for its database, and is ready once that is there", async () => {
  const database = await createTestDatabase(MIGRATED);
  const api = await startCloudflareStandIn({ accepted: demoCredentials, rateLimit: null });
  const relay = await startRelay(new URL(database.url));
  relay.cut();
  const port = await freePort();
  const env = {
    CLOUDFLARE_API_TOKEN: demoCredentials.token,
    CLOUDFLARE_BASE_URL: api.url,
    DATABASE_URL: relay.url,
    SMTP_URL: "smtp://127.0.0.1:1",
    MAIL_FROM: "invites@example.com",
    MAIL_TO: "ops@example.com",
    HTTP_PORT: String(port),
  };
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const daemon = startProgram(["run"], env);

  await daemon.logged("database.unavailable");
  const waiting = await ask("/readyz");
  const alive = await ask("/healthz");
  const checked = await runProgram(["healthcheck"], env);
  await relay.mend();
  await daemon.logged("sync.completed");
  const ready = await ask("/readyz");
  daemon.child.kill("SIGTERM");
  const code = await daemon.ended;
  await relay.close();
  await api.close();
  await database.drop();

  assert.equal(waiting.status, 503);
  assert.match(waiting.text, /database_unreachable/);
  assert.deepEqual([alive.status, checked.code, checked.stdout], [200, 0, "ok\n"]);
  assert.deepEqual(ready, { status: 200, text: '{"status":"ready"}\n' });
  assert.equal(code, 0, daemon.stderr());
});
