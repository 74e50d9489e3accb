/**
 * One log line when the mail server goes down and one when it is well again, whatever the number of mails that find out.
 *
 * By the process that noticed: another replica has nothing to add.
 */
import type { RelayState } from "./domain/relay.ts";
import type { Logger } from "./log.ts";

/** Logs what an attempt says of the mail server, where that is news. */
type RelayLog = (relay: RelayState | null, log: Logger) => void;

/** Remembers what it told last. */
export function createRelayLog(): RelayLog {
  // Mails that fail side by side each take themselves for the first.
  let told = "";
  const once = (news: string, tell: () => void) => {
    if (news !== told) tell();
    told = news;
  };
  return (relay, log) => {
    if (relay === null) return;
    const { downSince, failedAt, nextProbeAt, error: reason, lastOutage } = relay;
    const before = lastOutage?.until.toISOString() ?? "";
    if (downSince !== null) {
      // Later failures are those of probes.
      if (failedAt?.getTime() !== downSince.getTime()) return;
      once(`down after ${before}`, () =>
        log.error({ event: "mail_server.down", downSince, nextProbeAt, reason }, "the mail server is down"),
      );
    } else if (lastOutage !== null) {
      const { since, until } = lastOutage;
      const downMs = until.getTime() - since.getTime();
      once(`well since ${before}`, () =>
        log.info({ event: "mail_server.well", downSince: since, downMs }, "the mail server is well again"),
      );
    }
  };
}
