import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { loadConfig } from "../src/config/load.ts";
import { runDaemon } from "../src/daemon.ts";
import { demoCredentials, startCloudflareStandIn } from "../src/demo/cloudflare.ts";
import { createLogger } from "../src/log.ts";
import { MIGRATED } from "./support/database.ts";
import { freePort } from "./support/free-port.ts";
import { createTestDatabase } from "./support/postgres.ts";

async function settings(t: TestContext, databaseUrl: string) {
  const api = await startCloudflareStandIn({ accepted: demoCredentials, rateLimit: null });
  t.after(api.close);
  return loadConfig({
    CLOUDFLARE_API_TOKEN: demoCredentials.token,
    CLOUDFLARE_BASE_URL: api.url,
    DATABASE_URL: databaseUrl,
    SMTP_URL: "smtp://127.0.0.1:1",
    MAIL_FROM: "invites@example.com",
    MAIL_TO: "ops@example.com",
    HTTP_PORT: String(await freePort()),
  });
}

/** What would keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
}

// Each is logged at another step of its start.
for (const event of ["sync.overdue", "watch.scheduled", "digest.scheduled", "daemon.started"]) {
  test(`a daemon that is told to stop while it starts leaves nothing behind (${event})`, async (t) => {
    const database = await createTestDatabase(MIGRATED);
    t.after(database.drop);
    const config = await settings(t, database.url);
    const stop = new AbortController();
    const seen: string[] = [];
    const write = (line: string) => {
      seen.push(JSON.parse(line).event);
      if (seen.at(-1) === event) stop.abort();
    };
    const log = createLogger({ level: "info", format: "json", redact: String, destination: { write } });
    const before = timers();

    await runDaemon(config, log, stop.signal);

    assert.equal(seen.at(-1), "daemon.stopped");
    assert.equal(timers(), before);
  });
}

test("a daemon that cannot use its database leaves nothing behind either", async (t) => {
  const config = await settings(t, "pglite:/dev/null/data");
  const log = createLogger({ level: "info", format: "json", redact: String, destination: { write: () => {} } });

  const ended = runDaemon(config, log, new AbortController().signal);

  await assert.rejects(ended, /^DatabaseError: /);
  await assert.rejects(fetch(`http://127.0.0.1:${config.http?.port}/healthz`), /fetch failed/);
});
