/** What a process does with the jobs that it takes: the use cases, and one log line for how each ended. */
import type { Workers } from "./adapters/postgres/queue.ts";
import type { SyncResult } from "./adapters/postgres/queue-syncs.ts";
import { deliverBatch } from "./app/delivery/deliver-batch.ts";
import type { Attempt } from "./app/delivery/outbox.ts";
import { makeDigests } from "./app/digest.ts";
import { digestId } from "./app/schedule.ts";
import type { Recording } from "./app/store.ts";
import { runSync } from "./app/sync.ts";
import { createClockAlarm } from "./clock-alarm.ts";
import type { Attempted, Receipt } from "./domain/delivery/attempt.ts";
import type { Logger } from "./log.ts";
import { createRelayLog } from "./relay-log.ts";
import type { Runtime } from "./wire.ts";

/** @param stop when the program is told to end: what is on the network then is given back */
export function createWorkers(runtime: Runtime, log: Logger, stop: AbortSignal): Workers {
  const logRelay = createRelayLog();
  const tellClocks = createClockAlarm(log);
  return {
    async sync(job, signal) {
      const syncLog = log.child({ watch: job.watch, jobId: job.id });
      const wired = runtime.watches.get(job.watch);
      if (wired === undefined) {
        syncLog.warn({ event: "sync.unknown_watch" }, "a sync was asked for a watch that this process does not know");
        return { outcome: "failed", reason: `no watch named ${job.watch} is configured here` };
      }
      try {
        const ports = { source: wired.source, store: runtime.store, clock: runtime.clock, newId: runtime.newId };
        const begunMs = performance.now();
        const recording = await runSync(wired.plan, ports, AbortSignal.any([signal, stop]));
        logSync(syncLog, recording, performance.now() - begunMs);
        tellClocks([{ against: "api", ms: recording.sync.clockSkewMs }]);
        if (recording.notifications.length > 0) runtime.queue.wake("deliveries");
        return resultOf(recording);
      } catch (error) {
        if (stop.aborted) syncLog.info({ event: "sync.given_back" }, "the sync was given back");
        else if (signal.aborted) syncLog.warn({ event: "sync.taken_over", err: error }, "the sync was taken over");
        else syncLog.error({ event: "sync.not_recorded", err: error }, "the sync could not be recorded");
        throw error;
      }
    },

    async digest(jobId, isLastTry) {
      const plan = { watchesOf: runtime.digestWatches, idFor: (recipient: string) => digestId(jobId, recipient) };
      try {
        const made = await makeDigests(plan, runtime.mail, runtime);
        const recipients = made.map(({ recipient }) => recipient);
        log.info({ event: "digest.made", jobId, recipients }, "the digest was made");
      } catch (error) {
        if (isLastTry) log.error({ event: "digest.given_up", jobId, err: error }, "the digest is given up");
        else log.warn({ event: "digest.failed", jobId, err: error }, "the digest failed and will be tried again");
        throw error;
      }
    },

    deliver(jobs) {
      const ends = deliverBatch(jobs, runtime.mail, { ...runtime, chance: Math.random, stop });
      return ends.map(async (end, nth) => {
        const mailLog = log.child({ notificationId: jobs[nth]?.notificationId });
        try {
          const attempt = await end;
          logAttempt(mailLog, attempt);
          if (attempt.kind === "attempted") logRelay(attempt.mailServer, mailLog);
        } catch (error) {
          if (stop.aborted) mailLog.info({ event: "notification.given_back" }, "the mail was given back");
          else mailLog.error({ event: "notification.not_attempted", err: error }, "the mail could not be attempted");
          throw error;
        }
      });
    },
  };
}

function resultOf({ sync }: Recording): SyncResult {
  return { outcome: sync.outcome, reason: sync.reason };
}

function logSync(log: Logger, { sync, events, notifications, suppressions }: Recording, tookMs: number): void {
  const { id: syncId, outcome, reason, httpStatus, code, cfRay, pages, listed, totalCount } = sync;
  const durationMs = Math.round(tookMs);
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
  for (const { reason, detail, eventSeqs } of suppressions) {
    log.info(
      { event: "events.not_mailed", syncId, reason, detail, seqs: eventSeqs.slice(0, 20), events: eventSeqs.length },
      "events are not mailed",
    );
  }
  for (const { id: notificationId, recipient, kind, eventSeqs, heldBy, nextAttemptAt } of notifications) {
    const held = heldBy === null ? {} : { heldBy, until: nextAttemptAt };
    log.info(
      { event: "notification.owed", syncId, notificationId, recipient, kind, events: eventSeqs.length, ...held },
      "a mail is owed",
    );
  }
}

function logAttempt(log: Logger, attempt: Attempt): void {
  if (attempt.kind === "idle") {
    log.debug({ event: "notification.idle" }, "the mail is not due");
    return;
  }
  const { watch, recipient, kind, syncId, messageId, attempts } = attempt.notification;
  const fields = { watch, recipient, kind, syncId, messageId, attempt: attempts + 1 };
  switch (attempt.kind) {
    case "held": {
      const { cause, until, reason } = attempt.hold;
      log.info({ event: "notification.held", ...fields, cause, until, reason }, "the mail waits");
      return;
    }
    case "waiting": {
      const { until, reason } = attempt;
      log.info({ event: "notification.waiting", ...fields, until, reason }, "the mail waits for the mail server");
      return;
    }
    case "given up":
      log.error({ event: "notification.dead", ...fields, reason: attempt.reason }, "the mail is given up");
      return;
    case "cancelled":
      log.info(
        { event: "notification.cancelled", ...fields, reason: attempt.reason },
        "the mail is not needed any more",
      );
      return;
    case "folded": {
      const { into, count } = attempt;
      log.info({ event: "notification.folded", ...fields, into, count }, "one mail takes the place of several");
      return;
    }
    case "attempted":
      logAttempted(log, attempt, fields);
  }
}

/** A line for each attempt; the last one's says what comes of them. */
function logAttempted(
  log: Logger,
  { attempts, receipt }: Extract<Attempt, { readonly kind: "attempted" }>,
  fields: Readonly<Record<string, unknown>>,
): void {
  for (const attempted of attempts) {
    const { number, outcome } = attempted;
    const about = { ...fields, attempt: number, ...exchangeOf(attempted) };
    if (attempted !== attempts.at(-1)) {
      const error = outcome.kind === "accepted" ? null : outcome.error;
      log.warn({ event: "notification.way_failed", ...about, error }, "the mail takes another way");
    } else if (receipt !== null) {
      logReceipt(log, receipt, about);
    } else if (outcome.kind !== "accepted") {
      log.warn({ event: "notification.overtaken", ...about, error: outcome.error }, "another attempt decides");
    }
  }
}

/** What the lines about one delivery are found by, down to the mail server's own. */
function exchangeOf({ way, outcome }: Attempted) {
  const { stage, code, enhancedCode, queueId, durationMs } = outcome;
  return { way, stage, code, enhancedCode, smtpQueueId: queueId, durationMs };
}

function logReceipt(log: Logger, receipt: Receipt, fields: Readonly<Record<string, unknown>>): void {
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
