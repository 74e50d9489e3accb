/** Waits for something that nobody tells of. */
import { setTimeout as delay } from "node:timers/promises";

const LOOK_EVERY_MS = 40;

/** Resolves once it is so. @throws Error that says what did not come in time */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, patienceMs = 30_000): Promise<void> {
  const endsAt = Date.now() + patienceMs;
  while (!(await isSo())) {
    if (Date.now() > endsAt) throw new Error(`waited ${patienceMs / 1000} s in vain for ${what}`);
    await delay(LOOK_EVERY_MS);
  }
}
