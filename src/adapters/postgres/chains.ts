/** Adds events to chains outside of a sync. Every writer of a chain takes its watch's lock first. */
import { randomUUID } from "node:crypto";
import { link } from "../../domain/chain.ts";
import type { EventDraft } from "../../domain/event.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { headOf, type WatchRow } from "./rows.ts";
import { writeEvents, writeHead } from "./write.ts";

export type LockedWatch = WatchRow & { name: string };

/** Locks the watches until the transaction ends, in the order of their names; null is all. */
export function lockWatches(tx: Prisma.TransactionClient, names: readonly string[] | null): Promise<LockedWatch[]> {
  if (names === null) return tx.$queryRaw<LockedWatch[]>`SELECT * FROM watch ORDER BY name FOR UPDATE`;
  return tx.$queryRaw<LockedWatch[]>`
    SELECT * FROM watch WHERE name = ANY (${[...names]}::text[]) ORDER BY name FOR UPDATE`;
}

/** Adds the event to the chain of each watch, recorded when it occurred. */
export async function appendToChains(
  tx: Prisma.TransactionClient,
  watches: readonly LockedWatch[],
  event: EventDraft,
): Promise<void> {
  for (const row of watches) await appendToChain(tx, row, [event], event.occurredAt);
}

/** Adds the events to the watch's chain, in their order. */
export async function appendToChain(
  tx: Prisma.TransactionClient,
  watch: LockedWatch,
  drafts: readonly EventDraft[],
  recordedAt: Date,
): Promise<void> {
  const events = link(drafts, headOf(watch), { watch: watch.name, syncId: null, recordedAt, newId: randomUUID });
  await writeEvents(tx, events);
  await writeHead(tx, watch.name, events);
}
