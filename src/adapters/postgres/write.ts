/** Writes rows by the thousand: one statement for each batch, whatever its size. */
import { setImmediate } from "node:timers/promises";
import type { Event } from "../../domain/event.ts";
import type { Invite } from "../../domain/invite.ts";
import type { Notification } from "../../domain/notification.ts";
import type { Sync } from "../../domain/sync.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import {
  type EventRow,
  eventRow,
  type InviteRow,
  inviteRow,
  type NotificationRow,
  notificationRow,
  type SyncRow,
  syncRow,
} from "./rows.ts";

/** Bounds what is in memory at once, and what a statement costs beside its rows. */
const BATCH = 500;

/** One that the database works on, and one that it finds when it is done. */
const AT_ONCE = 2;

/** Types by column. */
type Columns<Row> = { readonly [K in keyof Row]: string };

const SYNC_COLUMNS: Columns<SyncRow> = {
  id: "uuid",
  watch: "text",
  started_at: "timestamptz",
  finished_at: "timestamptz",
  outcome: "text",
  reason: "text",
  cause: "text",
  http_status: "integer",
  code: "integer",
  cf_ray: "text",
  pages: "integer",
  listed: "integer",
  total_count: "integer",
  events: "integer",
  interval_ms: "bigint",
  clock_skew_ms: "bigint",
};

const INVITE_COLUMNS: Columns<InviteRow> = {
  watch: "text",
  id: "text",
  status: "text",
  api_status: "text",
  organization_id: "text",
  organization_name: "text",
  organization_enforces_two_factor: "boolean",
  invited_member_id: "text",
  invited_member_email: "text",
  invited_by: "text",
  roles: "text[]",
  invited_at: "timestamptz",
  expires_at: "timestamptz",
  first_seen_at: "timestamptz",
  last_changed_at: "timestamptz",
  listed: "boolean",
  alerted_lead_ms: "bigint",
  missing_since: "timestamptz",
  acknowledged_at: "timestamptz",
  cautions: "text[]",
  calendar_sequence: "integer",
  fingerprint: "text",
  extra: "jsonb",
  oddities: "text[]",
};

const EVENT_COLUMNS: Columns<EventRow> = {
  watch: "text",
  seq: "integer",
  id: "uuid",
  type: "text",
  invite_id: "text",
  occurred_at: "timestamptz",
  recorded_at: "timestamptz",
  sync_id: "uuid",
  data: "jsonb",
  prev_hash: "text",
  hash: "text",
};

const NOTIFICATION_COLUMNS: Columns<NotificationRow> = {
  id: "uuid",
  watch: "text",
  sync_id: "uuid",
  recipient: "text",
  kind: "text",
  subject: "text",
  message_id: "text",
  state: "text",
  reason: "text",
  held_by: "text",
  rules: "text[]",
  covered_by: "uuid",
  attempts: "integer",
  created_at: "timestamptz",
  next_attempt_at: "timestamptz",
  released_at: "timestamptz",
  useful_until: "timestamptz",
  maybe_accepted: "boolean",
  delivered_at: "timestamptz",
  response: "text",
  error: "text",
  event_seqs: "integer[]",
};

/** An INSERT and the order in which it takes the values of a row. */
type Insertion<Row> = { readonly sql: string; readonly columns: readonly (keyof Row)[] };

const INSERT_SYNC = insertionInto("sync", SYNC_COLUMNS);
const INSERT_INVITES = insertionInto("invite", INVITE_COLUMNS);
const UPSERT_INVITES = orReplace(INSERT_INVITES, ["watch", "id"]);
const INSERT_EVENTS = insertionInto("event", EVENT_COLUMNS);
const INSERT_NOTIFICATIONS = insertionInto("notification", NOTIFICATION_COLUMNS);

/** Adds invites that are known to be new: a third faster than to find out whether they are. */
export async function addInvites(tx: Prisma.TransactionClient, invites: readonly Invite[]): Promise<void> {
  await insert(tx, INSERT_INVITES, invites, inviteRow);
}

/** Adds the invites, or replaces what is known of them. */
export async function writeInvites(tx: Prisma.TransactionClient, invites: readonly Invite[]): Promise<void> {
  await insert(tx, UPSERT_INVITES, invites, inviteRow);
}

export async function writeEvents(tx: Prisma.TransactionClient, events: readonly Event[]): Promise<void> {
  await insert(tx, INSERT_EVENTS, events, eventRow);
}

/** Moves the watch's chain head to the newest of the events; no statement where there are none. */
export async function writeHead(tx: Prisma.TransactionClient, watch: string, events: readonly Event[]): Promise<void> {
  const newest = events.at(-1);
  if (newest === undefined) return;
  const baseline = events.find((event) => event.type === "watch.baseline");
  await tx.$executeRaw`
    UPDATE watch SET head_seq = ${newest.seq}, head_hash = ${newest.hash}, head_recorded_at = ${newest.recordedAt},
      baseline_at = coalesce(baseline_at, ${baseline?.recordedAt ?? null}::timestamptz)
    WHERE name = ${watch}`;
}

export async function writeSync(tx: Prisma.TransactionClient, sync: Sync): Promise<void> {
  await insert(tx, INSERT_SYNC, [sync], syncRow);
}

export async function writeNotifications(
  tx: Prisma.TransactionClient,
  notifications: readonly Notification[],
): Promise<void> {
  await insert(tx, INSERT_NOTIFICATIONS, notifications, notificationRow);
}

/** Sends one batch after the other; while the database works on one, the next is made and sent. */
async function insert<T, Row>(
  tx: Prisma.TransactionClient,
  { sql, columns }: Insertion<Row>,
  items: readonly T[],
  rowOf: (item: T) => { readonly [K in keyof Row]: unknown },
): Promise<void> {
  const underWay: Promise<unknown>[] = [];
  for (let from = 0; from < items.length; from += BATCH) {
    const rows = items.slice(from, from + BATCH).map(rowOf);
    const values = JSON.stringify(rows.map((row) => columns.map((column) => row[column])));
    if (underWay.length === AT_ONCE) await underWay.shift();
    const sent = tx.$executeRawUnsafe(sql, values);
    // A failure is told by the await of its turn; without this it would count as told to nobody.
    sent.catch(() => {});
    underWay.push(sent);
    await setImmediate();
  }
  for (const sent of underWay) await sent;
}

/** Takes the rows as one JSON array of arrays: as jsonb, which Postgres reads in half the time of a recordset. */
function insertionInto<Row>(table: string, types: Columns<Row>): Insertion<Row> {
  const columns = Object.keys(types) as (keyof Row & string)[];
  const values = columns.map((column, position) => valueAt(position, types[column]));
  const sql = `INSERT INTO ${table} (${columns}) SELECT ${values} FROM jsonb_array_elements($1::jsonb) AS rows (row)`;
  return { sql, columns };
}

function valueAt(position: number, type: string): string {
  if (type === "text") return `row->>${position}`;
  if (type === "jsonb") return `nullif(row->${position}, 'null')`;
  if (type.endsWith("[]")) return `ARRAY(SELECT jsonb_array_elements_text(row->${position}))::${type}`;
  return `(row->>${position})::${type}`;
}

function orReplace<Row>({ sql, columns }: Insertion<Row>, key: readonly (keyof Row)[]): Insertion<Row> {
  const replaced = columns.filter((column) => !key.includes(column));
  const set = replaced.map((column) => `${String(column)} = excluded.${String(column)}`);
  return { sql: `${sql} ON CONFLICT (${key}) DO UPDATE SET ${set}`, columns };
}
