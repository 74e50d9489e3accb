/** Chance that can be played again: the same seed gives the same numbers. */

export type Chance = {
  /** Uniform in [0, 1). */
  next(): number;
  /** Whether something of this probability happens. */
  hits(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** A whole number from low to high, both included. */
  between(low: number, high: number): number;
  /** Chance of its own for a part, which others do not disturb. */
  fork(name: string): Chance;
};

/** @see https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (mulberry32) */
export function createChance(seed: string): Chance {
  let state = [...seed].reduce((hash, char) => Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193), 0x811c9dc5);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    hits: (probability) => next() < probability,
    pick: (from) => from[between(0, from.length - 1)] as (typeof from)[number],
    fork: (name) => createChance(`${seed}/${name}`),
  };
}
