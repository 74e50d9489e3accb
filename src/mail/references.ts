/** How a mail names the events that it tells of: `watch/seq`. */

/** No header and no line of a mail grows beyond this, in characters. */
const MAX_LENGTH = 900;
/** So many events are named one by one; beyond it, neighbours are joined to ranges. */
const MAX_SINGLE = 20;

/**
 * `ops/1, ops/2`; for many events in ranges, `ops/1-40, ops/44`; at the very end `+12` for what found no room.
 *
 * @param seqs in any order, without repeats
 */
export function formatReferences(watch: string, seqs: readonly number[]): string {
  const sorted = seqs.toSorted((a, b) => a - b);
  const ranges = sorted.length <= MAX_SINGLE ? sorted.map((seq) => ({ from: seq, to: seq })) : rangesOf(sorted);

  let text = "";
  let named = 0;
  for (const { from, to } of ranges) {
    const next = `${named === 0 ? "" : ", "}${watch}/${from === to ? from : `${from}-${to}`}`;
    if (named > 0 && text.length + next.length > MAX_LENGTH) return `${text}, +${sorted.length - named}`;
    text += next;
    named += to - from + 1;
  }
  return text;
}

function rangesOf(sorted: readonly number[]): readonly { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (const seq of sorted) {
    const last = ranges.at(-1);
    if (last && last.to + 1 === seq) last.to = seq;
    else ranges.push({ from: seq, to: seq });
  }
  return ranges;
}
