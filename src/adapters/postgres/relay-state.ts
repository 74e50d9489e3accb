/** The row that says whether the mail server can be reached, the same for all replicas. */
import { RELAY_WELL, type RelayState } from "../../domain/relay.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import { instant } from "./read-keyset.ts";

type Tx = Prisma.TransactionClient;

const NAME = "smtp";

/** As last written; well where nothing was. */
export async function readRelay(db: Pick<Tx, "relay">): Promise<RelayState> {
  const row = await db.relay.findUnique({ where: { name: NAME } });
  if (row === null) return RELAY_WELL;
  const { name: _, outageSince: since, outageUntil: until, ...state } = row;
  return { ...state, lastOutage: since === null || until === null ? null : { since, until } };
}

/**
 * The same, and nobody else changes it until the transaction ends. Whoever writes that a mail waits decides under this
 * lock: those whom the mail waits for have it too when they wake what waits. After the recipients' locks, before rows of
 * mails and watches.
 */
export async function lockRelay(tx: Pick<Tx, "relay" | "$queryRaw">): Promise<RelayState> {
  await tx.$queryRaw`SELECT 1 FROM relay WHERE name = ${NAME} FOR UPDATE`;
  return readRelay(tx);
}

/** Makes a probe due by then where the relay is down; one more that fails then is no step further on the schedule. */
export function probeDueAt(at: Date): Prisma.Sql {
  return Prisma.sql`
    UPDATE relay SET next_probe_at = least(next_probe_at, ${instant(at)}),
      failures = CASE WHEN next_probe_at > ${instant(at)} THEN greatest(failures - 1, 0) ELSE failures END
    WHERE name = ${NAME} AND down_since IS NOT NULL RETURNING down_since`;
}

export async function writeRelay(tx: Tx, { lastOutage, ...state }: RelayState): Promise<void> {
  const data = { ...state, outageSince: lastOutage?.since ?? null, outageUntil: lastOutage?.until ?? null };
  await tx.relay.upsert({ where: { name: NAME }, create: { name: NAME, ...data }, update: data });
}
