/**
 * In which share of some time syncs were complete, and the gaps.
 *
 * A gap opens at a complete sync when the next sync of its watch fell short, or came later than 1.5 × the interval
 * and a minute; it ends at the next complete sync. Superseded syncs say nothing. Instants are when syncs started:
 * that is when their snapshot was taken.
 */

/** A complete sync is late when the one before it is older than `factor` × its interval + `graceMs`. */
export const LATENESS = { factor: 1.5, graceMs: 60_000 };

/** Reason of a gap in which no sync fell short. */
const NO_SYNC = "no sync ran";

/** A stretch from one complete sync to the next, in which something was amiss. */
export type Outage = {
  readonly watch: string;
  /** The complete sync before it; null where there was none yet. */
  readonly since: Date | null;
  /** The complete sync after it; null where there is none yet. */
  readonly until: Date | null;
  /** Of the complete sync before it, in ms. */
  readonly intervalMs: number | null;
  /** How many syncs fell short in it. */
  readonly shortfalls: number;
  /** Of the first that fell short. */
  readonly reason: string | null;
};

/** A watch and its first sync, whatever that came to; null before there was one. */
export type WatchSpan = { readonly watch: string; readonly firstSyncAt: Date | null };

/** A stretch of time in which no complete snapshot was had. */
export type Gap = {
  readonly watch: string;
  readonly since: Date;
  /** Null while it is open. */
  readonly until: Date | null;
  /** Of the first sync that fell short. */
  readonly reason: string;
  /** How many fell short. */
  readonly syncs: number;
};

export type Asked = {
  /** Null: from each watch's first sync. */
  readonly since: Date | null;
  /** Not later than `now`. */
  readonly until: Date;
  readonly now: Date;
};

export type Coverage = {
  /** The first instant that was asked for; null where there is none. */
  readonly since: Date | null;
  readonly until: Date;
  /** 0 to 1, over all the watches' time; 0 where no time was asked for. */
  readonly share: number;
  readonly watches: readonly { readonly watch: string; readonly since: Date | null; readonly share: number }[];
  /** By their beginning; those of one watch do not overlap. Their bounds may lie outside the time asked for. */
  readonly gaps: readonly Gap[];
};

/** The coverage of the asked time, given every outage of these watches that reaches into it. */
export function coverageOf(spans: readonly WatchSpan[], outages: readonly Outage[], asked: Asked): Coverage {
  const outagesOf = Map.groupBy(outages, (outage) => outage.watch);
  const gaps: Gap[] = [];
  const watches = spans.map(({ watch, firstSyncAt }) => {
    const since = asked.since ?? firstSyncAt;
    const ownGaps = gapsOf({ watch, firstSyncAt }, outagesOf.get(watch) ?? [], asked);
    gaps.push(...ownGaps);
    const askedMs = since === null ? 0 : Math.max(0, asked.until.getTime() - since.getTime());
    const missedMs = since === null ? 0 : ownGaps.reduce((sum, gap) => sum + overlapMs(gap, since, asked.until), 0);
    return { watch, since, askedMs, coveredMs: askedMs - missedMs };
  });
  return {
    since: earliest(watches.flatMap(({ since }) => since ?? [])),
    until: asked.until,
    share: shareOf(watches),
    watches: watches.map((entry) => ({ watch: entry.watch, since: entry.since, share: shareOf([entry]) })),
    gaps: gaps.sort((a, b) => a.since.getTime() - b.since.getTime()),
  };
}

/** One watch's gaps that reach into the asked time, by their beginning. */
function gapsOf({ watch, firstSyncAt }: WatchSpan, outages: readonly Outage[], asked: Asked): Gap[] {
  if (firstSyncAt === null) {
    return asked.since === null ? [] : [{ watch, since: asked.since, until: null, reason: NO_SYNC, syncs: 0 }];
  }
  const stretches = [...outages];
  if (!stretches.some((outage) => outage.since === null) && asked.since !== null && asked.since < firstSyncAt) {
    stretches.push({ watch, since: null, until: firstSyncAt, intervalMs: null, shortfalls: 0, reason: null });
  }
  return stretches
    .filter((outage) => isGap(outage, asked.now))
    .map((outage): Gap => {
      const since = outage.since ?? earliest([firstSyncAt, asked.since ?? firstSyncAt]) ?? firstSyncAt;
      return { watch, since, until: outage.until, reason: outage.reason ?? NO_SYNC, syncs: outage.shortfalls };
    })
    .filter((gap) => gap.since < asked.until && (asked.since === null || gap.until === null || gap.until > asked.since))
    .sort((a, b) => a.since.getTime() - b.since.getTime());
}

/** Whether the stretch has no complete snapshot for longer than its schedule explains. */
function isGap(outage: Omit<Outage, "watch" | "reason">, now: Date): boolean {
  if (outage.shortfalls > 0 || outage.since === null || outage.intervalMs === null) return true;
  const lateAfterMs = outage.intervalMs * LATENESS.factor + LATENESS.graceMs;
  return (outage.until ?? now).getTime() - outage.since.getTime() > lateAfterMs;
}

function overlapMs(gap: Gap, since: Date, until: Date): number {
  const from = Math.max(gap.since.getTime(), since.getTime());
  const to = Math.min(gap.until?.getTime() ?? Number.POSITIVE_INFINITY, until.getTime());
  return Math.max(0, to - from);
}

function shareOf(times: readonly { readonly askedMs: number; readonly coveredMs: number }[]): number {
  const askedMs = times.reduce((sum, time) => sum + time.askedMs, 0);
  return askedMs === 0 ? 0 : times.reduce((sum, time) => sum + time.coveredMs, 0) / askedMs;
}

function earliest(instants: readonly Date[]): Date | null {
  return instants.reduce<Date | null>((first, at) => (first === null || at < first ? at : first), null);
}
