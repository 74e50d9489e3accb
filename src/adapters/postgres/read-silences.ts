/** Rows of the table `silence`. */
import type { Listing, Paging } from "../../app/queries.ts";
import type { Silence } from "../../domain/silence.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { instant, list } from "./read-keyset.ts";

export type SilenceRow = {
  id: string;
  watch: string | null;
  invite_id: string | null;
  organization: string | null;
  until: Date;
  reason: string;
  created_by: string;
  created_at: Date;
  ended_at: Date | null;
};

export function silenceFrom(row: SilenceRow): Silence {
  return {
    id: row.id,
    watch: row.watch,
    inviteId: row.invite_id,
    organization: row.organization,
    until: row.until,
    reason: row.reason,
    by: row.created_by,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  };
}

/**
 * Those that hold alerts now.
 *
 * @param lock whether none of them ends before the transaction does: whoever holds a mail for one has it, so that whoever
 *   ends that one finds the mail. After the locks of watches.
 */
export async function readSilencesInForce(
  db: Pick<Prisma.TransactionClient, "$queryRaw">,
  now: Date,
  { lock = false } = {},
): Promise<Silence[]> {
  const rows = await db.$queryRaw<SilenceRow[]>`
    SELECT * FROM silence WHERE ended_at IS NULL AND until > ${now} ORDER BY created_at
    ${lock ? Prisma.sql`FOR SHARE` : Prisma.empty}`;
  return rows.map(silenceFrom);
}

export type SilenceFilter = {
  /** Those of these watches, and those of all; null for every one. */
  readonly watches: readonly string[] | null;
  /** Only what was in force then; null for all, ended ones too. */
  readonly inForceAt: Date | null;
};

/** Silences by createdAt. @throws CursorError */
export function listSilences(database: Database, filter: SilenceFilter, paging: Paging): Listing<Silence> {
  const { watches, inForceAt } = filter;
  const where: Prisma.Sql[] = [];
  if (watches !== null) where.push(Prisma.sql`(s.watch IS NULL OR s.watch = ANY (${[...watches]}::text[]))`);
  if (inForceAt !== null) where.push(Prisma.sql`s.ended_at IS NULL AND s.until > ${instant(inForceAt)}`);
  return list<SilenceRow, Silence>(
    database,
    {
      name: "silences",
      select: Prisma.sql`SELECT s.* FROM silence s`,
      where,
      keys: [
        { column: Prisma.sql`s.created_at`, type: "timestamptz", of: (silence) => silence.createdAt },
        { column: Prisma.sql`s.id`, type: "uuid", of: (silence) => silence.id },
      ],
      itemOf: silenceFrom,
    },
    paging,
  );
}
