/** What many measurements come to. */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [below, above] = [sorted[middle - 1], sorted[middle]];
  if (above === undefined) throw new Error("there is no median of nothing");
  return sorted.length % 2 === 1 || below === undefined ? above : (below + above) / 2;
}

/** The smallest value that this share of all does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const at = values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1];
  if (at === undefined) throw new Error("there is no quantile of nothing");
  return at;
}
