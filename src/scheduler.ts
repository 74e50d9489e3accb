/**
 * Runs what is scheduled when its slot has come.
 *
 * One timer for all schedules. It looks at the clock twice a minute at the least, so that a clock that was set, and a
 * machine that slept, are noticed by comparing it with the monotonic clock.
 */
import type { Clock } from "./app/ports.ts";
import type { Logger } from "./log.ts";
import { planLook } from "./schedule/plan.ts";
import { type Slots, slotsOf } from "./schedule/slots.ts";

export type Scheduled = {
  readonly expression: string;
  readonly timezone: string;
  /** Each run waits for a random time of up to so long. */
  readonly jitterMs: number;
  readonly run: (slot: Date) => void;
};

export type SchedulerPorts = {
  readonly clock: Clock;
  /** Goes on evenly whatever the clock is set to. */
  readonly monotonicMs: () => number;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
  readonly log: Pick<Logger, "warn">;
};

export type Scheduler = {
  /** Runs it from now on. @returns its next slot */
  add(scheduled: Scheduled): Date;
  /** Looks at the clock now. */
  look(): void;
  close(): void;
};

type Entry = Scheduled & { readonly slots: Slots; next: Date };

const LOOK_EVERY_MS = 30_000;
/** Clocks are corrected by less all the time. */
const JUMP_MS = 10_000;
/** Being late by less, as a busy machine is, is not worth a line. */
const LATE_MS = 60_000;

export function createScheduler({ clock, monotonicMs, chance, log }: SchedulerPorts): Scheduler {
  const entries: Entry[] = [];
  const waiting = new Set<NodeJS.Timeout>();
  let timer: NodeJS.Timeout | undefined;
  let last = { at: clock.now(), monotonicMs: monotonicMs() };

  /** By how much the clock was set since it was last looked at; 0 where it goes as it should. */
  function jumpSince(now: Date): number {
    const nowMs = monotonicMs();
    const jumpMs = now.getTime() - last.at.getTime() - (nowMs - last.monotonicMs);
    last = { at: now, monotonicMs: nowMs };
    return Math.abs(jumpMs) < JUMP_MS ? 0 : Math.round(jumpMs);
  }

  function start({ run, jitterMs }: Entry, slot: Date): void {
    if (jitterMs === 0) {
      run(slot);
      return;
    }
    const delay = setTimeout(
      () => {
        waiting.delete(delay);
        run(slot);
      },
      Math.floor(chance() * jitterMs),
    );
    waiting.add(delay);
  }

  function look(): void {
    const now = clock.now();
    const jumpMs = jumpSince(now);
    let late = 0;
    for (const entry of entries) {
      const expected = entry.next;
      const { run, next } = planLook(entry.slots, expected, { now, setBack: jumpMs < 0 });
      entry.next = next;
      if (run === null) continue;
      if (now.getTime() - expected.getTime() >= LATE_MS) late += 1;
      start(entry, run);
    }
    if (jumpMs !== 0) {
      const what = "the clock was set, or the machine slept; what was due meanwhile is done once";
      log.warn({ event: "clock.jumped", byMs: jumpMs, schedulesDue: late }, what);
    } else if (late > 0) {
      log.warn({ event: "schedule.late", schedulesDue: late }, "slots passed unnoticed; what was due is done once");
    }
    arm(now);
  }

  function arm(now: Date): void {
    clearTimeout(timer);
    const nextMs = entries.reduce((first, { next }) => Math.min(first, next.getTime()), Number.POSITIVE_INFINITY);
    timer = setTimeout(look, Math.max(1, Math.min(nextMs - now.getTime(), LOOK_EVERY_MS)));
  }

  return {
    add(scheduled) {
      const now = clock.now();
      const slots = slotsOf(scheduled.expression, scheduled.timezone);
      const next = slots.after(now);
      entries.push({ ...scheduled, slots, next });
      arm(now);
      return next;
    },
    look,
    close() {
      clearTimeout(timer);
      for (const delay of waiting) clearTimeout(delay);
      entries.length = 0;
    },
  };
}
