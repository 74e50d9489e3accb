/** Reads mails with every attempt at them; of one mail, everything that is recorded. */
import type { DeliveryAttempt, Mail, MailStory } from "../../app/explain.ts";
import type { HistoryEntry, ListedMail } from "../../app/queries.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { type HistoryRow, historyEntryOf } from "./read-events.ts";
import { ask } from "./read-keyset.ts";
import { MAIL_COLUMNS, type MailRow, mailOf } from "./read-notifications.ts";

/**
 * The mails of which the condition on `notification n` holds, oldest first.
 *
 * @throws DatabaseError
 */
export async function readMails(database: Database, condition: Prisma.Sql): Promise<Mail[]> {
  const rows = await ask<MailRow & { last_attempt_at: Date | null }>(
    database,
    Prisma.sql`
      SELECT ${MAIL_COLUMNS}, n.last_attempt_at FROM notification n WHERE ${condition} ORDER BY n.created_at, n.id`,
  );
  const attempts = await readAttempts(
    database,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({
    ...mailOf(row),
    lastAttemptAt: row.last_attempt_at,
    deliveryAttempts: attempts.get(row.id) ?? [],
  }));
}

/** @throws DatabaseError */
export async function readMailStory(database: Database, id: string): Promise<MailStory> {
  const [mail] = await readMails(database, Prisma.sql`n.id = ${id}::uuid`);
  if (mail === undefined) throw new Error(`the mail ${id} is gone`);
  return { mail, told: await readTold(database, id), covers: await readCovered(database, id) };
}

/** The bytes that are kept, which are what every attempt sends; null before they are made. @throws DatabaseError */
export async function readMime(database: Database, id: string): Promise<Uint8Array | null> {
  const statement = Prisma.sql`SELECT mime FROM notification WHERE id = ${id}::uuid`;
  const [row] = await ask<{ mime: Uint8Array | null }>(database, statement);
  return row?.mime ?? null;
}

/** The mail, and those in whose place it and they tell, as `story`. */
function storyOf(id: string): Prisma.Sql {
  return Prisma.sql`
    WITH RECURSIVE story AS (
      SELECT id, watch, event_seqs FROM notification WHERE id = ${id}::uuid
      UNION
      SELECT n.id, n.watch, n.event_seqs FROM notification n JOIN story ON n.covered_by = story.id
    )`;
}

async function readTold(database: Database, id: string): Promise<HistoryEntry[]> {
  const rows = await ask<HistoryRow>(
    database,
    Prisma.sql`
      ${storyOf(id)}
      SELECT e.*, i.organization_name
      FROM (SELECT DISTINCT watch, unnest(event_seqs) AS seq FROM story) told
      JOIN event e ON e.watch = told.watch AND e.seq = told.seq
      LEFT JOIN invite i ON i.watch = e.watch AND i.id = e.invite_id
      ORDER BY e.watch, e.seq`,
  );
  return rows.map(historyEntryOf);
}

async function readCovered(database: Database, id: string): Promise<ListedMail[]> {
  const rows = await ask<MailRow>(
    database,
    Prisma.sql`
      ${storyOf(id)}
      SELECT ${MAIL_COLUMNS} FROM notification n JOIN story USING (id) WHERE n.id <> ${id}::uuid
      ORDER BY n.created_at, n.id`,
  );
  return rows.map(mailOf);
}

type AttemptRow = {
  notification_id: string;
  number: number;
  started_at: Date;
  duration_ms: number;
  way: string;
  stage: string;
  outcome: string;
  cause: string | null;
  code: number | null;
  enhanced_code: string | null;
  queue_id: string | null;
  said: string;
};

async function readAttempts(database: Database, mails: readonly string[]): Promise<Map<string, DeliveryAttempt[]>> {
  const rows = await ask<AttemptRow>(
    database,
    Prisma.sql`SELECT * FROM attempt WHERE notification_id = ANY (${[...mails]}::uuid[]) ORDER BY number`,
  );
  const byMail = Map.groupBy(rows, (row) => row.notification_id);
  return new Map([...byMail].map(([id, own]) => [id, own.map(attemptOf)]));
}

function attemptOf(row: AttemptRow): DeliveryAttempt {
  return {
    number: row.number,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    way: row.way as DeliveryAttempt["way"],
    stage: row.stage as DeliveryAttempt["stage"],
    outcome: row.outcome as DeliveryAttempt["outcome"],
    cause: row.cause,
    code: row.code,
    enhancedCode: row.enhanced_code,
    queueId: row.queue_id,
    said: row.said,
  };
}
