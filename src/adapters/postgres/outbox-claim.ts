/**
 * Claims mails whose time has come: locks and reads what the decisions about them depend on, and writes what is decided.
 *
 * The recipients' locks make the decisions about one recipient follow one another, on all replicas.
 */
import type { Claimed } from "../../app/delivery/outbox.ts";
import type { DeliveryJob, Dispatch, DispatchInput } from "../../domain/delivery/dispatch.ts";
import type { OutboxMail } from "../../domain/delivery/outbox-mail.ts";
import { inviteKey } from "../../domain/invite.ts";
import { longOutageOf, type Outage } from "../../domain/relay.ts";
import type { Silence } from "../../domain/silence.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { lockWatches } from "./chains.ts";
import { readContents, readInvitesOf, readTold } from "./outbox-content.ts";
import { type OutboxRow, outboxMailOf, readOwnFailures, readReleased, readUntold } from "./outbox-rows.ts";
import { type EnqueueDeliveries, writeDispatch } from "./outbox-write.ts";
import { readSilencesInForce } from "./read-silences.ts";
import { lockRecipients, withIds } from "./recipient-lock.ts";
import { lockRelay, readRelay } from "./relay-state.ts";

type Tx = Prisma.TransactionClient;

export type Claiming = {
  readonly now: Date;
  readonly decide: (input: DispatchInput) => Dispatch;
  readonly enqueue: EnqueueDeliveries;
};

/** @returns null where a silence ended meanwhile: then nothing is written, and everything is to be decided anew */
export async function claimMails(
  tx: Tx,
  jobs: readonly DeliveryJob[],
  { now, decide, enqueue }: Claiming,
): Promise<readonly Claimed[] | null> {
  const ids = [...new Set(jobs.map(({ notificationId }) => notificationId))];
  await lockRecipients(tx, withIds(ids));
  const seen = await readRelay(tx);
  const mailServer = seen.downSince === null ? seen : await lockRelay(tx);
  const rows = await lockMails(tx, ids, { outage: longOutageOf(mailServer, now), now });
  if (rows.length === 0) return jobs.map(() => ({ kind: "idle" }));

  const input = await readInput(tx, rows, { jobs, ids: new Set(ids), mailServer, now });
  const dispatch = decide(input);
  await lockTouched(tx, dispatch);
  if (holdsForSilence(dispatch) && !(await areInForce(tx, input.silences, now))) return null;
  await writeDispatch(tx, dispatch, { now, enqueue });

  const rowOf = new Map(rows.map((row) => [row.id, row]));
  const toMake = dispatch.decisions.flatMap((one) => (one.kind === "send" && !one.mail.isFrozen ? [one.mail] : []));
  const contents = await readContents(tx, toMake, input.invites);
  return dispatch.decisions.map((decision): Claimed => {
    if (decision.kind !== "send") return decision;
    const { id } = decision.mail.notification;
    const content = contents.get(id);
    if (content !== undefined) return { ...decision, content, mime: null };
    return { ...decision, content: null, mime: Buffer.from(rowOf.get(id)?.mime ?? []) };
  });
}

/**
 * The mails, and the recipients' others that what becomes of them may depend on: held ones whose time has come, those
 * that wait for a status to stand still, and what a long outage held up.
 */
function lockMails(
  tx: Tx,
  ids: readonly string[],
  { outage, now }: { readonly outage: Outage | null; readonly now: Date },
): Promise<OutboxRow[]> {
  const heldUpUntil = outage?.until ?? null;
  return tx.$queryRaw<OutboxRow[]>`
    SELECT n.* FROM notification n
    WHERE n.id IN (
      SELECT unnest(${[...ids]}::uuid[])
      UNION
      SELECT other.id FROM notification other
      WHERE other.state = 'pending' AND other.recipient IN (
          SELECT asked.recipient FROM notification asked
          WHERE asked.id = ANY (${[...ids]}::uuid[]) AND coalesce(asked.next_attempt_at <= ${now}, true)
            AND asked.state = 'pending' AND (asked.held_by IS NOT NULL OR asked.created_at <= ${heldUpUntil}::timestamptz))
        AND (other.created_at <= ${heldUpUntil}::timestamptz
          OR other.held_by IS NOT NULL AND other.mime IS NULL
            AND (other.held_by = 'flapping' OR coalesce(other.next_attempt_at <= ${now}, true))))
    ORDER BY n.created_at, n.id FOR UPDATE`;
}

type Asked = Pick<DispatchInput, "jobs" | "mailServer"> & { readonly ids: ReadonlySet<string>; readonly now: Date };
type Input = DispatchInput & { readonly invites: Awaited<ReturnType<typeof readInvitesOf>> };

async function readInput(tx: Tx, rows: readonly OutboxRow[], { ids, now, ...asked }: Asked): Promise<Input> {
  const toDecide = rows.filter(({ id }) => ids.has(id));
  const told = await readTold(tx, rows);
  const untold = await readUntold(tx, toDecide, now);
  const events = [...[...told.values()].flatMap((one) => one.events), ...untold.map(({ event }) => event)];
  const invites = await readInvitesOf(tx, events);
  const byKey = new Map(invites.map((invite) => [inviteKey(invite), invite]));
  const ownFailures = await readOwnFailures(tx, toDecide);
  return {
    ...asked,
    mails: rows.map((row): OutboxMail => outboxMailOf(row, told.get(row.id), ownFailures.get(row.id))),
    invites,
    inviteOf: (watch, id) => byKey.get(inviteKey({ watch, id })) ?? null,
    silences: await readSilencesInForce(tx, now),
    released: await readReleased(tx, toDecide, now),
    untold,
  };
}

/** Locks all watches that what is written refers to, before any of it is written: that takes their locks one by one. */
async function lockTouched(tx: Tx, { suppressions, summaries, deadLetters }: Dispatch): Promise<void> {
  if (deadLetters.some(({ watches }) => watches === null)) await lockWatches(tx, null);
  const names = [
    ...suppressions.map(({ watch }) => watch),
    ...summaries.flatMap(({ watch }) => watch ?? []),
    ...deadLetters.flatMap(({ watches }) => watches ?? []),
  ];
  if (names.length > 0) await lockWatches(tx, [...new Set(names)]);
}

function holdsForSilence({ decisions }: Dispatch): boolean {
  return decisions.some((one) => one.kind === "held" && one.hold.cause === "silence");
}

/** Whether none of the silences has ended; none does from here on, until the transaction ends. */
async function areInForce(tx: Tx, silences: readonly Silence[], now: Date): Promise<boolean> {
  const ids = new Set((await readSilencesInForce(tx, now, { lock: true })).map(({ id }) => id));
  return silences.every(({ id }) => ids.has(id));
}
