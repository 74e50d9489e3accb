/**
 * One sync of one watch: fetch, prove, diff, record.
 *
 * The network comes before the transaction; the transaction holds everything that the sync adds, or nothing of it.
 */
import { GENESIS_HASH, link } from "../domain/chain.ts";
import { diff, NO_ACQUAINTANCE } from "../domain/diff.ts";
import type { EventDraft } from "../domain/event.ts";
import type { ExpiryRules } from "../domain/expiry.ts";
import type { Invite } from "../domain/invite.ts";
import type { Notification } from "../domain/notification.ts";
import { type Audience, type PlannedMail, planMails } from "../domain/plan.ts";
import { sightEvent, tellableStretch } from "../domain/sight.ts";
import type { Snapshot, Whereabouts } from "../domain/snapshot.ts";
import { syncOf } from "../domain/sync.ts";
import type { Clock, InviteSource } from "./ports.ts";
import type { Known, Ledger, Recording, SyncStore } from "./store.ts";

/** What a sync needs to know of its watch. */
export type SyncPlan = {
  readonly watch: string;
  readonly audience: Audience;
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
  const observation = await observe(plan, ports, stop);
  stop.throwIfAborted();
  return ports.store.record(plan.watch, (ledger) => decide(plan, observation, ledger, ports));
}

/** What a sync would record now; changes nothing. */
export async function rehearseSync(plan: SyncPlan, ports: SyncPorts, stop: AbortSignal): Promise<Recording> {
  const observation = await observe(plan, ports, stop);
  return decide(plan, observation, ports.store.ledger(plan.watch), ports);
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

/** What the sync adds to what is known. */
async function decide(
  plan: SyncPlan,
  { snapshot, whereabouts }: Observation,
  ledger: Ledger,
  { clock, newId }: Pick<SyncPorts, "clock" | "newId">,
): Promise<Recording> {
  const { watch, rules } = plan;
  const now = clock.now();
  const known = await ledger.know(snapshot, rules, now);
  const syncId = newId();
  const about = { id: syncId, watch, finishedAt: now, intervalMs: rules.intervalMs };
  if (isStale(snapshot, known)) {
    const sync = { ...syncOf(snapshot, { ...about, events: 0, remark: null }), outcome: "superseded" as const };
    return { ...NOTHING_NEW, sync: { ...sync, reason: "a snapshot taken later is already recorded" } };
  }

  const { events: observed, invites } = diff({
    watch,
    snapshot,
    whereabouts,
    known: known.invites,
    unchanged: known.unchanged,
    invitedBefore: known.invitedBefore,
    acquainted: known.acquainted,
    hasBaseline: known.hasBaseline,
    rules,
    now,
  });
  const sight = await lookAtSight(snapshot, known, ledger, now);
  const events = link([...observed, ...sight.events], known.head, { watch, syncId, recordedAt: now, newId });

  const current = new Map([
    ...known.invites,
    ...[...sight.atRisk, ...invites].map((invite) => [invite.id, invite] as const),
  ]);
  const { mails, suppressions } = planMails({
    watch,
    events,
    inviteOf: (id) => current.get(id) ?? null,
    audience: plan.audience,
    context: await ledger.planContext(events, now),
    now,
  });
  return {
    sync: syncOf(snapshot, { ...about, events: events.length, remark: openQuestions(whereabouts) }),
    newInvites: invites.filter(({ id }) => !known.invites.has(id)),
    changedInvites: invites.filter(({ id }) => known.invites.has(id)),
    events,
    notifications: mails.map((mail) => owed(mail, { plan, syncId, now, newId })),
    suppressions,
    atRisk: sight.atRisk,
  };
}

const NOTHING_NEW: Omit<Recording, "sync"> = {
  newInvites: [],
  changedInvites: [],
  events: [],
  notifications: [],
  suppressions: [],
  atRisk: [],
};

/** What there is to tell about whether the watch sees, and the invites that this concerns. */
async function lookAtSight(
  snapshot: Snapshot,
  known: Known,
  ledger: Ledger,
  now: Date,
): Promise<{ readonly events: readonly EventDraft[]; readonly atRisk: readonly Invite[] }> {
  const { takenAt } = snapshot;
  const shortfall = snapshot.kind === "complete" ? null : snapshot.shortfall;
  const wasBlind = known.blindSince !== null;
  // It sees as before, or is as blind as people know.
  if (wasBlind === (shortfall !== null)) return { events: [], atRisk: [] };
  const sight = await ledger.sight(known);
  const stretch = tellableStretch(sight, { takenAt, shortfall }, now);
  if (stretch === null) return { events: [], atRisk: [] };
  const atRisk = await ledger.atRisk(stretch);
  const reason = shortfall?.reason ?? sight.lastReason ?? "the last poll fell short";
  return { events: [sightEvent(stretch, { takenAt, reason, atRisk: atRisk.map(({ id }) => id) })], atRisk };
}

type Owing = { readonly plan: SyncPlan; readonly syncId: string; readonly now: Date; readonly newId: () => string };

/** The outbox row of a planned mail. */
function owed({ hold, ...mail }: PlannedMail, { plan, syncId, now, newId }: Owing): Notification {
  const id = newId();
  return {
    ...mail,
    id,
    watch: plan.watch,
    syncId,
    subject: null,
    messageId: plan.messageId(id, mail.recipient),
    state: "pending",
    reason: hold?.reason ?? null,
    heldBy: hold?.cause ?? null,
    coveredBy: null,
    attempts: 0,
    createdAt: now,
    deliveredAt: null,
    response: null,
    error: null,
    nextAttemptAt: hold?.until ?? now,
    releasedAt: null,
    usefulUntil: null,
    maybeAccepted: false,
  };
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
  blindSince: null,
  lastTakenAt: null,
  invites: new Map(),
  unchanged: new Set(),
  invitedBefore: new Set(),
  acquainted: NO_ACQUAINTANCE,
};
