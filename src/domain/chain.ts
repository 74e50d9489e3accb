/**
 * The hash chain that makes an edited, removed or inserted event show.
 *
 * `hash = hex(sha256(prevHash + "\n" + JCS({seq, id, watch, type, inviteId, occurredAt, recordedAt, syncId, data})))`
 *
 * @see https://www.rfc-editor.org/rfc/rfc8785 JSON Canonicalization Scheme
 */
import { hash as digest } from "node:crypto";
import canonicalize from "canonicalize";
import type { Event, EventDraft } from "./event.ts";

/** What the first event of a watch follows. */
export const GENESIS_HASH = "0".repeat(64);

/** The newest link of a watch's chain; seq 0 before the first. */
export type ChainHead = { readonly seq: number; readonly hash: string; readonly recordedAt: Date | null };

/** An event in its public form; keys and order are part of the contract. */
export type EventJson = {
  readonly seq: number;
  readonly id: string;
  readonly watch: string;
  readonly type: string;
  readonly inviteId: string | null;
  readonly occurredAt: string;
  readonly recordedAt: string;
  readonly syncId: string | null;
  readonly data: unknown;
  readonly prevHash: string;
  readonly hash: string;
};

/**
 * The drafts as the next links after `head`, in their order.
 *
 * @param recordedAt of the transaction; raised to the head's where the clock went back
 */
export function link(
  drafts: readonly EventDraft[],
  head: ChainHead,
  about: { watch: string; syncId: string | null; recordedAt: Date; newId: () => string },
): Event[] {
  const { watch, syncId, newId } = about;
  const recordedAt =
    head.recordedAt !== null && head.recordedAt > about.recordedAt ? head.recordedAt : about.recordedAt;
  const canonicalBody = canonicalBodyOf({ watch, syncId, recordedAt });
  let { seq, hash: prevHash } = head;
  return drafts.map((draft) => {
    seq += 1;
    const id = newId();
    const hash = digest("sha256", `${prevHash}\n${canonicalBody(draft, id, seq)}`, "hex");
    const event = { ...draft, id, watch, seq, recordedAt, syncId, prevHash, hash };
    prevHash = hash;
    return event;
  });
}

/** Makes what `hashOf` hashes, in half the time: the outer keys are spelt out, and what is common is written once. */
function canonicalBodyOf({ watch, syncId, recordedAt }: Pick<Event, "watch" | "syncId" | "recordedAt">) {
  const recorded = `"recordedAt":"${recordedAt.toISOString()}"`;
  const bySync = `"syncId":${canonicalize(syncId)}`;
  const ofWatch = `"watch":${canonicalize(watch)}`;
  return ({ type, inviteId, occurredAt, data }: EventDraft, id: string, seq: number): string =>
    `{"data":${canonicalize(data)},"id":${canonicalize(id)},"inviteId":${canonicalize(inviteId)},` +
    `"occurredAt":"${occurredAt.toISOString()}",${recorded},"seq":${seq},${bySync},"type":"${type}",${ofWatch}}`;
}

/** The event in its public form: instants as RFC 3339 UTC with milliseconds. */
export function eventJson(event: Event): EventJson {
  return {
    seq: event.seq,
    id: event.id,
    watch: event.watch,
    type: event.type,
    inviteId: event.inviteId,
    occurredAt: event.occurredAt.toISOString(),
    recordedAt: event.recordedAt.toISOString(),
    syncId: event.syncId,
    data: event.data,
    prevHash: event.prevHash,
    hash: event.hash,
  };
}

/** The hash that the event must carry, from everything else in it. */
export function hashOf(event: EventJson): string {
  const { hash: _, prevHash, ...body } = event;
  return digest("sha256", `${prevHash}\n${canonicalize(body)}`, "hex");
}

/**
 * What is wrong with an event that should follow `head`, as a sentence, or null.
 *
 * @param head of the same watch
 */
export function breakOf(event: EventJson, head: Pick<ChainHead, "seq" | "hash">): string | null {
  if (event.seq !== head.seq + 1) {
    return event.seq <= head.seq
      ? `event ${event.seq} comes again after event ${head.seq}`
      : `event ${head.seq + 1} is missing`;
  }
  if (event.prevHash !== head.hash) return "its prevHash is not the hash of the event before it";
  if (hashOf(event) !== event.hash) return "its content does not give its hash";
  return null;
}
