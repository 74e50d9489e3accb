import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { after, before, test } from "node:test";
import type { SyncResult } from "../../../src/adapters/postgres/queue-syncs.ts";
import { createReader } from "../../../src/adapters/postgres/read-store.ts";
import { createLogger } from "../../../src/log.ts";
import type { Runtime } from "../../../src/wire.ts";
import { createWorkers } from "../../../src/workers.ts";
import { runCommand } from "../../cli/command.ts";
import { type OpenedDatabase, openTestDatabase } from "../../support/database.ts";

const MOST_TRIES = 8;
const DONE: SyncResult = { outcome: "complete", reason: null };

let database: OpenedDatabase;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

/** What the daemon makes digests with, on a store that fails; and the log's lines. */
function failingWorkers() {
  const lines: { readonly event: string; readonly level: string; readonly err?: { readonly message: string } }[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  const log = createLogger({ level: "info", format: "json", redact: (text) => text, destination });
  const fail = () => Promise.reject(new Error("the template is broken"));
  const runtime = {
    clock: { now: () => new Date() },
    digestWatches: new Map([["ops@example.com", ["ops"]]]),
    digests: { lastDigestAt: fail },
  } as unknown as Runtime;
  return { lines, workers: createWorkers(runtime, log, new AbortController().signal) };
}

test("a digest that fails is told in the log and in status, tried again ever later, and given up", async () => {
  const { lines, workers } = failingWorkers();
  const reader = createReader(database);
  const tries = new EventEmitter();
  const waits: number[] = [];
  await database.queue.work({
    sync: async () => DONE,
    deliver: async () => {},
    digest: (id, isLastTry) => workers.digest(id, isLastTry).finally(() => setImmediate(() => tries.emit("ended"))),
  });
  await database.queue.requestDigest(randomUUID());

  for (let count = 1; count <= MOST_TRIES; count++) {
    database.queue.wake();
    await once(tries, "ended");
    for (let written = 0; written < count; ) {
      const { rows } = await database.sql.query<{ written: number; wait: number }>(
        `SELECT retry_count + (CASE WHEN state IN ('retry', 'failed') THEN 1 ELSE 0 END) AS written,
          extract(epoch FROM start_after - now())::float8 AS wait FROM pgboss.job WHERE name = 'digest'`,
        [],
      );
      written = rows[0]?.written ?? 0;
      waits[count - 1] = rows[0]?.wait ?? 0;
    }
    if (count === 1) {
      const { stdout } = await runCommand(["status"], { url: database.url, columns: 200, now: new Date() });
      assert.match(stdout, /digest +that of .* failed: the template is broken; next try .* \(in (\d+m)?\d+s\)/);
    }
    await database.sql.query("UPDATE pgboss.job SET start_after = now() WHERE name = 'digest'", []);
  }

  assert.deepEqual(
    lines.map(({ event, level, err }) => `${level} ${event}: ${err?.message}`),
    [
      ...Array.from({ length: MOST_TRIES - 1 }, () => "warn digest.failed: the template is broken"),
      "error digest.given_up: the template is broken",
    ],
  );
  const [first = 0, , , , , , late = 0] = waits;
  assert.ok(first > 40 && first < 130 && late > 1_200 && late < 3_700, waits.join(" "));
  const { error, nextTryAt } = (await reader.digestTrouble()) ?? {};
  assert.deepEqual([error, nextTryAt], ["the template is broken", null]);
  const { stdout } = await runCommand(["status", "--json"], { url: database.url, now: new Date() });
  assert.equal(JSON.parse(stdout).digest.error, "the template is broken");
});
