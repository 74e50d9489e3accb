/** Writes what is decided about a batch of mails, in sets: as many statements for a thousand mails as for one. */
import { randomUUID } from "node:crypto";
import type { Dispatch } from "../../domain/delivery/dispatch.ts";
import type { OutboxMail } from "../../domain/delivery/outbox-mail.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { recordDeaths } from "./deaths.ts";
import { writeRelay } from "./relay-state.ts";
import { notificationRow } from "./rows.ts";
import { writeNotifications } from "./write.ts";

type Tx = Prisma.TransactionClient;

/** Puts the jobs of deliveries into the queue, as part of the transaction. */
export type EnqueueDeliveries = (tx: Tx, notificationIds: readonly string[], startAfter: Date) => Promise<void>;

/** The watches that it refers to are locked. */
export async function writeDispatch(
  tx: Tx,
  { changed, narrowed, suppressions, summaries, deadLetters, enqueued, mailServer }: Dispatch,
  { now, enqueue }: { readonly now: Date; readonly enqueue: EnqueueDeliveries },
): Promise<void> {
  if (mailServer !== null) await writeRelay(tx, mailServer);
  if (summaries.length > 0) await writeNotifications(tx, summaries);
  if (changed.length > 0) await writeChanged(tx, changed);
  if (narrowed.length > 0) {
    await tx.$executeRaw`
      UPDATE notification n SET event_seqs = narrowed."eventSeqs"
      FROM jsonb_to_recordset(${JSON.stringify(narrowed)}::jsonb) AS narrowed (id uuid, "eventSeqs" integer[])
      WHERE n.id = narrowed.id`;
  }
  if (suppressions.length > 0) await writeSuppressions(tx, suppressions, now);
  await enqueueByTime(tx, enqueued, enqueue);
  await recordDeaths(tx, deadLetters, now);
}

/** One statement for each time. */
export async function enqueueByTime(
  tx: Tx,
  jobs: readonly { readonly id: string; readonly at: Date }[],
  enqueue: EnqueueDeliveries,
): Promise<void> {
  for (const [at, due] of Map.groupBy(jobs, (job) => job.at.getTime())) {
    await enqueue(
      tx,
      due.map(({ id }) => id),
      new Date(at),
    );
  }
}

/** The rows are locked, so that they hold nothing else that is newer. */
async function writeChanged(tx: Tx, changed: readonly OutboxMail[]): Promise<void> {
  const rows = changed.map(({ notification, waitsForMailServer }) => {
    const row = notificationRow(notification);
    const { id, kind, event_seqs, state, reason, held_by, covered_by } = row;
    const { next_attempt_at, released_at, useful_until, maybe_accepted } = row;
    const decided = { id, kind, event_seqs, state, reason, held_by, covered_by };
    return { ...decided, next_attempt_at, released_at, useful_until, maybe_accepted, waits: waitsForMailServer };
  });
  await tx.$executeRaw`
    UPDATE notification n SET kind = mail.kind, event_seqs = mail.event_seqs, state = mail.state, reason = mail.reason,
      held_by = mail.held_by, covered_by = mail.covered_by, next_attempt_at = mail.next_attempt_at,
      released_at = mail.released_at, useful_until = mail.useful_until, maybe_accepted = mail.maybe_accepted,
      waits_for_relay = mail.waits
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS mail (
      id uuid, kind text, event_seqs integer[], state text, reason text, held_by text, covered_by uuid,
      next_attempt_at timestamptz, released_at timestamptz, useful_until timestamptz, maybe_accepted boolean,
      waits boolean)
    WHERE n.id = mail.id`;
}

async function writeSuppressions(tx: Tx, suppressions: Dispatch["suppressions"], decidedAt: Date): Promise<void> {
  await tx.suppression.createMany({
    data: suppressions.map(({ watch: watchName, reason, detail, recipient, eventSeqs }) => {
      return { id: randomUUID(), watchName, reason, detail, recipient, eventSeqs: [...eventSeqs], decidedAt };
    }),
  });
}
