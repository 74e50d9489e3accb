/** A watch, its queue and a mail server, for tests that go from the API to the recipient over a clock that they turn. */
import { randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { simpleParser } from "mailparser";
import { createOutboxStore } from "../../src/adapters/postgres/outbox-store.ts";
import { createMailTransport } from "../../src/adapters/smtp/transport.ts";
import { deliver } from "../../src/app/deliver.ts";
import type { DeliverPorts, MailSettings } from "../../src/app/delivery-ports.ts";
import type { Audience } from "../../src/domain/plan.ts";
import { messageIdFor } from "../../src/mail/headers.ts";
import { openTestDatabase } from "../support/database.ts";
import { MINUTE } from "../support/durations.ts";
import { type FaultyRelay, startFaultyRelay } from "../support/faulty-relay.ts";
import { audienceOf, type Lab, openLab } from "../support/lab.ts";

const FROM = "invites@example.com";
const SETTINGS: MailSettings = {
  from: FROM,
  timezoneOf: () => "UTC",
  quietHoursOf: () => null,
  floodCap: 1_000,
  messageId: (id, recipient) => messageIdFor(id, recipient, FROM),
};

export type Stage = {
  readonly lab: Lab;
  readonly relay: FaultyRelay;
  readonly ports: DeliverPorts;
  readonly settings: MailSettings;
};

/** A watch that was never synced, a mail server that accepts all, and a database of their own. */
export async function openStage(
  t: TestContext,
  {
    audience = audienceOf("ops@example.com"),
    fallbacks = [],
    ...settings
  }: Partial<MailSettings & Pick<DeliverPorts, "fallbacks"> & { audience: Audience }> = {},
): Promise<Stage> {
  const database = await openTestDatabase();
  const lab = await openLab({ database, plan: { audience } });
  const relay = await startFaultyRelay();
  const transport = createMailTransport(relay.url, String);
  t.after(async () => {
    await relay.close();
    await lab.close();
    await database.close();
  });
  const outbox = createOutboxStore(database, database.queue.enqueueDeliveries);
  const clock = { now: lab.now };
  const ports = { outbox, transport, fallbacks, clock, chance: () => 0.5, newId: randomUUID };
  return { lab, relay, ports, settings: { ...SETTINGS, ...settings } };
}

/** Does what the queue holds for so long, each job at its time. */
export async function work({ lab, ports, settings }: Stage, ms = 0): Promise<void> {
  const until = new Date(+lab.now() + ms);
  for (;;) {
    const [job] = await lab.database.prisma.$queryRaw<{ notificationId: string; at: Date }[]>`
      DELETE FROM pgboss.job WHERE id = (
        SELECT id FROM pgboss.job WHERE name = 'deliver' AND start_after <= ${until}
        ORDER BY start_after, created_on LIMIT 1)
      RETURNING data->>'notificationId' AS "notificationId", start_after AS at`;
    if (job === undefined) break;
    lab.pass(Math.max(0, +job.at - +lab.now()));
    await deliver({ notificationId: job.notificationId }, settings, ports);
  }
  lab.pass(+until - +lab.now());
}

export async function sync(stage: Stage): Promise<void> {
  await stage.lab.sync();
  await work(stage, 15 * MINUTE);
}

/** What was told to whom, as `recipient seq`, once each. */
export async function told({ lab, relay }: Stage): Promise<readonly string[]> {
  const pairs = new Set<string>();
  for (const { to, bytes } of relay.accepted) {
    const { headers } = await simpleParser(bytes);
    const seqs = String(headers.get("x-invitewatch-event")).matchAll(/\/(\d+)(?:-(\d+))?/g);
    for (const [, first, last = first] of seqs) {
      for (let seq = Number(first); seq <= Number(last); seq += 1) pairs.add(`${to} ${lab.plan.watch}/${seq}`);
    }
  }
  return [...pairs].sort();
}

/** Every event of the history for the recipient, or those of one organization. */
export async function owed({ lab }: Stage, recipient: string, organization?: string): Promise<readonly string[]> {
  const invites = await lab.known();
  const events = (await lab.history()).filter(
    ({ inviteId }) => organization === undefined || invites.get(inviteId ?? "")?.organizationName === organization,
  );
  return events.map(({ watch, seq }) => `${recipient} ${watch}/${seq}`);
}
