/** What planning and rendering cost beside diff and record, when many invites are new at once. */
import { randomUUID } from "node:crypto";
import { openDatabase } from "../src/adapters/postgres/open.ts";
import { createOutboxStore } from "../src/adapters/postgres/outbox-store.ts";
import { createQueue } from "../src/adapters/postgres/queue.ts";
import { createSyncStore } from "../src/adapters/postgres/sync-store.ts";
import { contentKey, inputOf } from "../src/app/delivery/make-mails.ts";
import type { OutboxStore } from "../src/app/delivery/outbox.ts";
import type { SyncStore } from "../src/app/store.ts";
import { decideDispatch } from "../src/domain/delivery/dispatch.ts";
import { renderAlike } from "../src/mail/render.ts";
import { mailSettings } from "../src/wire.ts";
import type { AlertsJob } from "./job.ts";
import { measure } from "./measure.ts";
import { invitations, recipients, record } from "./news.ts";
import { configFor } from "./setting.ts";

/** As many mails as the queue hands out at a time. */
const BATCH = 200;
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
  for (let from = 0; from < notifications.length; from += BATCH) {
    const batch = notifications.slice(from, from + BATCH);
    await render(
      batch.map(({ id }) => id),
      outbox,
    );
  }
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

async function render(ids: readonly string[], outbox: OutboxStore): Promise<void> {
  const now = new Date();
  const { quietHoursOf, floodCap, messageId } = settings;
  const newSummary = (recipient: string) => ({ id: randomUUID(), messageId: messageId(randomUUID(), recipient) });
  const rules = { now, quietHoursOf, floodCap, hasFallback: false, newSummary };
  const jobs = ids.map((notificationId) => ({ notificationId }));
  const claimed = await outbox.claim(jobs, now, (input) => decideDispatch(input, rules));
  const toMake = claimed.map((one) => {
    if (one.status !== "fulfilled") throw one.reason;
    if (one.value.kind !== "send" || one.value.content === null) throw new Error(`a mail was ${one.value.kind}`);
    return { notification: one.value.mail.notification, content: one.value.content };
  });
  for (const alike of Map.groupBy(toMake, contentKey).values()) {
    renderAlike(alike.map((mail) => inputOf(mail, settings, now)));
  }
}
