/** What a sync reads and records. Every statement works on sets: none is made per invite. */
import type { Known, Recording, SyncStore } from "../../app/store.ts";
import { NOTHING_KNOWN } from "../../app/sync.ts";
import { GENESIS_HASH } from "../../domain/chain.ts";
import { type ExpiryRules, lastChanceLeadMs } from "../../domain/expiry.ts";
import type { Invite } from "../../domain/invite.ts";
import type { Snapshot } from "../../domain/snapshot.ts";
import { Prisma, type PrismaClient } from "../../generated/prisma/client.ts";
import { headOf, type InviteRow, inviteOf, type WatchRow } from "./rows.ts";
import { addInvites, writeEvents, writeHead, writeInvites, writeNotifications, writeSync } from "./write.ts";

/** Puts the jobs that deliver these notifications into the queue, as part of the transaction. */
export type EnqueueDeliveries = (tx: Prisma.TransactionClient, notificationIds: readonly string[]) => Promise<void>;

/** A sync of 100,000 new invites takes seconds; a transaction of minutes has gone wrong. */
const TRANSACTION = { timeout: 120_000, maxWait: 20_000 };

export function createSyncStore(prisma: PrismaClient, enqueueDeliveries: EnqueueDeliveries): SyncStore {
  return {
    async ensureWatch(name, now) {
      await prisma.$executeRaw`
        INSERT INTO watch (name, created_at, head_hash) VALUES (${name}, ${now}, ${GENESIS_HASH})
        ON CONFLICT (name) DO NOTHING`;
    },

    async lastSyncs(watch) {
      const [row] = await prisma.$queryRaw<{ complete_at: Date | null; any_at: Date | null }[]>`
        SELECT max(started_at) FILTER (WHERE outcome = 'complete') AS complete_at, max(started_at) AS any_at
        FROM sync WHERE watch = ${watch}`;
      return { completeAt: row?.complete_at ?? null, anyAt: row?.any_at ?? null };
    },

    async missing(watch, listedIds) {
      const listed = new Set(listedIds);
      const [row] = await prisma.$queryRaw<{ ids: string[] }[]>`
        SELECT coalesce(json_agg(id), '[]') AS ids FROM invite WHERE watch = ${watch} AND status = 'pending'`;
      return readInvites(prisma, watch, row?.ids.filter((id) => !listed.has(id)) ?? []);
    },

    async know(watch, snapshot, rules, now) {
      const [row] = await prisma.$queryRaw<WatchRow[]>`SELECT * FROM watch WHERE name = ${watch}`;
      return row === undefined ? NOTHING_KNOWN : readKnown(prisma, row, { watch, snapshot, rules, now });
    },

    record(watch, snapshot, rules, now, decide) {
      return prisma.$transaction(async (tx) => {
        const [row] = await tx.$queryRaw<WatchRow[]>`SELECT * FROM watch WHERE name = ${watch} FOR UPDATE`;
        if (row === undefined) throw new Error(`the watch ${watch} is not in the database`);
        const at = now();
        const known = await readKnown(tx, row, { watch, snapshot, rules, now: at });
        const recording = decide(known, at);
        await write(tx, { watch, known, recording, enqueueDeliveries });
        return recording;
      }, TRANSACTION);
    },
  };
}

type Question = { watch: string; snapshot: Snapshot; rules: ExpiryRules; now: Date };

async function readKnown(tx: Prisma.TransactionClient, row: WatchRow, question: Question): Promise<Known> {
  const { watch, snapshot } = question;
  const { lastTakenAt, settled, unsettled } = await readCurrent(tx, question);

  const unchanged = new Set<string>();
  const asked = new Set(unsettled);
  for (const { id, fingerprint } of snapshot.invites) {
    if (settled[id] === fingerprint) unchanged.add(id);
    else asked.add(id);
  }
  if (snapshot.kind === "complete") for (const id in settled) if (!unchanged.has(id)) asked.add(id);

  const invites = new Map((await readInvites(tx, watch, [...asked])).map((invite) => [invite.id, invite]));
  const organizations = new Set<string>();
  for (const { id, organizationId } of snapshot.invites) {
    if (organizationId !== null && asked.has(id) && !invites.has(id)) organizations.add(organizationId);
  }
  return {
    head: headOf(row),
    hasBaseline: row.baseline_at !== null,
    lastTakenAt,
    invites,
    unchanged,
    invitedBefore: await readInvitedBefore(tx, watch, [...organizations]),
  };
}

