/** Rows of the tables and our shapes, both ways. Instants travel as RFC 3339 text into the database. */
import type { ChainHead } from "../../domain/chain.ts";
import type { Event } from "../../domain/event.ts";
import type { HoldCause } from "../../domain/hold.ts";
import type { Invite } from "../../domain/invite.ts";
import type { Json, JsonObject } from "../../domain/json.ts";
import type { Notification, NotificationKind, NotificationState } from "../../domain/notification.ts";
import type { Sync, SyncOutcome } from "../../domain/sync.ts";

export type WatchRow = {
  head_seq: number;
  head_hash: string;
  head_recorded_at: Date | null;
  baseline_at: Date | null;
  blind_since: Date | null;
};

export type InviteRow = {
  watch: string;
  id: string;
  status: string;
  api_status: string | null;
  organization_id: string | null;
  organization_name: string | null;
  organization_enforces_two_factor: boolean | null;
  invited_member_id: string | null;
  invited_member_email: string | null;
  invited_by: string | null;
  roles: string[];
  invited_at: Date | null;
  expires_at: Date | null;
  first_seen_at: Date;
  last_changed_at: Date;
  listed: boolean;
  alerted_lead_ms: bigint | null;
  missing_since: Date | null;
  acknowledged_at: Date | null;
  cautions: string[];
  calendar_sequence: number;
  fingerprint: string;
  extra: JsonObject | null;
  oddities: string[];
};

export type EventRow = {
  watch: string;
  seq: number;
  id: string;
  type: string;
  invite_id: string | null;
  occurred_at: Date;
  recorded_at: Date;
  sync_id: string | null;
  data: Json;
  prev_hash: string;
  hash: string;
};

export type SyncRow = {
  id: string;
  watch: string;
  started_at: Date;
  finished_at: Date;
  outcome: string;
  reason: string | null;
  cause: string | null;
  http_status: number | null;
  code: number | null;
  cf_ray: string | null;
  pages: number;
  listed: number;
  total_count: number | null;
  events: number;
  interval_ms: bigint;
  clock_skew_ms: bigint | null;
};

export type NotificationRow = {
  id: string;
  watch: string | null;
  sync_id: string | null;
  recipient: string;
  kind: string;
  subject: string | null;
  message_id: string;
  state: string;
  reason: string | null;
  held_by: string | null;
  rules: string[];
  covered_by: string | null;
  attempts: number;
  created_at: Date;
  next_attempt_at: Date | null;
  released_at: Date | null;
  useful_until: Date | null;
  maybe_accepted: boolean;
  delivered_at: Date | null;
  response: string | null;
  error: string | null;
  /** Null of a summary that was made without any of its own. */
  event_seqs: number[] | null;
};

/** What goes into the database: as a row comes out, with instants as text. */
type Written<Row> = {
  [K in keyof Row]: Row[K] extends Date
    ? string
    : Date extends Row[K]
      ? string | null
      : Row[K] extends bigint | null
        ? number | null
        : Row[K];
};

export function headOf(row: WatchRow): ChainHead {
  return { seq: row.head_seq, hash: row.head_hash, recordedAt: row.head_recorded_at };
}

export function inviteOf(row: InviteRow): Invite {
  return {
    watch: row.watch,
    id: row.id,
    status: row.status,
    apiStatus: row.api_status,
    organizationId: row.organization_id,
    organizationName: row.organization_name,
    organizationEnforcesTwoFactor: row.organization_enforces_two_factor,
    invitedMemberId: row.invited_member_id,
    invitedMemberEmail: row.invited_member_email,
    invitedBy: row.invited_by,
    roles: row.roles,
    invitedAt: row.invited_at,
    expiresAt: row.expires_at,
    firstSeenAt: row.first_seen_at,
    lastChangedAt: row.last_changed_at,
    listed: row.listed,
    alertedLeadMs: row.alerted_lead_ms === null ? null : Number(row.alerted_lead_ms),
    missingSince: row.missing_since,
    acknowledgedAt: row.acknowledged_at,
    cautions: row.cautions,
    calendarSequence: row.calendar_sequence,
    fingerprint: row.fingerprint,
    extra: row.extra,
    oddities: row.oddities,
  };
}

export function inviteRow(invite: Invite): Written<InviteRow> {
  return {
    watch: invite.watch,
    id: invite.id,
    status: invite.status,
    api_status: invite.apiStatus,
    organization_id: invite.organizationId,
    organization_name: invite.organizationName,
    organization_enforces_two_factor: invite.organizationEnforcesTwoFactor,
    invited_member_id: invite.invitedMemberId,
    invited_member_email: invite.invitedMemberEmail,
    invited_by: invite.invitedBy,
    roles: [...invite.roles],
    invited_at: invite.invitedAt?.toISOString() ?? null,
    expires_at: invite.expiresAt?.toISOString() ?? null,
    first_seen_at: invite.firstSeenAt.toISOString(),
    last_changed_at: invite.lastChangedAt.toISOString(),
    listed: invite.listed,
    alerted_lead_ms: invite.alertedLeadMs,
    missing_since: invite.missingSince?.toISOString() ?? null,
    acknowledged_at: invite.acknowledgedAt?.toISOString() ?? null,
    cautions: [...invite.cautions],
    calendar_sequence: invite.calendarSequence,
    fingerprint: invite.fingerprint,
    extra: invite.extra,
    oddities: [...invite.oddities],
  };
}

