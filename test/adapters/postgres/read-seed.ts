/** Fills a test database as syncs would, with rows that a test names only as far as they matter to it. */
import { randomUUID } from "node:crypto";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import { type Database, openDatabase } from "../../../src/adapters/postgres/open.ts";
import {
  writeEvents,
  writeHead,
  writeInvites,
  writeNotifications,
  writeSync,
} from "../../../src/adapters/postgres/write.ts";
import { type ChainHead, GENESIS_HASH, link } from "../../../src/domain/chain.ts";
import type { Event, EventDraft } from "../../../src/domain/event.ts";
import { type Invite, inviteJson } from "../../../src/domain/invite.ts";
import type { Notification } from "../../../src/domain/notification.ts";
import type { Sync } from "../../../src/domain/sync.ts";
import { createTestDatabase } from "../../support/postgres.ts";

export type Seeded = {
  readonly url: string;
  readonly database: Database;
  invites(...invites: readonly Invite[]): Promise<void>;
  /** Appends to the watch's chain; recorded at `recordedAt`, or when the first of them occurred. */
  events(watch: string, drafts: readonly EventDraft[], recordedAt?: Date): Promise<Event[]>;
  syncs(...syncs: readonly Sync[]): Promise<void>;
  notifications(...notifications: readonly Notification[]): Promise<void>;
  close(): Promise<void>;
};

const migrated = {
  name: "read",
  prepare: async (url: string) => {
    const database = await openDatabase(url, "command");
    await migrate(database);
    await database.close();
  },
};

/** A database of its own, with these watches and nothing else. */
export async function seededDatabase(...watches: readonly string[]): Promise<Seeded> {
  const { url, drop } = await createTestDatabase(migrated);
  const database = await openDatabase(url, "command");
  const { prisma } = database;
  const heads = new Map<string, ChainHead>();
  for (const name of watches) await prisma.watch.create({ data: { name, headHash: GENESIS_HASH } });
  return {
    url,
    database,
    invites: (...rows) => writeInvites(prisma, rows),
    async events(watch, drafts, recordedAt = drafts[0]?.occurredAt ?? new Date(0)) {
      const head = heads.get(watch) ?? { seq: 0, hash: GENESIS_HASH, recordedAt: null };
      const events = link(drafts, head, { watch, syncId: null, recordedAt, newId: randomUUID });
      const newest = events.at(-1);
      if (newest !== undefined) heads.set(watch, newest);
      await writeEvents(prisma, events);
      await writeHead(prisma, watch, events);
      return events;
    },
    async syncs(...rows) {
      for (const row of rows) await writeSync(prisma, row);
    },
    notifications: (...rows) => writeNotifications(prisma, rows),
    async close() {
      await database.close();
      await drop();
    },
  };
}

/** 22 November 2026 at the time of day, in UTC; with a day, of that November. */
export function at(time: string, day = 22): Date {
  return new Date(`2026-11-${String(day).padStart(2, "0")}T${time.length === 5 ? `${time}:00` : time}Z`);
}

export function invite(given: Partial<Invite> = {}): Invite {
  return {
    watch: "ops",
    id: "i1",
    status: "pending",
    apiStatus: "pending",
    organizationId: "o1",
    organizationName: "Acme GmbH",
    organizationEnforcesTwoFactor: false,
    invitedMemberId: "m1",
    invitedMemberEmail: "ops@example.com",
    invitedBy: "boss@acme.example",
    roles: ["Administrator"],
    invitedAt: at("08:00"),
    expiresAt: at("08:00", 29),
    firstSeenAt: at("08:05"),
    lastChangedAt: at("08:05"),
    listed: true,
    alertedLeadMs: null,
    missingSince: null,
    acknowledgedAt: null,
    cautions: [],
    calendarSequence: 0,
    fingerprint: "f",
    extra: null,
    oddities: [],
    ...given,
  };
}

export function received(about: Invite = invite(), occurredAt = about.firstSeenAt): EventDraft {
  const data = { invite: inviteJson(about), baseline: false, reinvited: false };
  return { type: "invite.received", inviteId: about.id, occurredAt, data };
}

export function changedStatus(inviteId: string, to: string, occurredAt: Date): EventDraft {
  return { type: "invite.status_changed", inviteId, occurredAt, data: { from: "pending", to, source: "list" } };
}

/** A complete sync every quarter of an hour, unless said otherwise. */
export function sync(startedAt: Date, given: Partial<Sync> = {}): Sync {
  return {
    id: randomUUID(),
    watch: "ops",
    startedAt,
    finishedAt: new Date(startedAt.getTime() + 800),
    outcome: "complete",
    reason: null,
    cause: null,
    httpStatus: null,
    code: null,
    cfRay: null,
    pages: 1,
    listed: 1,
    totalCount: 1,
    events: 0,
    intervalMs: 900_000,
    clockSkewMs: null,
    ...given,
  };
}

export function notification(given: Partial<Notification> = {}): Notification {
  const id = randomUUID();
  return {
    id,
    watch: "ops",
    recipient: "lead@example.com",
    kind: "invite.received",
    subject: "Invitation from “Acme GmbH”",
    messageId: `${id}@example.com`,
    state: "delivered",
    reason: null,
    heldBy: null,
    rules: ["default"],
    coveredBy: null,
    attempts: 1,
    createdAt: at("08:05"),
    deliveredAt: at("08:06"),
    response: "250 OK",
    error: null,
    nextAttemptAt: null,
    releasedAt: null,
    usefulUntil: null,
    maybeAccepted: false,
    syncId: null,
    eventSeqs: [1],
    ...given,
  };
}
