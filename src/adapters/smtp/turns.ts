/** Lets so many at a time do their work, several in one go where many wait: what they write at first is then one write. */

export type Turns = {
  <T>(work: () => Promise<T>): Promise<T>;
  /** Lets nobody in any more: whoever waits or comes is rejected with the error. */
  end(error: Error): void;
};

/**
 * Runs work when its turn has come, in the order in which it was asked for.
 *
 * @param most at a time
 * @param together while more than these wait, so many are let in at once
 */
export function createTurns(most: number, together: number): Turns {
  const waiting: PromiseWithResolvers<void>[] = [];
  let ended: Error | null = null;
  let free = most;
  const letIn = () => {
    if (free < Math.min(together, waiting.length)) return;
    for (const turn of waiting.splice(0, free)) {
      free -= 1;
      turn.resolve();
    }
  };
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (ended !== null) throw ended;
    const turn = Promise.withResolvers<void>();
    waiting.push(turn);
    letIn();
    await turn.promise;
    try {
      return await work();
    } finally {
      free += 1;
      letIn();
    }
  };
  const end = (error: Error) => {
    ended = error;
    for (const turn of waiting.splice(0)) turn.reject(error);
  };
  return Object.assign(inTurn, { end });
}
