/** The outbox: what a delivery claims, and the receipts that it writes. */
import type { OutboxStore, Undelivered } from "../../app/delivery/outbox.ts";
import { RELAY_WELL, waitReason } from "../../domain/relay.ts";
import { codeOf, explained } from "./database-error.ts";
import { deathsSince } from "./deaths.ts";
import type { Database } from "./open.ts";
import { startAttempts } from "./outbox-attempts.ts";
import { claimMails } from "./outbox-claim.ts";
import { requeueForgotten } from "./outbox-forgotten.ts";
import { probeNow } from "./outbox-probe.ts";
import { recordResults, TRANSACTION } from "./outbox-record.ts";
import type { EnqueueDeliveries } from "./outbox-write.ts";
import { readRelay } from "./relay-state.ts";
import { settleEach } from "./settle-each.ts";

export function createOutboxStore(
  database: Pick<Database, "prisma" | "sql" | "queueSchema" | "connection">,
  enqueue: EnqueueDeliveries,
): OutboxStore {
  const { prisma, sql, connection } = database;
  const explain = <T>(results: readonly PromiseSettledResult<T>[]) =>
    results.map((result): PromiseSettledResult<T> => {
      if (result.status === "fulfilled") return result;
      return { status: "rejected", reason: explained(result.reason, connection) };
    });
  return {
    async claim(jobs, now, decide) {
      const claim = async (several: typeof jobs) => {
        for (;;) {
          const claiming = { now, decide, enqueue };
          const claimed = await prisma.$transaction((tx) => claimMails(tx, several, claiming), TRANSACTION);
          if (claimed !== null) return claimed;
        }
      };
      return explain(await settleEach(jobs, claim, { mayRepeat: mayBeOfOne }));
    },
    // Where it is not known whether attempts have started, the jobs are run again, and take them over.
    startAttempts: async (starts) =>
      explain(await settleEach(starts, (several) => startAttempts(sql, several), { mayRepeat: wasRefused })),
    mailServer: () => readRelay(prisma),
    record: async (sent, conclude) => explain(await recordResults(database, sent, { conclude, enqueue })),

    async undeliveredSince(at) {
      const rows = await prisma.$queryRaw<(Undelivered & { readonly waits: boolean })[]>`
        SELECT recipient, state, state = 'pending' AND waits_for_relay AS waits,
          CASE WHEN state = 'dead' THEN concat_ws(': ', reason, error)
            WHEN state = 'pending' AND waits_for_relay THEN coalesce(reason, error) ELSE error END AS why
        FROM notification LEFT JOIN (${deathsSince(at)}) AS death USING (id)
        WHERE state IN ('pending', 'sending', 'dead')
          AND (last_attempt_at >= ${at} OR died_at IS NOT NULL OR state = 'pending' AND waits_for_relay)
        ORDER BY created_at, id`;
      const { downSince, error } = rows.some(({ waits }) => waits) ? await readRelay(prisma) : RELAY_WELL;
      // A mail that waits keeps the reason for which it began to.
      const now = downSince === null ? null : waitReason(downSince, error);
      return rows.map(({ recipient, state, why, waits }) => ({ recipient, state, why: waits ? (now ?? why) : why }));
    },

    countDue: (now) =>
      prisma.notification.count({
        where: { OR: [{ state: "sending" }, { state: "pending", nextAttemptAt: { lte: now } }] },
      }),

    requeueForgotten: (now) => requeueForgotten(database, now, enqueue),
    probeNow: (now) => probeNow(database, now, enqueue),
  };
}

/** Whether the database said no to the statement, so that nothing of it is done, and may take others. */
function wasRefused(error: unknown): boolean {
  // A code of SQL, but of no connection that broke and of no server that stops; of Prisma's own the one of a deadlock.
  return /^(?!08|57|P[12])(?=.*\d)[0-9A-Z]{5}$|^P2034$/.test(codeOf(error));
}

/** Whether one mail may be the reason, and the others can be claimed without it. */
function mayBeOfOne(error: unknown): boolean {
  return wasRefused(error) || codeOf(error) === "";
}