export function eventOf(row: EventRow): Event {
  return {
    watch: row.watch,
    seq: row.seq,
    id: row.id,
    type: row.type,
    inviteId: row.invite_id,
    occurredAt: row.occurred_at,
    recordedAt: row.recorded_at,
    syncId: row.sync_id,
    data: row.data,
    prevHash: row.prev_hash,
    hash: row.hash,
  } as Event;
}

export function eventRow(event: Event): Written<EventRow> {
  return {
    watch: event.watch,
    seq: event.seq,
    id: event.id,
    type: event.type,
    invite_id: event.inviteId,
    occurred_at: event.occurredAt.toISOString(),
    recorded_at: event.recordedAt.toISOString(),
    sync_id: event.syncId,
    data: event.data as Json,
    prev_hash: event.prevHash,
    hash: event.hash,
  };
}

export function syncFrom(row: SyncRow): Sync {
  return {
    id: row.id,
    watch: row.watch,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    outcome: row.outcome as SyncOutcome,
    reason: row.reason,
    cause: row.cause as Sync["cause"],
    httpStatus: row.http_status,
    code: row.code,
    cfRay: row.cf_ray,
    pages: row.pages,
    listed: row.listed,
    totalCount: row.total_count,
    events: row.events,
    intervalMs: Number(row.interval_ms),
    clockSkewMs: row.clock_skew_ms === null ? null : Number(row.clock_skew_ms),
  };
}

export function syncRow(sync: Sync): Written<SyncRow> {
  return {
    id: sync.id,
    watch: sync.watch,
    started_at: sync.startedAt.toISOString(),
    finished_at: sync.finishedAt.toISOString(),
    outcome: sync.outcome,
    reason: sync.reason,
    cause: sync.cause,
    http_status: sync.httpStatus,
    code: sync.code,
    cf_ray: sync.cfRay,
    pages: sync.pages,
    listed: sync.listed,
    total_count: sync.totalCount,
    events: sync.events,
    interval_ms: sync.intervalMs,
    clock_skew_ms: sync.clockSkewMs === null ? null : Math.round(sync.clockSkewMs),
  };
}

export function notificationOf(row: NotificationRow): Notification {
  return {
    id: row.id,
    watch: row.watch,
    syncId: row.sync_id,
    recipient: row.recipient,
    kind: row.kind as NotificationKind,
    subject: row.subject,
    messageId: row.message_id,
    state: row.state as NotificationState,
    reason: row.reason,
    heldBy: row.held_by as HoldCause | null,
    rules: row.rules,
    coveredBy: row.covered_by,
    attempts: row.attempts,
    createdAt: row.created_at,
    nextAttemptAt: row.next_attempt_at,
    releasedAt: row.released_at,
    usefulUntil: row.useful_until,
    maybeAccepted: row.maybe_accepted,
    deliveredAt: row.delivered_at,
    response: row.response,
    error: row.error,
    eventSeqs: row.event_seqs ?? [],
  };
}

export function notificationRow(notification: Notification): Written<NotificationRow> {
  return {
    id: notification.id,
    watch: notification.watch,
    sync_id: notification.syncId,
    recipient: notification.recipient,
    kind: notification.kind,
    subject: notification.subject,
    message_id: notification.messageId,
    state: notification.state,
    reason: notification.reason,
    held_by: notification.heldBy,
    rules: [...notification.rules],
    covered_by: notification.coveredBy,
    attempts: notification.attempts,
    created_at: notification.createdAt.toISOString(),
    next_attempt_at: notification.nextAttemptAt?.toISOString() ?? null,
    released_at: notification.releasedAt?.toISOString() ?? null,
    useful_until: notification.usefulUntil?.toISOString() ?? null,
    maybe_accepted: notification.maybeAccepted,
    delivered_at: notification.deliveredAt?.toISOString() ?? null,
    response: notification.response,
    error: notification.error,
    event_seqs: [...notification.eventSeqs],
  };
}

/** Without `mime`, which is read only to be sent. */
export const NOTIFICATION_COLUMNS = [
  "id",
  "watch",
  "sync_id",
  "recipient",
  "kind",
  "subject",
  "message_id",
  "state",
  "reason",
  "held_by",
  "rules",
  "covered_by",
  "attempts",
  "created_at",
  "next_attempt_at",
  "released_at",
  "useful_until",
  "maybe_accepted",
  "delivered_at",
  "response",
  "error",
  "event_seqs",
] as const;
