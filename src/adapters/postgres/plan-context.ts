/** What earlier syncs and people left behind that bears on who is mailed about new events. */
import type { Event } from "../../domain/event.ts";
import { FLAP_WINDOW_MS, isTurn, TURNS } from "../../domain/hold.ts";
import { isOutcome, type PlanContext } from "../../domain/plan.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { readSilencesInForce } from "./read-silences.ts";

type Db = Pick<Prisma.TransactionClient, "$queryRaw">;

/**
 * No statement where there are no events, and none for what the events do not ask.
 *
 * @param lock whether what is planned will be recorded
 */
export async function readPlanContext(
  db: Db,
  watch: string,
  events: readonly Event[],
  { now, lock }: { readonly now: Date; readonly lock: boolean },
): Promise<PlanContext> {
  const idsOf = (asks: (event: Event) => boolean) => [
    ...new Set(events.filter(asks).flatMap(({ inviteId }) => inviteId ?? [])),
  ];
  return {
    silences: events.length === 0 ? [] : await readSilencesInForce(db, now, { lock }),
    told: await readTold(db, watch, idsOf(isOutcome)),
    turns: await readTurns(db, watch, idsOf(isTurn), now),
  };
}

/** Who was owed a mail that told of the invite; one that was cancelled counts where another took its place. */
async function readTold(
  db: Db,
  watch: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  if (ids.length === 0) return new Map();
  const rows = await db.$queryRaw<{ id: string; recipients: string[] }[]>`
    SELECT e.invite_id AS id, array_agg(DISTINCT n.recipient) AS recipients
    FROM notification n CROSS JOIN LATERAL unnest(n.event_seqs) AS told (seq)
    JOIN event e ON e.watch = n.watch AND e.seq = told.seq
    WHERE n.watch = ${watch} AND (n.state <> 'cancelled' OR n.covered_by IS NOT NULL)
      AND n.created_at >= (SELECT min(first_seen_at) FROM invite WHERE watch = ${watch} AND id = ANY (${ids}::text[]))
      AND e.invite_id = ANY (${ids}::text[])
    GROUP BY e.invite_id`;
  return new Map(rows.map(({ id, recipients }) => [id, new Set(recipients)]));
}

async function readTurns(
  db: Db,
  watch: string,
  ids: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await db.$queryRaw<{ id: string; turns: number }[]>`
    SELECT invite_id AS id, count(*)::int AS turns FROM event
    WHERE watch = ${watch} AND invite_id = ANY (${ids}::text[])
      AND type = ANY (${[...TURNS]}::text[])
      AND occurred_at > ${new Date(now.getTime() - FLAP_WINDOW_MS)} AND occurred_at <= ${now}
    GROUP BY invite_id`;
  return new Map(rows.map(({ id, turns }) => [id, turns]));
}
