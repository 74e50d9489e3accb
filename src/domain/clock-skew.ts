/** Clocks that show something else than ours. Three take part: this machine's, the database's and the API's. */
import { LARGEST_SKEW_MS } from "./elapsed.ts";

export type ClockSkew = {
  readonly against: "database" | "api";
  /** By how much this machine's clock is ahead of it; negative where it is behind. Null where that is not known. */
  readonly ms: number | null;
};

export type KnownSkew = ClockSkew & { readonly ms: number };

/** Those that are too far apart to tell the same time. */
export function skewed(skews: readonly ClockSkew[]): readonly KnownSkew[] {
  return skews.filter((skew): skew is KnownSkew => skew.ms !== null && Math.abs(skew.ms) > LARGEST_SKEW_MS);
}
