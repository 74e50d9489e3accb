/** Work on several items at once, of which one that fails concerns no other. */

/**
 * What became of each item: of all by one piece of work, or of each by its own where that fails.
 *
 * @param mayRepeat whether the failure of the work on all of them leaves nothing done and says nothing of each
 */
export async function settleEach<Item, Result>(
  items: readonly Item[],
  work: (items: readonly Item[]) => Promise<readonly Result[]>,
  { mayRepeat = () => true }: { readonly mayRepeat?: (error: unknown) => boolean } = {},
): Promise<readonly PromiseSettledResult<Result>[]> {
  if (items.length === 0) return [];
  try {
    return (await work(items)).map((value) => ({ status: "fulfilled", value }));
  } catch (reason) {
    if (items.length === 1 || !mayRepeat(reason)) return items.map(() => ({ status: "rejected", reason }));
  }
  const results: PromiseSettledResult<Result>[] = [];
  for (const item of items) results.push(...(await settleEach([item], work)));
  return results;
}
