/** Everything that a sync needs, for real: a database, the stand-in for the API, a clock that tests turn. */
import { randomUUID } from "node:crypto";
import { createCloudflareSource } from "../../src/adapters/cloudflare/source.ts";
import { type EventRow, eventOf, type InviteRow, inviteOf } from "../../src/adapters/postgres/rows.ts";
import { createSyncStore } from "../../src/adapters/postgres/sync-store.ts";
import type { Recording, SyncStore } from "../../src/app/store.ts";
import { runSync, type SyncPlan, type SyncPorts } from "../../src/app/sync.ts";
import { demoCredentials, type StandIn, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import { type ApiInvite, sampleInvite } from "../../src/demo/sample-invite.ts";
import { breakOf, eventJson, GENESIS_HASH } from "../../src/domain/chain.ts";
import type { Event } from "../../src/domain/event.ts";
import type { Invite } from "../../src/domain/invite.ts";
import type { Audience } from "../../src/domain/plan.ts";
import { messageIdFor } from "../../src/mail/headers.ts";
import { NOW, RULES } from "./build.ts";
import { type OpenedDatabase, openTestDatabase } from "./database.ts";
import { DAY, HOUR } from "./durations.ts";

export type Lab = {
  readonly database: OpenedDatabase;
  readonly api: StandIn;
  readonly store: SyncStore;
  readonly ports: SyncPorts;
  readonly plan: SyncPlan;
  /** The lab's time; starts at a round hour. */
  now(): Date;
  /** Turns the clock on by so many ms. */
  pass(ms: number): void;
  /** An instant so many ms from now, as the API writes it. */
  inMs(ms: number): string;
  /** Puts a pending invite on the API's list, sent an hour ago and ending in ten days. */
  invite(overrides?: Partial<ApiInvite>): ApiInvite;
  sync(signal?: AbortSignal): Promise<Recording>;
  /** Every event of the watch, oldest first. */
  history(): Promise<readonly Event[]>;
  /** The invites of the watch as now known, by id. */
  known(): Promise<ReadonlyMap<string, Invite>>;
  /** What is wrong with the chain as it is stored; null where nothing is. */
  brokenChain(): Promise<string | null>;
  close(): Promise<void>;
};

export type LabOptions = {
  /** Shared with other labs, each of which has a watch of its own; by default the lab's own. */
  readonly database?: OpenedDatabase;
  /** Changes to the plan of the watch. */
  readonly plan?: Partial<SyncPlan>;
  /** The API to read in place of the stand-in. */
  readonly baseUrl?: string;
};

/** Who is told where nothing but the recipients is configured. */
export function audienceOf(...recipients: readonly string[]): Audience {
  return { recipients, routes: [], quietHours: null };
}

let labs = 0;

export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const database = options.database ?? (await openTestDatabase());
  const { prisma } = database;
  let now = NOW;
  const clock = { now: () => now };
  const api = await startCloudflareStandIn({ accepted: demoCredentials, rateLimit: null, now: clock.now });
  const source = createCloudflareSource({
    baseUrl: options.baseUrl ?? api.url,
    credential: { kind: "token", token: demoCredentials.token },
    clock,
    redact: (text) => text,
    firstBackoffMs: 1,
  });
  const store = createSyncStore(prisma, database.queue.enqueueDeliveries);
  const ports = { source, store, clock, newId: randomUUID };
  const plan: SyncPlan = {
    watch: `watch-${++labs}`,
    audience: audienceOf("ops@example.com"),
    rules: RULES,
    deadlineMs: 5_000,
    messageId: (id, recipient) => messageIdFor(id, recipient, "invites@example.com"),
    ...options.plan,
  };
  const inMs = (ms: number) => new Date(now.getTime() + ms).toISOString();
  const history = async () => {
    const rows = await prisma.$queryRaw<EventRow[]>`SELECT * FROM event WHERE watch = ${plan.watch} ORDER BY seq`;
    return rows.map(eventOf);
  };
  return {
    database,
    api,
    store,
    ports,
    plan,
    now: () => now,
    pass(ms) {
      now = new Date(now.getTime() + ms);
    },
    inMs,
    invite(overrides) {
      const invite = sampleInvite({ invited_on: inMs(-HOUR), expires_on: inMs(10 * DAY), ...overrides });
      api.invites.put(invite);
      return invite;
    },
    sync: (signal = new AbortController().signal) => runSync(plan, ports, signal),
    history,
    async known() {
      const rows = await prisma.$queryRaw<InviteRow[]>`SELECT * FROM invite WHERE watch = ${plan.watch}`;
      return new Map(rows.map((row) => [row.id, inviteOf(row)]));
    },
    async brokenChain() {
      let head = { seq: 0, hash: GENESIS_HASH };
      for (const event of (await history()).map(eventJson)) {
        const broken = breakOf(event, head);
        if (broken !== null) return broken;
        head = event;
      }
      const { headHash } = await prisma.watch.findUniqueOrThrow({ where: { name: plan.watch } });
      return headHash === head.hash ? null : "the watch's head is not the last event";
    },
    async close() {
      await api.close();
      if (options.database === undefined) await database.close();
    },
  };
}
