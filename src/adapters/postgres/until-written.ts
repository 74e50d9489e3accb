/** Writes what must not be forgotten, also where the database is away for a while. */
import { setTimeout as pause } from "node:timers/promises";

const PATIENCE_MS = 60_000;
const AGAIN_AFTER_MS = 500;

/** What the write comes to; where it fails it is done again until it does not, or patience is at its end. */
export async function untilWritten<T>(write: () => Promise<T>): Promise<T> {
  const givesUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (performance.now() > givesUpAt) throw error;
    }
    await pause(AGAIN_AFTER_MS);
  }
}
