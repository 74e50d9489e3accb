/** The row that says whether the mail server can be reached, the same for all replicas. */
import { PROBE_LEASE_MS, RELAY_WELL, type RelayState } from "../../domain/relay.ts";
import type { Prisma } from "../../generated/prisma/client.ts";

type Tx = Prisma.TransactionClient;

const NAME = "smtp";

/** As last written; well where nothing was. */
export async function readRelay(db: Pick<Tx, "relay">): Promise<RelayState> {
  const row = await db.relay.findUnique({ where: { name: NAME } });
  if (row === null) return RELAY_WELL;
  const { downSince, failures, nextProbeAt, error, outageSince: since, outageUntil: until } = row;
  const lastOutage = since === null || until === null ? null : { since, until };
  return { downSince, failures, nextProbeAt, error, lastOutage };
}

/** Takes the probe that is due; false where another mail took it first. */
export async function takeProbe(tx: Tx, { nextProbeAt }: RelayState, now: Date): Promise<boolean> {
  const { count } = await tx.relay.updateMany({
    where: { name: NAME, nextProbeAt },
    data: { nextProbeAt: new Date(now.getTime() + PROBE_LEASE_MS) },
  });
  return count === 1;
}

export async function writeRelay(tx: Tx, { lastOutage, ...state }: RelayState): Promise<void> {
  const data = { ...state, outageSince: lastOutage?.since ?? null, outageUntil: lastOutage?.until ?? null };
  await tx.relay.upsert({ where: { name: NAME }, create: { name: NAME, ...data }, update: data });
}
