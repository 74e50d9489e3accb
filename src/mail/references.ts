/** How a mail names the events that it tells of: `watch/seq`. */
import type { Event } from "../domain/event.ts";

/** No header and no line of a mail grows beyond this, in characters. */
const MAX_LENGTH = 900;
/** So many events are named one by one; beyond it, neighbours are joined to ranges. */
const MAX_SINGLE = 20;

type Range = { readonly watch: string; readonly from: number; to: number };

/**
 * `lab/7, ops/1, ops/2`; for many events in ranges, `ops/1-40, ops/44`; at the very end `+12` for what found no room.
 *
 * @param events in any order, without repeats
 * @param nameOf the name of a watch as it is to be shown
 */
export function formatReferences(
  events: readonly Pick<Event, "watch" | "seq">[],
  nameOf: (watch: string) => string,
): string {
  const sorted = events.toSorted((a, b) => compareTexts(a.watch, b.watch) || a.seq - b.seq);
  const single = sorted.length <= MAX_SINGLE;
  const ranges = single ? sorted.map(({ watch, seq }) => ({ watch, from: seq, to: seq })) : rangesOf(sorted);

  let text = "";
  let named = 0;
  for (const { watch, from, to } of ranges) {
    const next = `${named === 0 ? "" : ", "}${nameOf(watch)}/${from === to ? from : `${from}-${to}`}`;
    if (named > 0 && text.length + next.length > MAX_LENGTH) return `${text}, +${sorted.length - named}`;
    text += next;
    named += to - from + 1;
  }
  return text;
}

function rangesOf(sorted: readonly Pick<Event, "watch" | "seq">[]): readonly Range[] {
  const ranges: Range[] = [];
  for (const { watch, seq } of sorted) {
    const last = ranges.at(-1);
    if (last && last.watch === watch && last.to + 1 === seq) last.to = seq;
    else ranges.push({ watch, from: seq, to: seq });
  }
  return ranges;
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
