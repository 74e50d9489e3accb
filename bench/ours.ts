/** invitewatch's own sync: fetch, prove, diff, record with events, hash chain, notification and queue job. */
import { randomUUID } from "node:crypto";
import { createCloudflareSource } from "../src/adapters/cloudflare/source.ts";
import { openDatabase } from "../src/adapters/postgres/open.ts";
import { createQueue } from "../src/adapters/postgres/queue.ts";
import { createSyncStore } from "../src/adapters/postgres/sync-store.ts";
import { runSync, type SyncPlan } from "../src/app/sync.ts";
import { createRedactor } from "../src/domain/redact.ts";
import { messageIdFor } from "../src/mail/headers.ts";
import type { Job } from "./job.ts";
import { measure } from "./measure.ts";

const HOUR_MS = 3_600_000;
const DEADLINE_MS = 120_000;

await measure(async ({ apiUrl, warmUpUrl, token, databaseUrl }: Job) => {
  const database = await openDatabase(databaseUrl, "command");
  const queue = createQueue(database, (error) => {
    throw error;
  });
  await queue.start();
  const clock = { now: () => new Date() };
  const store = createSyncStore(database.prisma, queue.enqueueDeliveries);
  const sync = async (watch: string, baseUrl: string) => {
    const source = createCloudflareSource({
      baseUrl,
      credential: { kind: "token", token },
      clock,
      redact: createRedactor([token]),
      deadlineMs: DEADLINE_MS,
    });
    return runSync(planFor(watch), { source, store, clock, newId: randomUUID }, new AbortController().signal);
  };

  return {
    warmUp: () => sync("warm-up", warmUpUrl),
    async run() {
      const { sync: row, events } = await sync("default", apiUrl);
      if (row.outcome !== "complete") throw new Error(`the measured sync was ${row.outcome}: ${row.reason}`);
      return { invites: row.listed, events: events.length };
    },
    async close() {
      await queue.stop(1_000);
      await database.close();
    },
  };
});

function planFor(watch: string): SyncPlan {
  return {
    watch,
    audience: { recipients: ["ops@example.com"], routes: [], quietHours: null },
    rules: {
      thresholds: [
        { kind: "lead", name: "72h", ms: 72 * HOUR_MS },
        { kind: "lead", name: "24h", ms: 24 * HOUR_MS },
        { kind: "lead", name: "6h", ms: 6 * HOUR_MS },
        { kind: "share", name: "25%", share: 0.25 },
      ],
      intervalMs: HOUR_MS / 4,
    },
    deadlineMs: DEADLINE_MS,
    messageId: (id, recipient) => messageIdFor(id, recipient, "invites@example.com"),
  };
}
