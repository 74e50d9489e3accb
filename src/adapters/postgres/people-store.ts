/** Writes what people say about alerts: each act in one transaction with its events. */
import type { EndedSilence, PeopleStore } from "../../app/people.ts";
import type { EventDraft } from "../../domain/event.ts";
import type { Invite } from "../../domain/invite.ts";
import { isInForce, type Silence } from "../../domain/silence.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import { appendToChains, lockWatches } from "./chains.ts";
import { asDatabaseError, where } from "./database-error.ts";
import { createMailDecisions } from "./mail-decisions.ts";
import type { Database } from "./open.ts";
import type { Queue } from "./queue.ts";
import { organizationIs, readInvitesNamed } from "./read-invites.ts";
import { ask, instant } from "./read-keyset.ts";
import { type SilenceRow, silenceFrom } from "./read-silences.ts";
import { lockRecipients } from "./recipient-lock.ts";
import { type InviteRow, inviteOf } from "./rows.ts";

type Tx = Prisma.TransactionClient;

/** A sync may hold a watch's lock for as long as it writes. */
const TRANSACTION = { timeout: 120_000, maxWait: 20_000 };

export function createPeopleStore(database: Database, enqueueDeliveries: Queue["enqueueDeliveries"]): PeopleStore {
  const transact = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    try {
      return await database.prisma.$transaction(work, TRANSACTION);
    } catch (error) {
      throw asDatabaseError(error, where(database.connection));
    }
  };
  return {
    ...createMailDecisions(database, transact, enqueueDeliveries),
    async watchNames() {
      const rows = await ask<{ name: string }>(database, Prisma.sql`SELECT name FROM watch ORDER BY name`);
      return rows.map(({ name }) => name);
    },
    invitesNamed: (text, watches, limit) => readInvitesNamed(database, text, watches, limit),
    async silencesNamed(text, limit) {
      const statement = Prisma.sql`
        SELECT * FROM silence WHERE starts_with(id::text, ${text.toLowerCase()}) ORDER BY created_at DESC LIMIT ${limit}`;
      return (await ask<SilenceRow>(database, statement)).map(silenceFrom);
    },
    acknowledge: (about, at, decide) => transact((tx) => acknowledge(tx, about, at, decide)),
    addSilence: (silence, event) => transact((tx) => addSilence(tx, silence, event)),
    pendingUnder: (silence, now, limit) => pendingUnder(database, silence, now, limit),
    endSilence: (id, end, event) => transact((tx) => endSilence(tx, { id, ...end, event, enqueueDeliveries })),
  };
}

async function acknowledge(
  tx: Tx,
  { watch, id }: Pick<Invite, "watch" | "id">,
  at: Date,
  decide: (invite: Invite) => EventDraft | null,
): Promise<Invite> {
  const watches = await lockWatches(tx, [watch]);
  const [row] = await tx.$queryRaw<InviteRow[]>`SELECT * FROM invite WHERE watch = ${watch} AND id = ${id}`;
  if (row === undefined) throw new Error(`the invite ${id} of ${watch} is gone`);
  const event = decide(inviteOf(row));
  if (event !== null) {
    await tx.$executeRaw`UPDATE invite SET acknowledged_at = ${instant(at)} WHERE watch = ${watch} AND id = ${id}`;
    await appendToChains(tx, watches, event);
  }
  return inviteOf(row);
}

async function addSilence(tx: Tx, silence: Silence, event: EventDraft): Promise<readonly string[]> {
  const watches = await lockWatches(tx, silence.watch === null ? null : [silence.watch]);
  const { id, watch, inviteId, organization, until, reason, by, createdAt } = silence;
  await tx.$executeRaw`
    INSERT INTO silence (id, watch, invite_id, organization, until, reason, created_by, created_at)
    VALUES (${id}::uuid, ${watch}, ${inviteId}, ${organization}, ${instant(until)}, ${reason}, ${by}, ${instant(createdAt)})`;
  await appendToChains(tx, watches, event);
  return watches.map(({ name }) => name);
}

async function pendingUnder(database: Database, silence: Silence, now: Date, limit: number) {
  const { watch, inviteId, organization } = silence;
  const conditions = [Prisma.sql`i.status = 'pending' AND coalesce(i.expires_at > ${instant(now)}, true)`];
  if (watch !== null) conditions.push(Prisma.sql`i.watch = ${watch}`);
  conditions.push(inviteId === null ? organizationIs(organization ?? "") : Prisma.sql`i.id = ${inviteId}`);
  const rows = await ask<InviteRow & { count: bigint }>(
    database,
    Prisma.sql`
      SELECT i.*, count(*) OVER () AS count FROM invite i WHERE ${Prisma.join(conditions, " AND ")}
      ORDER BY i.expires_at, i.watch, i.id LIMIT ${limit}`,
  );
  return { count: Number(rows[0]?.count ?? 0), first: rows.map(inviteOf) };
}

type Ending = {
  readonly id: string;
  readonly by: string;
  readonly at: Date;
  readonly event: EventDraft;
  readonly enqueueDeliveries: Queue["enqueueDeliveries"];
};

async function endSilence(tx: Tx, { id, by, at, event, enqueueDeliveries }: Ending): Promise<EndedSilence> {
  // The decisions about waiting mails that are being taken end first: none may hold one for a silence that ends here.
  await lockRecipients(tx, Prisma.sql`state = 'pending' AND mime IS NULL`);
  const chains = await tx.$queryRaw<{ watch: string }[]>`
    SELECT DISTINCT watch FROM event WHERE type = 'silence.created' AND data->>'silenceId' = ${id}`;
  const watches = await lockWatches(
    tx,
    chains.map(({ watch }) => watch),
  );
  const [row] = await tx.$queryRaw<SilenceRow[]>`SELECT * FROM silence WHERE id = ${id}::uuid FOR UPDATE`;
  if (row === undefined) throw new Error(`the silence ${id} is gone`);
  const silence = silenceFrom(row);
  if (!isInForce(silence, at)) return { silence, released: null };

  await tx.$executeRaw`UPDATE silence SET ended_at = ${instant(at)}, ended_by = ${by} WHERE id = ${id}::uuid`;
  await appendToChains(tx, watches, event);
  const held = await tx.$queryRaw<{ id: string }[]>`
    WITH held AS (
      SELECT id FROM notification WHERE state = 'pending' AND mime IS NULL AND held_by = 'silence'
      ORDER BY created_at, id FOR UPDATE
    )
    UPDATE notification n SET next_attempt_at = ${instant(at)}, reason = NULL
    FROM held WHERE n.id = held.id RETURNING n.id`;
  const ids = held.map((notification) => notification.id);
  if (ids.length > 0) await enqueueDeliveries(tx, ids);
  return { silence, released: ids.length };
}
