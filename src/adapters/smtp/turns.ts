/** Lets so many at a time do their work, several in one go where many wait: what they write at first is then one write. */

/**
 * Runs work when its turn has come, in the order in which it was asked for.
 *
 * @param most at a time
 * @param together while more than these wait, so many are let in at once
 */
export function createTurns(most: number, together: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = most;
  const letIn = () => {
    if (free < Math.min(together, waiting.length)) return;
    for (const enter of waiting.splice(0, free)) {
      free -= 1;
      enter();
    }
  };
  return async (work) => {
    await new Promise<void>((enter) => {
      waiting.push(enter);
      letIn();
    });
    try {
      return await work();
    } finally {
      free += 1;
      letIn();
    }
  };
}
