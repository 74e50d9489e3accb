/** What a sync reads of one watch. Every statement works on sets: none is made per invite. */
import type { Known, Ledger } from "../../app/store.ts";
import { NOTHING_KNOWN } from "../../app/sync.ts";
import { GENESIS_HASH } from "../../domain/chain.ts";
import { type Acquaintance, NO_ACQUAINTANCE } from "../../domain/diff.ts";
import { LARGEST_SKEW_MS } from "../../domain/elapsed.ts";
import { type ExpiryRules, lastChanceLeadMs } from "../../domain/expiry.ts";
import type { Invite } from "../../domain/invite.ts";
import type { BlindStretch, Sight } from "../../domain/sight.ts";
import type { Shortfall, Snapshot } from "../../domain/snapshot.ts";
import { inviterDomain } from "../../domain/suspicion.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import { readPlanContext } from "./plan-context.ts";
import { headOf, type InviteRow, inviteOf, type WatchRow } from "./rows.ts";

type Db = Pick<Prisma.TransactionClient, "$queryRaw">;
type WritableDb = Db & Pick<Prisma.TransactionClient, "$executeRaw">;

const DAY_MS = 86_400_000;
/** Invites that a mail about a blind watch can be concerned with. */
const MOST_AT_RISK = 100;

/** For reading alone. */
export function createLedger(db: Db, watch: string): Ledger {
  return ledgerOf(db, watch, { lock: false, find: () => readWatch(db, watch, Prisma.empty) });
}

/** In which the watch stays as it is until the transaction ends. A watch that is not known yet is made known. */
export function createLockedLedger(tx: WritableDb, watch: string): Ledger {
  const lockWatch = () => readWatch(tx, watch, Prisma.sql`FOR UPDATE`);
  const find = async (now: Date) => {
    const row = await lockWatch();
    if (row !== undefined) return row;
    await tx.$executeRaw`
      INSERT INTO watch (name, created_at, head_hash) VALUES (${watch}, ${now}, ${GENESIS_HASH})
      ON CONFLICT (name) DO NOTHING`;
    return lockWatch();
  };
  return ledgerOf(tx, watch, { lock: true, find });
}

async function readWatch(db: Db, name: string, lock: Prisma.Sql): Promise<WatchRow | undefined> {
  const [row] = await db.$queryRaw<WatchRow[]>`SELECT * FROM watch WHERE name = ${name} ${lock}`;
  return row;
}

type WatchAccess = { readonly lock: boolean; readonly find: (now: Date) => Promise<WatchRow | undefined> };

function ledgerOf(db: Db, watch: string, { lock, find }: WatchAccess): Ledger {
  return {
    async know(snapshot, rules, now) {
      const row = await find(now);
      return row === undefined ? NOTHING_KNOWN : readKnown(db, row, { watch, snapshot, rules, now });
    },
    sight: ({ blindSince }) => readSight(db, watch, blindSince),
    atRisk: (stretch) => readAtRisk(db, watch, stretch),
    planContext: (events, now) => readPlanContext(db, watch, events, { now, lock }),
  };
}

type Question = { watch: string; snapshot: Snapshot; rules: ExpiryRules; now: Date };

