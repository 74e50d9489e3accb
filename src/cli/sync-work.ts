/** What `sync` does: one round for every watch, or its rehearsal. */
import { randomUUID } from "node:crypto";
import { requireMigrated } from "../adapters/postgres/migrate.ts";
import { openDatabase } from "../adapters/postgres/open.ts";
import type { SyncResult } from "../adapters/postgres/queue-syncs.ts";
import { readClockSkew } from "../adapters/postgres/read-clock.ts";
import { createSyncStore } from "../adapters/postgres/sync-store.ts";
import { renderOwed } from "../app/deliver.ts";
import type { Recording, Undelivered } from "../app/store.ts";
import { rehearseSync } from "../app/sync.ts";
import { createClockAlarm } from "../clock-alarm.ts";
import type { Config } from "../config/config.ts";
import { spellInstantsBy } from "../domain/instants.ts";
import { withoutIsolates } from "../mail/defang.ts";
import { runRound } from "../round.ts";
import { mailSettings, openRuntime, systemClock, wireWatches } from "../wire.ts";
import { createWorkers } from "../workers.ts";
import { type Context, write } from "./context.ts";
import { printable } from "./printable.ts";
import { loggerFor } from "./runnable.ts";
import { createZone } from "./zone.ts";

/** Of more people to whom the same happened, the first are named. */
const NAMED_RECIPIENTS = 3;

export async function sync(config: Config, context: Context, stop: AbortSignal): Promise<void> {
  const log = loggerFor(config, context);
  const runtime = await openRuntime(config, "command", log, { stop }).catch((error) => {
    // Whatever it waited for has failed, because it was told to end.
    stop.throwIfAborted();
    throw error;
  });
  try {
    createClockAlarm(log)([{ against: "database", ms: await readClockSkew(runtime.database) }]);
    await runtime.queue.work(createWorkers(runtime, log, stop));
    const round = await runRound(runtime, [...runtime.watches.keys()], stop);
    for (const [watch, result] of round.syncs) await write(context.stdout, `${watch}: ${describe(result)}\n`);
    const zone = createZone(config.timezone);
    const spell = (text: string) => spellInstantsBy(text, (instant) => `${zone.show(instant)} (${zone.name})`);
    for (const [what, mails] of Map.groupBy(round.undelivered, whatBecameOf)) {
      await write(context.stdout, `${mailsTo(mails.map(({ recipient }) => recipient))}: ${spell(what)}\n`);
    }
    if (round.untried > 0)
      await write(
        context.stdout,
        `mails that were due and not tried: ${round.untried} (the queue did not hand them out within two minutes; another process may have them in hand)\n`,
      );
    const fellShort = [...round.syncs.values()].some(
      ({ outcome }) => outcome !== "complete" && outcome !== "superseded",
    );
    if (fellShort || round.undelivered.length > 0 || round.untried > 0) context.setExitCode(1);
  } finally {
    await runtime.close();
  }
}

function whatBecameOf({ state, why }: Undelivered): string {
  return `${state === "dead" ? "given up" : "still owed"}: ${why ?? "unfinished"}`;
}

/** How many, and to whom; of many people the first. */
function mailsTo(recipients: readonly string[]): string {
  const people = [...new Set(recipients)];
  const more = people.length - NAMED_RECIPIENTS;
  const named = people.slice(0, NAMED_RECIPIENTS).join(", ");
  return `${recipients.length === 1 ? "mail" : `${recipients.length} mails`} to ${named}${more > 0 ? ` and ${more} more` : ""}`;
}

function describe({ outcome, reason }: Pick<SyncResult, "outcome" | "reason">): string {
  return reason === null ? outcome : `${outcome}: ${reason}`;
}

/** Side by side like the real thing, printed in the order of the configuration. */
export async function rehearse(config: Config, context: Context, stop: AbortSignal): Promise<void> {
  const database = await openDatabase(config.databaseUrl, "reader", { stop });
  try {
    await requireMigrated(database);
    const store = createSyncStore(database.prisma, async () => {});
    const recordings = await Promise.all(
      [...wireWatches(config).values()].map(({ plan, source }) =>
        rehearseSync(plan, { source, store, clock: systemClock, newId: randomUUID }, stop),
      ),
    );
    for (const recording of recordings) await write(context.stdout, rehearsalOf(recording, config));
    if (recordings.some(({ sync: { outcome } }) => outcome !== "complete")) context.setExitCode(1);
  } finally {
    await database.close();
  }
}

/** What the sync found, each event with what would come of it, and the mails in full. */
function rehearsalOf(recording: Recording, config: Config): string {
  const { sync, events, notifications, suppressions } = recording;
  const lines = [`${sync.watch}: ${describe(sync)} (dry run: nothing is recorded or sent)`];
  if (events.length === 0) lines.push("  nothing new");
  const silent = new Map(suppressions.flatMap(({ detail, eventSeqs }) => eventSeqs.map((seq) => [seq, detail])));
  for (const event of events) {
    const detail = silent.get(event.seq);
    const why = detail === undefined ? "mailed" : `not mailed: ${detail}`;
    lines.push(
      `  would record ${event.type}${event.inviteId === null ? "" : ` of ${printable(event.inviteId)}`} (${why})`,
    );
  }
  const invites = [...recording.newInvites, ...recording.changedInvites, ...recording.atRisk];
  for (const notification of notifications) {
    const seqs = new Set(notification.eventSeqs);
    const owed = {
      notification,
      mime: null,
      events: events.filter(({ seq }) => seqs.has(seq)),
      invites,
      chainHead: events.at(-1)?.hash ?? "",
      heldBy: notification.heldBy === null ? [] : [notification.heldBy],
      earlier: [],
      ownFailures: 0,
    };
    const { subject, text } = renderOwed(owed, mailSettings(config), systemClock.now());
    lines.push(
      "",
      `  To: ${notification.recipient} (by: ${notification.rules.join(", ")})`,
      ...(notification.reason === null ? [] : [`  Held: ${printable(notification.reason)}`]),
      `  Subject: ${subject}`,
      "",
      ...withoutIsolates(text)
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
    );
  }
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}
