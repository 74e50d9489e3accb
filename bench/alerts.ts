/** What planning and rendering cost beside diff and record, when many invites are new at once. */
import { randomUUID } from "node:crypto";
import { openDatabase } from "../src/adapters/postgres/open.ts";
import { createOutboxStore } from "../src/adapters/postgres/outbox-store.ts";
import { createQueue } from "../src/adapters/postgres/queue.ts";
import { createSyncStore } from "../src/adapters/postgres/sync-store.ts";
import { renderOwed } from "../src/app/deliver.ts";
import type { OutboxStore, SyncStore } from "../src/app/store.ts";
import { releaseOf } from "../src/domain/release.ts";
import { mailSettings } from "../src/wire.ts";
import type { AlertsJob } from "./job.ts";
import { measure } from "./measure.ts";
import { invitations, recipients, record } from "./news.ts";
import { configFor } from "./setting.ts";

const RECIPIENTS = 10;
const WARM_UP_INVITES = 200;

const settings = mailSettings(configFor({ databaseUrl: "pglite:unused", smtpUrl: "smtp://127.0.0.1:25" }));

await measure(async ({ databaseUrl, warmUpUrl, invites }: AlertsJob) => {
  const opened = [await open(databaseUrl), await open(warmUpUrl)] as const;
  const [measured, warmUp] = opened;
  const listed = invitations(invites);
  for (const { store } of opened) await record([], [], store);
  return {
    warmUp: () => alert(listed.slice(0, WARM_UP_INVITES), warmUp),
    run: () => alert(listed, measured),
    async close() {
      for (const one of opened) await one.close();
    },
  };
});

type Opened = { readonly store: SyncStore; readonly outbox: OutboxStore; close(): Promise<void> };

async function open(url: string): Promise<Opened> {
  const database = await openDatabase(url, "command");
  const queue = createQueue(database, (error) => {
    throw error;
  });
  await queue.start();
  return {
    store: createSyncStore(database.prisma, queue.enqueueDeliveries),
    outbox: createOutboxStore(database, queue.enqueueDeliveries),
    async close() {
      await queue.stop(1_000);
      await database.close();
    },
  };
}

async function alert(listed: ReturnType<typeof invitations>, { store, outbox }: Opened) {
  const planning = timedPlanning(store);
  const startedAt = performance.now();
  const { notifications } = await record(listed, recipients(RECIPIENTS), planning.store);
  const recordedAt = performance.now();
  await Promise.all(notifications.map(({ id }) => render(id, outbox)));
  const renderedAt = performance.now();
  return {
    planMs: planning.ms(),
    recordMs: recordedAt - startedAt - planning.ms(),
    renderMs: renderedAt - recordedAt,
    mails: notifications.length,
  };
}

/** The store, and how long it took from the first question of planning to the end of the decisions. */
function timedPlanning(store: SyncStore): { readonly store: SyncStore; readonly ms: () => number } {
  let startedAt = 0;
  let endedAt = 0;
  const recordTimed: SyncStore["record"] = (watch, decide) =>
    store.record(watch, async (ledger) => {
      const planContext: typeof ledger.planContext = (...asked) => {
        startedAt = performance.now();
        return ledger.planContext(...asked);
      };
      const recording = await decide({ ...ledger, planContext });
      endedAt = performance.now();
      return recording;
    });
  return { store: { ...store, record: recordTimed }, ms: () => endedAt - startedAt };
}

async function render(id: string, outbox: OutboxStore): Promise<void> {
  const now = new Date();
  const { quietHoursOf, floodCap, messageId } = settings;
  const released = await outbox.release(id, now, {
    takeOver: false,
    hasFallback: false,
    decide: (question) => releaseOf({ ...question, quietHoursOf, floodCap, now }),
    summary: (recipient) => ({ id: randomUUID(), messageId: messageId(randomUUID(), recipient) }),
  });
  if (released.kind !== "send") throw new Error(`the mail was not to be sent but ${released.kind}`);
  renderOwed(released.owed, settings, now);
}