async function readKnown(db: Db, row: WatchRow, question: Question): Promise<Known> {
  const { watch, snapshot, now } = question;
  const { lastTakenAt, settled, unsettled } = await readCurrent(db, question);

  const unchanged = new Set<string>();
  const asked = new Set(unsettled);
  for (const { id, fingerprint } of snapshot.invites) {
    if (settled[id] === fingerprint) unchanged.add(id);
    else asked.add(id);
  }
  if (snapshot.kind === "complete") for (const id in settled) if (!unchanged.has(id)) asked.add(id);

  const invites = new Map((await readInvites(db, watch, [...asked])).map((invite) => [invite.id, invite]));
  const isUnknown = (id: string) => asked.has(id) && !invites.has(id);
  const organizations = new Set<string>();
  for (const { id, organizationId } of snapshot.invites) {
    if (organizationId !== null && isUnknown(id)) organizations.add(organizationId);
  }
  const invitedBefore = await readInvitedBefore(db, watch, [...organizations]);
  const isNew = snapshot.invites.length > unchanged.size && snapshot.invites.some(({ id }) => isUnknown(id));
  return {
    head: headOf(row),
    hasBaseline: row.baseline_at !== null,
    blindSince: row.blind_since,
    lastTakenAt,
    invites,
    unchanged,
    invitedBefore,
    acquainted:
      isNew && row.baseline_at !== null
        ? await readAcquaintance(db, {
            watch,
            baselineAt: row.baseline_at,
            now,
            met: organizations.difference(invitedBefore),
          })
        : NO_ACQUAINTANCE,
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
async function readCurrent(db: Db, { watch, rules, now }: Question): Promise<Current> {
  const [row] = await db.$queryRaw<{ taken_at: Date | null; settled: string | null; unsettled: string | null }[]>`
    SELECT
      (SELECT max(started_at) FROM sync WHERE watch = ${watch} AND outcome IN ('complete', 'incomplete')
        AND started_at <= ${now}) AS taken_at,
      json_object_agg(id, fingerprint) FILTER (WHERE settled)::text AS settled,
      json_agg(id) FILTER (WHERE NOT settled)::text AS unsettled
    FROM (
      SELECT id, fingerprint,
        listed AND status <> 'withdrawn' AND missing_since IS NULL
          AND (status = 'pending' AND (${isDue(rules, now)})) IS NOT TRUE
          AND (${endedTooSoon(now)}) IS NOT TRUE AS settled
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
  // An alert that is more urgent than the time that is left was given by a clock that ran ahead.
  const tooSoon = Prisma.sql`
    expires_at - ${after(LARGEST_SKEW_MS)} > alerted_lead_ms * interval '1 ms'`;
  const lead = (ms: number) => Prisma.sql`
    expires_at <= ${after(ms)} AND (coalesce(alerted_lead_ms > ${ms}::float8, true) OR ${tooSoon})`;
  const lifetime = Prisma.sql`(expires_at - coalesce(invited_at, first_seen_at))`;
  const share = (of: number) => Prisma.sql`
    expires_at - ${after(0)} <= ${lifetime} * ${of}::float8 + interval '1 ms'
    AND (coalesce(alerted_lead_ms > floor(extract(epoch FROM ${lifetime}) * 1000 * ${of}::float8 + 0.5), true)
      OR ${tooSoon})`;
  const crossed = thresholds.map((threshold) =>
    threshold.kind === "lead" ? lead(threshold.ms) : share(threshold.share),
  );
  return Prisma.join(
    [Prisma.sql`expires_at <= ${after(0)}`, tooSoon, lead(lastChanceLeadMs(intervalMs)), ...crossed],
    " OR ",
  );
}

/** Whether an invite ended by a clock that ran ahead: see domain/diff.ts. */
function endedTooSoon(now: Date): Prisma.Sql {
  const soon = new Date(now.getTime() + LARGEST_SKEW_MS).toISOString();
  return Prisma.sql`status = 'expired' AND lower(api_status) = 'pending' AND expires_at > ${soon}::timestamptz`;
}

/** By id; no statement where there are none to read. */
export async function readInvites(db: Db, watch: string, ids: readonly string[]): Promise<Invite[]> {
  if (ids.length === 0) return [];
  const rows = await db.$queryRaw<InviteRow[]>`
    SELECT * FROM invite
    WHERE watch = ${watch} AND id IN (SELECT json_array_elements_text(${JSON.stringify(ids)}::json)) ORDER BY id`;
  return rows.map(inviteOf);
}

async function readInvitedBefore(
  db: Db,
  watch: string,
  organizations: readonly string[],
): Promise<ReadonlySet<string>> {
  if (organizations.length === 0) return new Set();
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT DISTINCT organization_id AS id FROM invite
    WHERE watch = ${watch} AND organization_id IN (SELECT json_array_elements_text(${JSON.stringify(organizations)}::json))`;
  return new Set(rows.map((row) => row.id));
}

type Meeting = {
  readonly watch: string;
  readonly baselineAt: Date;
  readonly now: Date;
  /** Organizations that invite for the first time now. */
  readonly met: ReadonlySet<string>;
};

async function readAcquaintance(db: Db, { watch, baselineAt, now, met }: Meeting): Promise<Acquaintance> {
  const inviters = await db.$queryRaw<{ invited_by: string }[]>`
    SELECT DISTINCT substring(invited_by FROM '@[^@]*$') AS invited_by FROM invite
    WHERE watch = ${watch} AND invited_by LIKE '%@%'`;
  const since = new Date(Math.max(baselineAt.getTime(), now.getTime() - DAY_MS));
  const lately = await db.$queryRaw<{ id: string }[]>`
    SELECT organization_id AS id FROM invite WHERE watch = ${watch} AND organization_id IS NOT NULL
    GROUP BY organization_id HAVING min(first_seen_at) BETWEEN ${since} AND ${now}`;
  return {
    inviterDomains: new Set(inviters.flatMap(({ invited_by: inviter }) => inviterDomain(`x${inviter}`) ?? [])),
    organizationsLately: new Set(lately.map(({ id }) => id)).union(met).size,
  };
}

async function readSight(db: Db, watch: string, blindSince: Date | null): Promise<Sight> {
  // In the order in which they were recorded: a clock that ran ahead would hide what fell short after it was set right.
  const [last] = await db.$queryRaw<{ at: Date; ordinal: bigint }[]>`
    SELECT started_at AS at, ordinal FROM sync WHERE watch = ${watch} AND outcome = 'complete' ORDER BY ordinal DESC LIMIT 1`;
  const shortfalls = await db.$queryRaw<{ at: Date; cause: Shortfall["cause"]; reason: string | null }[]>`
    SELECT started_at AS at, cause, reason FROM sync
    WHERE watch = ${watch} AND outcome IN ('incomplete', 'failed')
      AND ordinal > ${last?.ordinal ?? -1n} ORDER BY ordinal`;
  return {
    blindSince,
    completeAt: last?.at ?? null,
    firstShortfallAt: shortfalls[0]?.at ?? null,
    causes: shortfalls.map(({ cause }) => cause),
    lastReason: shortfalls.at(-1)?.reason ?? null,
  };
}

/** Expired ones too where the stretch is over: their end was inside it. */
async function readAtRisk(db: Db, watch: string, { since, until }: BlindStretch): Promise<Invite[]> {
  const rows = await db.$queryRaw<InviteRow[]>`
    SELECT * FROM invite
    WHERE watch = ${watch} AND expires_at > ${since}
      AND (${until}::timestamptz IS NULL AND status = 'pending'
        OR expires_at <= ${until}::timestamptz AND status IN ('pending', 'expired'))
    ORDER BY expires_at LIMIT ${MOST_AT_RISK}`;
  return rows.map(inviteOf);
}
