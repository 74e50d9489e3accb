/** Makes one piece of work of what many ask for at once: what comes while one is under way waits for the next. */
import { setTimeout as pause } from "node:timers/promises";

/** Nobody waits longer than for so many others. */
const MOST = 200;

/**
 * Asks for one item, and gets its own result.
 *
 * @param many answers in the order of the items, with undefined for those that have to be done alone
 * @param alone also for all of them where `many` fails, which is then given
 * @param gatherMs how long to wait between one piece of work and the next, so that more can join it; a function is asked each time
 */
export function createBatcher<Item, Result>(
  many: (items: readonly Item[]) => Promise<readonly (Result | undefined)[]>,
  alone: (item: Item, failure: unknown) => Promise<Result>,
  gatherMs: number | (() => number) = 0,
): (item: Item) => Promise<Result> {
  type Asked = PromiseWithResolvers<Result> & { readonly item: Item };
  let waiting: Asked[] = [];
  let working = false;

  const work = async () => {
    // Whoever asks in the same turn joins.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MOST);
      waiting = waiting.slice(MOST);
      try {
        const results = await many(batch.map(({ item }) => item));
        for (const [nth, asked] of batch.entries()) settle(asked, results[nth]);
      } catch (error) {
        for (const asked of batch) settle(asked, undefined, error);
      }
      const waitMs = typeof gatherMs === "number" ? gatherMs : gatherMs();
      if (waitMs > 0 && waiting.length < MOST) await pause(waitMs, undefined, { ref: false });
    }
    working = false;
  };
  const settle = ({ item, resolve, reject }: Asked, result: Result | undefined, failure?: unknown) => {
    if (result !== undefined) resolve(result);
    else alone(item, failure).then(resolve, reject);
  };
  return (item) => {
    const asked = { item, ...Promise.withResolvers<Result>() };
    waiting.push(asked);
    if (!working) {
      working = true;
      void work();
    }
    return asked.promise;
  };
}
