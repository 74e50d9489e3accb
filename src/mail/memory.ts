/** Remembers what was made last of what is asked for again and again, such as the mail that goes to many. */

/**
 * What was made under the key, or else what is made now.
 *
 * @param most how many are kept: the ones asked for last
 */
export function createMemory<T>(most: number): (key: string, make: () => T) => T {
  const kept = new Map<string, T>();
  return (key, make) => {
    const value = kept.has(key) ? (kept.get(key) as T) : make();
    kept.delete(key);
    kept.set(key, value);
    for (const [oldest] of kept) {
      if (kept.size <= most) break;
      kept.delete(oldest);
    }
    return value;
  };
}
