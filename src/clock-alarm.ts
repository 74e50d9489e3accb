/** Says once that the machine's clock differs from another, until the two agree again. */
import { type ClockSkew, skewed } from "./domain/clock-skew.ts";
import type { Logger } from "./log.ts";

/** Takes what is known of the clocks, as often as it is found out. */
export function createClockAlarm(log: Pick<Logger, "error" | "info">): (skews: readonly ClockSkew[]) => void {
  const told = new Set<ClockSkew["against"]>();
  return (skews) => {
    const wrong = new Map(skewed(skews).map((skew) => [skew.against, skew.ms]));
    for (const { against, ms } of skews) {
      if (ms === null || wrong.has(against) === told.has(against)) continue;
      if (told.delete(against)) {
        log.info({ event: "clock.agrees", against, aheadMs: ms }, "the clocks agree again");
      } else {
        told.add(against);
        log.error(
          { event: "clock.skewed", against, aheadMs: ms },
          "this machine's clock differs from another: set it by NTP",
        );
      }
    }
  };
}
