/** Says that the queue failed: of the same trouble, which every worker meets at every poll, one line a minute. */
import type { Clock } from "./app/ports.ts";
import type { Logger } from "./log.ts";

const SAID_AGAIN_AFTER_MS = 60_000;

/** Takes each error of the queue. */
export function createQueueAlarm(log: Pick<Logger, "warn">, clock: Clock): (error: unknown) => void {
  let last: { readonly message: string; readonly atMs: number } | null = null;
  let unsaid = 0;
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    const atMs = clock.now().getTime();
    if (message === last?.message && Math.abs(atMs - last.atMs) < SAID_AGAIN_AFTER_MS) {
      unsaid += 1;
      return;
    }
    log.warn(
      { event: "queue.failed", err: error, ...(unsaid > 0 && { unsaid }) },
      "the queue failed; it goes on trying",
    );
    last = { message, atMs };
    unsaid = 0;
  };
}
