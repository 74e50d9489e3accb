import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { loadConfig } from "../src/config/load.ts";
import { runDaemon } from "../src/daemon.ts";
import { demoCredentials, startCloudflareStandIn } from "../src/demo/cloudflare.ts";
import { createLogger } from "../src/log.ts";
import { openGate } from "./faults/gate.ts";
import { MIGRATED } from "./support/database.ts";
import { freePort } from "./support/free-port.ts";
import { createTestDatabase } from "./support/postgres.ts";
import { countStatements } from "./support/statement-counter.ts";

async function settings(t: TestContext, databaseUrl: string, changes: Record<string, string> = {}) {
  const api = await startCloudflareStandIn({ accepted: demoCredentials, rateLimit: null });
  t.after(api.close);
  return loadConfig({
    ...(changes.INVITEWATCH_CONFIG === undefined && { CLOUDFLARE_API_TOKEN: demoCredentials.token }),
    CLOUDFLARE_BASE_URL: api.url,
    DATABASE_URL: databaseUrl,
    SMTP_URL: "smtp://127.0.0.1:1",
    MAIL_FROM: "invites@example.com",
    MAIL_TO: "ops@example.com",
    HTTP_PORT: String(await freePort()),
    ...changes,
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

test("a daemon whose database fails as it is about to work waits for it", async (t) => {
  const database = await createTestDatabase(MIGRATED);
  const gate = await openGate(database.url);
  t.after(async () => {
    gate.close();
    await database.drop();
  });
  gate.rule(({ what }) => {
    if (!what.startsWith("LISTEN")) return null;
    gate.rule(null);
    return "SELECT pg_terminate_backend(pg_backend_pid())";
  });
  const config = await settings(t, gate.url);
  const stop = new AbortController();
  const seen: string[] = [];
  const write = (line: string) => {
    seen.push(JSON.parse(line).event);
    if (seen.at(-1) === "daemon.started") stop.abort();
  };
  const log = createLogger({ level: "info", format: "json", redact: String, destination: { write } });

  await runDaemon(config, log, stop.signal);

  assert.equal(gate.stopped, 1);
  assert.ok(seen.includes("database.unavailable"));
  assert.equal(seen.at(-1), "daemon.stopped");
});

describe("a daemon with many watches", () => {
  const names = Array.from({ length: 300 }, (_, nth) => `watch-${nth}`);

  /** Runs it until this line of the log. @returns the events until then and those after, and the statements until then */
  async function runUntil(t: TestContext, isEnough: (events: readonly string[]) => boolean) {
    const database = await createTestDatabase(MIGRATED);
    const counter = await countStatements(new URL(database.url));
    const folder = await mkdtemp(join(tmpdir(), "invitewatch-watches-"));
    t.after(async () => {
      await counter.close();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    });
    const file = join(folder, "watches.yaml");
    const watches = names.map((name) => `  - { name: ${name}, apiToken: ${demoCredentials.token} }`);
    await writeFile(file, `watches:\n${watches.join("\n")}\n`);
    const config = await settings(t, counter.url, { INVITEWATCH_CONFIG: file });
    const stop = new AbortController();
    const before: string[] = [];
    const after: string[] = [];
    let statements = 0;
    const write = (line: string) => {
      (stop.signal.aborted ? after : before).push(JSON.parse(line).event);
      if (stop.signal.aborted || !isEnough(before)) return;
      statements = counter.count();
      stop.abort();
    };
    const log = createLogger({ level: "info", format: "json", redact: String, destination: { write } });
    await runDaemon(config, log, stop.signal);
    return { before, after, statements };
  }

  test("stops at once where it is told to between two of them", async (t) => {
    const { after } = await runUntil(t, (events) => events.at(-1) === "watch.scheduled");

    assert.deepEqual(after, ["daemon.stopped"]);
  });

  test("asks for what is due of all of them together", async (t) => {
    const { before, statements } = await runUntil(
      t,
      (events) => events.at(-1) === "sync.overdue" && overdue(events) === names.length,
    );

    assert.equal(overdue(before), names.length);
    assert.ok(statements < names.length, `${statements} statements`);
  });

  const overdue = (events: readonly string[]) => events.filter((event) => event === "sync.overdue").length;
});

test("a daemon that cannot use its database leaves nothing behind either", async (t) => {
  const config = await settings(t, "pglite:/dev/null/data");
  const log = createLogger({ level: "info", format: "json", redact: String, destination: { write: () => {} } });

  const ended = runDaemon(config, log, new AbortController().signal);

  await assert.rejects(ended, /^DatabaseError: /);
  await assert.rejects(fetch(`http://127.0.0.1:${config.http?.port}/healthz`), /fetch failed/);
});
