/** Writes what people decide about mails that are owed or were given up, each decision in one transaction. */
import type { MailChange, MailDecisionStore } from "../../app/mail-decisions.ts";
import type { ListedMail } from "../../app/queries.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import { appendToChains, lockWatches } from "./chains.ts";
import { readWatchesOf } from "./deaths.ts";
import type { Database } from "./open.ts";
import { readTold } from "./outbox-content.ts";
import type { Queue } from "./queue.ts";
import { ask, instant } from "./read-keyset.ts";
import { MAIL_COLUMNS, type MailRow, mailOf } from "./read-notifications.ts";
import { lockRecipients, withIds } from "./recipient-lock.ts";
import { probeDueAt } from "./relay-state.ts";
import type { NotificationRow } from "./rows.ts";

type Tx = Prisma.TransactionClient;
type Transact = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

/** A shorter text is not taken for the beginning of an id. */
const SHORTEST_BEGINNING = 6;

export function createMailDecisions(
  database: Database,
  transact: Transact,
  enqueueDeliveries: Queue["enqueueDeliveries"],
): MailDecisionStore {
  return {
    async mailsNamed(text, limit) {
      const meant = meantBy(text);
      if (meant === null) return [];
      const statement = Prisma.sql`
        SELECT ${MAIL_COLUMNS} FROM notification n WHERE ${meant}
        ORDER BY n.created_at DESC, n.id LIMIT ${limit}`;
      return (await ask<MailRow>(database, statement)).map(mailOf);
    },
    async deadMails() {
      const rows = await ask<{ id: string }>(database, Prisma.sql`SELECT id FROM notification WHERE state = 'dead'`);
      return rows.map(({ id }) => id);
    },
    changeMails: (ids, decide) =>
      transact(async (tx) => {
        const mails = await lockMails(tx, ids);
        const change = decide(mails);
        if (change !== null && change.mails.length > 0) await carryOut(tx, change, enqueueDeliveries);
        return mails;
      }),
    async probeSoon(at) {
      const [row] = await ask<{ down_since: Date }>(database, probeDueAt(at));
      return row?.down_since ?? null;
    },
  };
}

/** The condition on `notification n`; null where no mail can be meant. */
function meantBy(text: string): Prisma.Sql | null {
  if (text.includes("@")) return Prisma.sql`n.message_id = ${text.trim().replace(/^<(.*)>$/, "$1")}`;
  if (text.length < SHORTEST_BEGINNING) return null;
  return Prisma.sql`starts_with(n.id::text, ${text.toLowerCase()})`;
}

/** The mails, oldest first, of which nobody else decides until the transaction ends. */
async function lockMails(tx: Tx, ids: readonly string[]): Promise<ListedMail[]> {
  await lockRecipients(tx, withIds(ids));
  const rows = await tx.$queryRaw<MailRow[]>`
    SELECT ${MAIL_COLUMNS} FROM notification n WHERE ${withIds(ids)}
    ORDER BY n.created_at, n.id FOR UPDATE`;
  return rows.map(mailOf);
}

async function carryOut(tx: Tx, change: MailChange, enqueueDeliveries: Queue["enqueueDeliveries"]): Promise<void> {
  await recordIn(tx, change);
  const ids = change.mails.map(({ id }) => id);
  if (change.kind === "discard") {
    const data = { state: "cancelled", reason: change.reason, nextAttemptAt: null, waitsForRelay: false };
    await tx.notification.updateMany({ where: { id: { in: ids } }, data });
    return;
  }
  const at = instant(change.at);
  // One that never left gets its five days too, but is none of the mails of this hour.
  await tx.$executeRaw`
    UPDATE notification SET state = 'pending', next_attempt_at = least(next_attempt_at, ${at}), reason = NULL,
      waits_for_relay = false,
      released_at = CASE WHEN mime IS NOT NULL THEN ${at}
        WHEN (state = 'dead' OR waits_for_relay) AND coalesce(released_at, created_at) < ${at} - interval '1 hour'
          THEN ${at} - interval '1 hour'
        ELSE released_at END
    WHERE id = ANY (${ids}::uuid[])`;
  await enqueueDeliveries(tx, ids);
}

/** Adds the event to the chain of each watch that any of the mails tells of, with the ids of those that do. */
async function recordIn(tx: Tx, { mails, event }: MailChange): Promise<void> {
  const ids = mails.map(({ id }) => id);
  const rows = await tx.$queryRaw<NotificationRow[]>`SELECT * FROM notification WHERE ${withIds(ids)}`;
  const watchesOf = await readWatchesOf(tx, rows, await readTold(tx, rows));
  const idsOf = new Map<string, string[]>();
  for (const id of ids) {
    for (const name of watchesOf(id)) {
      idsOf.set(name, [...(idsOf.get(name) ?? []), id]);
    }
  }
  for (const locked of await lockWatches(tx, [...idsOf.keys()])) {
    await appendToChains(tx, [locked], event(idsOf.get(locked.name) ?? []));
  }
}
