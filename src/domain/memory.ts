/** Remembers what was made last, where the same is asked for again and again. */

/**
 * What was made under the key before, or else what is made now.
 *
 * @param most so many are kept: those asked for last
 */
export function createMemory<T>(most: number): (key: string, make: () => T) => T {
  const kept = new Map<string, T>();
  return (key, make) => {
    const value = kept.has(key) ? (kept.get(key) as T) : make();
    kept.delete(key);
    kept.set(key, value);
    for (const oldest of kept.keys()) {
      if (kept.size <= most) break;
      kept.delete(oldest);
    }
    return value;
  };
}
