/** Writes what must not be forgotten, also where the database is away for a while. */
import { setTimeout as pause } from "node:timers/promises";

const PATIENCE_MS = 60_000;
const AGAIN_AFTER_MS = 500;

/** Until when it is tried, by `performance`. */
export function endOfPatience(): number {
  return performance.now() + PATIENCE_MS;
}

/** What the write comes to; where it fails it is done again until it does not, or patience is at its end. */
export async function untilWritten<T>(write: () => Promise<T>, patienceEndsMs: number): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (performance.now() > patienceEndsMs) throw error;
    }
    await pause(AGAIN_AFTER_MS);
  }
}
