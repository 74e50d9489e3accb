/** What others bring while we are at work: handed over together, in the order in which it came. */
export type Arrivals<T> = AsyncIterable<readonly T[]> & {
  put(item: T): void;
  /** Nothing more will come. */
  close(): void;
};

/** Yields all that has come since the last look, at least one; ends once it is closed and all is handed over. */
export function createArrivals<T>(): Arrivals<T> {
  const arrived: T[] = [];
  let closed = false;
  let change = Promise.withResolvers<void>();
  const tell = () => {
    change.resolve();
    change = Promise.withResolvers();
  };
  return {
    put(item) {
      arrived.push(item);
      tell();
    },
    close() {
      closed = true;
      tell();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        if (arrived.length > 0) yield arrived.splice(0);
        else if (closed) return;
        else await change.promise;
      }
    },
  };
}