type Current = {
  readonly lastTakenAt: Date | null;
  /** Fingerprints, by id, of listed invites that stay as they are if the list says the same of them again. */
  readonly settled: { readonly [id: string]: string };
  /** Ids of the other listed or pending ones: whatever the list says, there is something to decide. */
  readonly unsettled: readonly string[];
};

/** What any snapshot is compared with, in one row: of 100,000 settled invites none is read. */
async function readCurrent(tx: Prisma.TransactionClient, { watch, rules, now }: Question): Promise<Current> {
  const [row] = await tx.$queryRaw<{ taken_at: Date | null; settled: string | null; unsettled: string | null }[]>`
    SELECT
      (SELECT max(started_at) FROM sync WHERE watch = ${watch} AND outcome IN ('complete', 'incomplete')) AS taken_at,
      json_object_agg(id, fingerprint) FILTER (WHERE settled)::text AS settled,
      json_agg(id) FILTER (WHERE NOT settled)::text AS unsettled
    FROM (
      SELECT id, fingerprint,
        listed AND status <> 'withdrawn' AND missing_since IS NULL
          AND (status = 'pending' AND (${isDue(rules, now)})) IS NOT TRUE AS settled
      FROM invite WHERE watch = ${watch} AND (listed OR status = 'pending')
    ) AS current`;
  return {
    lastTakenAt: row?.taken_at ?? null,
    settled: JSON.parse(row?.settled ?? "{}"),
    unsettled: JSON.parse(row?.unsettled ?? "[]"),
  };
}

/** Whether a pending invite ended, or crossed a lead that is more urgent than what was alerted: see domain/expiry.ts. */
function isDue({ thresholds, intervalMs }: ExpiryRules, now: Date): Prisma.Sql {
  const after = (ms: number) => Prisma.sql`${new Date(now.getTime() + ms).toISOString()}::timestamptz`;
  const lead = (ms: number) => Prisma.sql`
    expires_at <= ${after(ms)} AND coalesce(alerted_lead_ms > ${ms}::float8, true)`;
  const lifetime = Prisma.sql`(expires_at - coalesce(invited_at, first_seen_at))`;
  const share = (of: number) => Prisma.sql`
    expires_at - ${after(0)} <= ${lifetime} * ${of}::float8 + interval '1 ms'
    AND coalesce(alerted_lead_ms > floor(extract(epoch FROM ${lifetime}) * 1000 * ${of}::float8 + 0.5), true)`;
  const crossed = thresholds.map((threshold) =>
    threshold.kind === "lead" ? lead(threshold.ms) : share(threshold.share),
  );
  return Prisma.join([Prisma.sql`expires_at <= ${after(0)}`, lead(lastChanceLeadMs(intervalMs)), ...crossed], " OR ");
}

/** By id; no statement where there are none to read. */
async function readInvites(
  db: Pick<Prisma.TransactionClient, "$queryRaw">,
  watch: string,
  ids: readonly string[],
): Promise<Invite[]> {
  if (ids.length === 0) return [];
  const rows = await db.$queryRaw<InviteRow[]>`
    SELECT * FROM invite
    WHERE watch = ${watch} AND id IN (SELECT json_array_elements_text(${JSON.stringify(ids)}::json)) ORDER BY id`;
  return rows.map(inviteOf);
}

async function readInvitedBefore(
  tx: Prisma.TransactionClient,
  watch: string,
  organizations: readonly string[],
): Promise<ReadonlySet<string>> {
  if (organizations.length === 0) return new Set();
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT DISTINCT organization_id AS id FROM invite
    WHERE watch = ${watch} AND organization_id IN (SELECT json_array_elements_text(${JSON.stringify(organizations)}::json))`;
  return new Set(rows.map((row) => row.id));
}

type Writing = { watch: string; known: Known; recording: Recording; enqueueDeliveries: EnqueueDeliveries };

async function write(
  tx: Prisma.TransactionClient,
  { watch, known, recording, enqueueDeliveries }: Writing,
): Promise<void> {
  const { sync, invites, events, notifications } = recording;
  await writeSync(tx, sync);
  await addInvites(
    tx,
    invites.filter(({ id }) => !known.invites.has(id)),
  );
  await writeInvites(
    tx,
    invites.filter(({ id }) => known.invites.has(id)),
  );
  await writeEvents(tx, events);
  await writeHead(tx, watch, events);
  if (notifications.length === 0) return;
  await writeNotifications(tx, notifications);
  await enqueueDeliveries(
    tx,
    notifications.map((notification) => notification.id),
  );
}
