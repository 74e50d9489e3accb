/** Asks the database how things stand, for `/readyz`; without an answer in time, that is the answer. */
import { setTimeout as delay } from "node:timers/promises";
import { clocksOf } from "../app/clocks.ts";
import type { Clock } from "../app/ports.ts";
import type { Reader } from "../app/queries.ts";
import { type Shortcoming, shortcomingsOf } from "../app/readiness.ts";
import type { WatchConfig } from "../config/config.ts";
import { OVERDUE_AFTER_MS } from "../domain/notification.ts";

export type StatusReader = Pick<Reader, "watchStatuses" | "mailStatus" | "clockSkewMs">;

export type Readiness = {
  /** Who is asked from now on. */
  attach(reader: StatusReader): void;
  /** What is not as it should be; empty where the program is ready. Never rejects. */
  shortcomings(): Promise<readonly Shortcoming[]>;
};

const TIMEOUT_MS = 3_000;
/** A question that hangs for longer is asked again: the connection that it went by may be dead. */
const LOST_AFTER_MS = 30_000;

const UNREACHABLE: readonly Shortcoming[] = [
  { name: "database_unreachable", watch: null, message: "The database does not answer." },
];

type ReadinessOptions = {
  readonly watches: readonly Pick<WatchConfig, "name" | "intervalMs">[];
  readonly clock: Clock;
  /** How long the database may take to answer; 3 s by default. */
  readonly timeoutMs?: number;
};

/** Until a reader is attached, the database counts as unreachable. */
export function createReadiness({ watches, clock, timeoutMs = TIMEOUT_MS }: ReadinessOptions): Readiness {
  const startedAt = clock.now();
  let reader: StatusReader | null = null;
  let asking: { readonly answer: Promise<readonly Shortcoming[]>; readonly sinceMs: number } | null = null;

  async function read(from: StatusReader): Promise<readonly Shortcoming[]> {
    const now = clock.now();
    const overdueBefore = new Date(now.getTime() - OVERDUE_AFTER_MS);
    const [statuses, mail, databaseMs] = await Promise.all([
      from.watchStatuses(now),
      from.mailStatus(overdueBefore),
      from.clockSkewMs(),
    ]);
    const byName = new Map(statuses.map((status) => [status.watch, status]));
    const standings = watches.map(({ name, intervalMs }) => {
      const { lastCompleteAt = null, blindSince = null } = byName.get(name) ?? {};
      return { watch: name, intervalMs, lastCompleteAt, blindSince };
    });
    const clocks = clocksOf(
      databaseMs,
      watches.flatMap(({ name }) => byName.get(name) ?? []),
    );
    return shortcomingsOf({ watches: standings, mail, startedAt, clocks, now });
  }

  /** However many ask at once, the database is asked once. */
  function ask(from: StatusReader): Promise<readonly Shortcoming[]> {
    const sinceMs = performance.now();
    if (asking !== null && sinceMs - asking.sinceMs < LOST_AFTER_MS) return asking.answer;
    const mine = { answer: read(from).catch(() => UNREACHABLE), sinceMs };
    asking = mine;
    void mine.answer.then(() => {
      if (asking === mine) asking = null;
    });
    return mine.answer;
  }

  return {
    attach(given) {
      reader = given;
    },
    async shortcomings() {
      if (reader === null) return UNREACHABLE;
      const answered = new AbortController();
      const tooLate = delay(timeoutMs, UNREACHABLE, { signal: answered.signal, ref: false }).catch(() => UNREACHABLE);
      try {
        return await Promise.race([ask(reader), tooLate]);
      } finally {
        answered.abort();
      }
    },
  };
}
