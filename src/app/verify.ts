/** Re-computes hash chains, of the database or of an export, and names the first thing that is wrong. */
import { breakOf, type EventJson, GENESIS_HASH } from "../domain/chain.ts";
import type { ChainEnd, MiscountedSync, Reader } from "./queries.ts";

export type VerifiedWatch = { readonly watch: string; readonly events: number; readonly hash: string };

/** Where a noted head stands. */
export type HeadPlace = { readonly watch: string; readonly seq: number };

export type Verdict =
  | {
      readonly kind: "whole";
      readonly watches: readonly VerifiedWatch[];
      /** Null where no head was asked for. */
      readonly head: HeadPlace | null;
    }
  | { readonly kind: "broken" /** Where, and what is wrong. */; readonly sentence: string };

/** A row of an export that is not what it should be. */
export class ExportError extends Error {
  override readonly name = "ExportError";
}

type Link = { seq: number; hash: string };

/**
 * Checks every watch's chain in the database, that it ends where the watch's row says, and that each sync has its events.
 *
 * @param head a hash that must be in one of the chains, or null
 */
export async function verifyDatabase(
  reader: Reader,
  watches: readonly string[] | null,
  head: string | null,
): Promise<Verdict> {
  const verified: VerifiedWatch[] = [];
  let place: HeadPlace | null = null;
  for (const end of await reader.chainEnds(watches)) {
    const link: Link = { seq: 0, hash: GENESIS_HASH };
    for await (const event of reader.chain(end.watch)) {
      if (event.seq > end.newestSeq) break;
      const fault = faultOf(event, link);
      if (fault !== null) return brokenAt(event, fault);
      advance(link, event);
      if (link.hash === head) place = { watch: end.watch, seq: link.seq };
    }
    const fault = faultOfEnd(end, link) ?? faultOfCount(await reader.miscountedSync(end.watch));
    if (fault !== null) return { kind: "broken", sentence: `${end.watch}: ${fault}` };
    verified.push({ watch: end.watch, events: link.seq, hash: link.hash });
  }
  return conclude(verified, head, place);
}

/**
 * Checks the chains in an export: the events of any number of watches, each watch's from its first one.
 *
 * @param events oldest first
 */
export async function verifyExport(
  events: AsyncIterable<EventJson>,
  watches: readonly string[] | null,
  head: string | null,
): Promise<Verdict> {
  const links = new Map<string, Link>();
  let place: HeadPlace | null = null;
  for await (const event of events) {
    if (watches !== null && !watches.includes(event.watch)) continue;
    const known = links.get(event.watch);
    const link = known ?? { seq: 0, hash: GENESIS_HASH };
    links.set(event.watch, link);
    if (known === undefined && event.seq > 1) return brokenAt(event, lateStart(event.seq));
    const fault = faultOf(event, link);
    if (fault !== null) return brokenAt(event, fault);
    advance(link, event);
    if (link.hash === head) place = { watch: event.watch, seq: link.seq };
  }
  if (links.size === 0) return { kind: "broken", sentence: "there is no event to verify" };
  const verified = [...links].map(([watch, { seq, hash }]) => ({ watch, events: seq, hash }));
  return conclude(verified, head, place);
}

function faultOf(event: EventJson, link: Link): string | null {
  try {
    return breakOf(event, link);
  } catch {
    // RFC 8785 has no form for halves of characters and for numbers that are none.
    return "its content cannot have been recorded";
  }
}

function advance(link: Link, event: EventJson): void {
  link.seq = event.seq;
  link.hash = event.hash;
}

function brokenAt(event: EventJson, fault: string): Verdict {
  return { kind: "broken", sentence: `${event.watch}/${event.seq}: ${fault}` };
}

function lateStart(seq: number): string {
  const missing = seq === 2 ? "event 1 is missing" : `events 1 to ${seq - 1} are missing`;
  return `${missing} before it; only an export without filters, oldest first, can be verified`;
}

/** What is wrong with a chain's end, or null. */
function faultOfEnd({ headSeq, headHash, newestSeq }: ChainEnd, link: Link): string | null {
  if (link.seq < headSeq)
    return `the end is cut off: it should be event ${headSeq}, and the last one there is ${link.seq}`;
  if (newestSeq > headSeq) return `event ${headSeq + 1} was not recorded by a sync: the chain should end at ${headSeq}`;
  return link.hash === headHash ? null : `event ${headSeq} is not the one that was recorded as the last`;
}

/** A sync is written together with its events: neither of them is changed alone without a trace. */
function faultOfCount(sync: MiscountedSync | null): string | null {
  if (sync === null) return null;
  const { id, recorded, found } = sync;
  return `the sync ${id} recorded ${recorded} ${recorded === 1 ? "event" : "events"}, but the chain has ${found} of that sync`;
}

function conclude(watches: readonly VerifiedWatch[], head: string | null, place: HeadPlace | null): Verdict {
  if (head !== null && head !== GENESIS_HASH && place === null) {
    return {
      kind: "broken",
      sentence: `no event has the hash ${head}: what was recorded up to it was cut off or replaced`,
    };
  }
  return { kind: "whole", watches, head: place };
}
