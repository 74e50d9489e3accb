/** One run for one watch: a row of the ledger, for a failed run too. */
import type { Shortfall, Snapshot } from "./snapshot.ts";

export type SyncOutcome = "complete" | "incomplete" | "failed" | "superseded";

export type Sync = {
  readonly id: string;
  readonly watch: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly outcome: SyncOutcome;
  /** Why it fell short, or what stayed open in a complete one; null where there is nothing to say. */
  readonly reason: string | null;
  readonly cause: Shortfall["cause"] | null;
  readonly httpStatus: number | null;
  readonly code: number | null;
  readonly cfRay: string | null;
  readonly pages: number;
  /** Invites that were read. */
  readonly listed: number;
  readonly totalCount: number | null;
  /** Events that it recorded. */
  readonly events: number;
  /** The longest stretch to the next run that the schedule allowed. */
  readonly intervalMs: number;
  /** By how much our clock was ahead of the API's, in ms, at its latest answer; null before the first. */
  readonly clockSkewMs: number | null;
};

/** The ledger's row for a poll. */
export function syncOf(
  snapshot: Snapshot,
  about: { id: string; watch: string; finishedAt: Date; events: number; intervalMs: number; remark: string | null },
): Sync {
  const shortfall = snapshot.kind === "complete" ? null : snapshot.shortfall;
  return {
    id: about.id,
    watch: about.watch,
    startedAt: snapshot.takenAt,
    finishedAt: about.finishedAt,
    outcome: snapshot.kind,
    reason: shortfall?.reason ?? about.remark,
    cause: shortfall?.cause ?? null,
    httpStatus: shortfall?.httpStatus ?? null,
    code: shortfall?.code ?? null,
    cfRay: shortfall?.cfRay ?? null,
    pages: snapshot.pages,
    listed: snapshot.invites.length,
    totalCount: snapshot.totalCount,
    events: about.events,
    intervalMs: about.intervalMs,
    clockSkewMs: snapshot.clockSkewMs,
  };
}
