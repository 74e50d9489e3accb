/**
 * One sync of one watch: fetch, prove, diff, record.
 *
 * The network comes before the transaction; the transaction holds everything that the sync adds, or nothing of it.
 */
import { GENESIS_HASH, link } from "../domain/chain.ts";
import { diff } from "../domain/diff.ts";
import type { ExpiryRules } from "../domain/expiry.ts";
import type { Notification } from "../domain/notification.ts";
import { planMails } from "../domain/plan.ts";
import type { Snapshot, Whereabouts } from "../domain/snapshot.ts";
import { syncOf } from "../domain/sync.ts";
import type { Clock, InviteSource } from "./ports.ts";
import type { Known, Recording, SyncStore } from "./store.ts";

/** What a sync needs to know of its watch. */
export type SyncPlan = {
  readonly watch: string;
  readonly recipients: readonly string[];
  readonly rules: ExpiryRules;
  /** Everything on the network ends within this, in ms. */
  readonly deadlineMs: number;
  /** The stable Message-ID of a notification, without angle brackets. */
  readonly messageId: (notificationId: string, recipient: string) => string;
};

export type SyncPorts = {
  readonly source: InviteSource;
  readonly store: SyncStore;
  readonly clock: Clock;
  readonly newId: () => string;
};

/**
 * Runs the sync and records it; the answer is what was recorded.
 *
 * A sync that is stopped before its poll ended records nothing and rejects with the signal's reason: it did not
 * fall short, it is given back.
 */
export async function runSync(plan: SyncPlan, ports: SyncPorts, stop: AbortSignal): Promise<Recording> {
  const { store, clock } = ports;
  await store.ensureWatch(plan.watch, clock.now());
  const { snapshot, whereabouts } = await observe(plan, ports, stop);
  stop.throwIfAborted();
  return store.record(plan.watch, snapshot, plan.rules, clock.now, (known, now) =>
    decide(plan, { snapshot, whereabouts, known, now }, ports.newId),
  );
}

/** What a sync would record now; changes nothing. */
export async function rehearseSync(plan: SyncPlan, ports: SyncPorts, stop: AbortSignal): Promise<Recording> {
  const { snapshot, whereabouts } = await observe(plan, ports, stop);
  const now = ports.clock.now();
  const known = await ports.store.know(plan.watch, snapshot, plan.rules, now);
  return decide(plan, { snapshot, whereabouts, known, now }, ports.newId);
}

type Observation = {
  readonly snapshot: Snapshot;
  readonly whereabouts: ReadonlyMap<string, Whereabouts>;
};

/** All that the network says, within one deadline. */
async function observe(plan: SyncPlan, ports: SyncPorts, stop: AbortSignal): Promise<Observation> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(plan.deadlineMs)]);
  const snapshot = await ports.source.fetchSnapshot(signal);
  if (snapshot.kind !== "complete") return { snapshot, whereabouts: new Map() };
  const missing = await ports.store.missing(
    plan.watch,
    snapshot.invites.map((invite) => invite.id),
  );
  if (missing.length === 0) return { snapshot, whereabouts: new Map() };
  return { snapshot, whereabouts: await ports.source.locate(missing, signal) };
}

type Given = Observation & { readonly known: Known; readonly now: Date };

/** Pure but for the ids: what the sync adds to what is known. */
function decide(plan: SyncPlan, { snapshot, whereabouts, known, now }: Given, newId: () => string): Recording {
  const { watch } = plan;
  const syncId = newId();
  const about = { id: syncId, watch, finishedAt: now, intervalMs: plan.rules.intervalMs };
  if (isStale(snapshot, known)) {
    const sync = { ...syncOf(snapshot, { ...about, events: 0, remark: null }), outcome: "superseded" as const };
    return {
      sync: { ...sync, reason: "a snapshot taken later is already recorded" },
      invites: [],
      events: [],
      notifications: [],
    };
  }
  const { events: drafts, invites } = diff({
    watch,
    snapshot,
    whereabouts,
    known: known.invites,
    unchanged: known.unchanged,
    invitedBefore: known.invitedBefore,
    hasBaseline: known.hasBaseline,
    rules: plan.rules,
    now,
  });
  const events = link(drafts, known.head, { watch, syncId, recordedAt: now, newId });
  const notifications = planMails(events, plan.recipients).map((mail): Notification => {
    const id = newId();
    return {
      ...mail,
      id,
      watch,
      syncId,
      subject: null,
      messageId: plan.messageId(id, mail.recipient),
      state: "pending",
      reason: null,
      attempts: 0,
      createdAt: now,
      deliveredAt: null,
      response: null,
      error: null,
      nextAttemptAt: now,
    };
  });
  const remark = openQuestions(whereabouts);
  return { sync: syncOf(snapshot, { ...about, events: events.length, remark }), invites, events, notifications };
}

/** Whether a snapshot taken later is recorded already. A failed poll holds no snapshot. */
function isStale(snapshot: Snapshot, known: Known): boolean {
  return snapshot.kind !== "failed" && known.lastTakenAt !== null && snapshot.takenAt < known.lastTakenAt;
}

/** What a complete sync could not find out about vanished invites, in one sentence; null where nothing is open. */
function openQuestions(whereabouts: ReadonlyMap<string, Whereabouts>): string | null {
  const unknown = [...whereabouts.values()].filter((found) => found.kind === "unknown");
  const [first] = unknown;
  if (first === undefined) return null;
  const count = unknown.length === 1 ? "1 invite is" : `${unknown.length} invites are`;
  return `${count} no longer listed and could not be asked for, so it stays open: ${first.shortfall.reason}`;
}

/** What is known of a watch that was never synced. */
export const NOTHING_KNOWN: Known = {
  head: { seq: 0, hash: GENESIS_HASH, recordedAt: null },
  hasBaseline: false,
  lastTakenAt: null,
  invites: new Map(),
  unchanged: new Set(),
  invitedBefore: new Set(),
};
