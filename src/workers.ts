/** What a process does with the jobs that it takes: the use cases, and one log line for how each ended. */
import type { SyncResult, Workers } from "./adapters/postgres/queue.ts";
import { type Attempt, deliver } from "./app/deliver.ts";
import type { Recording } from "./app/store.ts";
import { runSync } from "./app/sync.ts";
import type { Logger } from "./log.ts";
import type { Runtime } from "./wire.ts";

/** @param stop when the program is told to end: what is on the network then is given back */
export function createWorkers(runtime: Runtime, log: Logger, stop: AbortSignal): Workers {
  return {
    async sync(job, signal) {
      const syncLog = log.child({ watch: job.watch, jobId: job.id });
      const wired = runtime.watches.get(job.watch);
      if (wired === undefined) {
        syncLog.warn({ event: "sync.unknown_watch" }, "a sync was asked for a watch that this process does not know");
        return { syncId: null, outcome: "failed", reason: `no watch named ${job.watch} is configured here` };
      }
      try {
        const ports = { source: wired.source, store: runtime.store, clock: runtime.clock, newId: runtime.newId };
        const recording = await runSync(wired.plan, ports, AbortSignal.any([signal, stop]));
        logSync(syncLog, recording);
        runtime.queue.wake();
        return resultOf(recording);
      } catch (error) {
        if (stop.aborted) syncLog.info({ event: "sync.given_back" }, "the sync was given back");
        else syncLog.error({ event: "sync.not_recorded", err: error }, "the sync could not be recorded");
        throw error;
      }
    },

    async deliver(notificationId) {
      const mailLog = log.child({ notificationId });
      try {
        logAttempt(mailLog, await deliver(notificationId, runtime.mail, { ...runtime, chance: Math.random }));
      } catch (error) {
        mailLog.error({ event: "notification.not_attempted", err: error }, "the mail could not be attempted");
        throw error;
      }
    },
  };
}

function resultOf({ sync }: Recording): SyncResult {
  return { syncId: sync.id, outcome: sync.outcome, reason: sync.reason };
}

function logSync(log: Logger, { sync, events, notifications }: Recording): void {
  const { id: syncId, outcome, reason, httpStatus, code, cfRay, pages, listed, totalCount } = sync;
  const durationMs = sync.finishedAt.getTime() - sync.startedAt.getTime();
  const types = Object.fromEntries(
    Map.groupBy(events, (event) => event.type)
      .entries()
      .map(([type, of]) => [type, of.length]),
  );
  const seqs = events.length === 0 ? null : [events[0]?.seq, events.at(-1)?.seq];
  const fields = { syncId, outcome, pages, listed, totalCount, durationMs, events: types, seqs };
  if (outcome === "complete" || outcome === "superseded") {
    log.info({ event: `sync.${outcome === "complete" ? "completed" : outcome}`, ...fields, reason }, "the sync ended");
  } else {
    log.warn({ event: `sync.${outcome}`, ...fields, reason, httpStatus, code, cfRay }, "the sync fell short");
  }
  for (const { id: notificationId, recipient, kind, eventSeqs } of notifications) {
    log.info(
      { event: "notification.owed", syncId, notificationId, recipient, kind, events: eventSeqs.length },
      "a mail is owed",
    );
  }
}

function logAttempt(log: Logger, attempt: Attempt): void {
  if (attempt.kind === "idle") {
    log.debug({ event: "notification.idle" }, "the mail is not due");
    return;
  }
  const { notification, receipt } = attempt;
  const { watch, recipient, kind, syncId, messageId } = notification;
  const fields = { watch, recipient, kind, syncId, messageId, attempt: notification.attempts + 1 };
  switch (receipt.state) {
    case "delivered":
      log.info({ event: "notification.delivered", ...fields, response: receipt.response }, "the mail was accepted");
      return;
    case "pending":
      log.warn(
        {
          event: "notification.retry_scheduled",
          ...fields,
          error: receipt.error,
          nextAttemptAt: receipt.nextAttemptAt,
        },
        "the mail was not accepted and will be tried again",
      );
      return;
    case "dead":
      log.error(
        { event: "notification.dead", ...fields, error: receipt.error, reason: receipt.reason },
        "the mail is given up",
      );
  }
}
