/**
 * What one poll returned. Only a `complete` snapshot can say that an invite is gone:
 * the type keeps an incomplete one away from the code that concludes so.
 */
import type { ListedInvite } from "./invite.ts";

type Taken = {
  /** When the first request of the poll was sent. */
  readonly takenAt: Date;
  readonly pages: number;
  /** `result_info.total_count` as last stated; null where the API gave none. */
  readonly totalCount: number | null;
  /** By how much our clock was ahead of the API's, in ms, at its latest answer; null before the first. */
  readonly clockSkewMs: number | null;
};

/** Why a poll fell short, in the API's terms where it gave any. */
export type Shortfall = {
  /** One sentence: what went wrong and what to do about it. Free of credentials. */
  readonly reason: string;
  /** `credential` needs a person; anything else may pass by itself. */
  readonly cause: "credential" | "rate_limit" | "server" | "network" | "deadline" | "content";
  readonly httpStatus: number | null;
  /** Cloudflare's error code. */
  readonly code: number | null;
  /** The `cf-ray` header of the answer, for Cloudflare's support. */
  readonly cfRay: string | null;
};

/** Every page was read and the number of unique ids is the one that the API states. */
export type CompleteSnapshot = Taken & { readonly kind: "complete"; readonly invites: readonly ListedInvite[] };

/** Some invites were read, but not provably all: may add and update, never remove. */
export type IncompleteSnapshot = Taken & {
  readonly kind: "incomplete";
  readonly invites: readonly ListedInvite[];
  readonly shortfall: Shortfall;
};

/** Nothing was read. */
export type FailedSnapshot = Taken & {
  readonly kind: "failed";
  readonly invites: readonly [];
  readonly shortfall: Shortfall;
};

export type Snapshot = CompleteSnapshot | IncompleteSnapshot | FailedSnapshot;

/**
 * What is known of a pending invite that a complete snapshot did not list.
 *
 * `found`: the API still has it, and its status there is believed. `accepted`: it is gone, and the
 * organization is among the user's memberships. `absent`: the API itself says that there is no such
 * invite, and no membership explains it. `unknown`: any other answer, so it stays open.
 */
export type Whereabouts =
  | { readonly kind: "found"; readonly invite: ListedInvite }
  | { readonly kind: "accepted"; readonly evidence: string }
  | { readonly kind: "absent"; readonly evidence: string }
  | { readonly kind: "unknown"; readonly shortfall: Shortfall };
