/** How this machine's clock stands to the others, in words and out of what is recorded. */
import type { ClockSkew, KnownSkew } from "../domain/clock-skew.ts";
import { duration } from "../mail/times.ts";
import type { WatchStatus } from "./queries.ts";

/** What is wrong and what to do about it, in a sentence. */
export function skewText({ against, ms }: KnownSkew): string {
  const whose = against === "database" ? "the database's" : "Cloudflare's";
  const which = against === "database" ? "set both by NTP" : "set it by NTP";
  return `This machine's clock is ${duration(Math.abs(ms))} ${ms > 0 ? "ahead of" : "behind"} ${whose}: ${which}.`;
}

/** @param watches as of their last syncs, of which the one counts that saw the API's clock furthest off */
export function clocksOf(
  databaseMs: number,
  watches: readonly Pick<WatchStatus, "clockSkewMs">[],
): readonly ClockSkew[] {
  const seen = watches.flatMap(({ clockSkewMs }) => clockSkewMs ?? []);
  const apiMs = seen.reduce<number | null>(
    (far, ms) => (far === null || Math.abs(ms) > Math.abs(far) ? ms : far),
    null,
  );
  return [
    { against: "database", ms: databaseMs },
    { against: "api", ms: apiMs },
  ];
}
