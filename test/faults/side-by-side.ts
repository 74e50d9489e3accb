/** Does so many pieces of work at a time. */

/** Takes the next piece whenever one is done, until there are none; rejects with the first failure. */
export async function sideBySide<T>(
  pieces: Iterable<T>,
  atOnce: number,
  work: (piece: T) => Promise<void>,
): Promise<void> {
  const iterator = pieces[Symbol.iterator]();
  const worker = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
