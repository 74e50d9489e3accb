/** Reads invites as last known. */
import type { InviteFilter, Listing, Paging } from "../../app/queries.ts";
import type { Invite } from "../../domain/invite.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { ask, instant, list } from "./read-keyset.ts";
import { type InviteRow, inviteOf } from "./rows.ts";

/** A shorter text is taken for a whole id, not for the beginning of one. */
const SHORTEST_BEGINNING = 6;

/** Newest invitation first when descending. @throws CursorError */
export function listInvites(database: Database, filter: InviteFilter, paging: Paging): Listing<Invite> {
  const { watches, status, organization, expiring } = filter;
  const where: Prisma.Sql[] = [];
  if (watches !== null) where.push(Prisma.sql`i.watch = ANY (${[...watches]}::text[])`);
  if (status !== null) where.push(Prisma.sql`i.status = ${status}`);
  if (organization !== null) where.push(organizationIs(organization));
  if (expiring !== null) {
    where.push(Prisma.sql`i.expires_at > ${instant(expiring.after)} AND i.expires_at <= ${instant(expiring.until)}`);
  }
  return list<InviteRow, Invite>(
    database,
    {
      name: "invites",
      select: Prisma.sql`SELECT i.* FROM invite i`,
      where,
      keys: [
        {
          column: Prisma.sql`coalesce(i.invited_at, i.first_seen_at)`,
          type: "timestamptz",
          of: (invite) => invite.invitedAt ?? invite.firstSeenAt,
        },
        { column: Prisma.sql`i.watch`, type: "text", of: (invite) => invite.watch },
        { column: Prisma.sql`i.id`, type: "text", of: (invite) => invite.id },
      ],
      itemOf: inviteOf,
    },
    paging,
  );
}

/** See `InviteFinder`. @throws DatabaseError */
export async function readInvitesNamed(
  database: Database,
  text: string,
  watches: readonly string[] | null,
  limit: number,
): Promise<Invite[]> {
  const named = text.length < SHORTEST_BEGINNING ? Prisma.sql`i.id = ${text}` : Prisma.sql`starts_with(i.id, ${text})`;
  const among = watches === null ? Prisma.sql`true` : Prisma.sql`i.watch = ANY (${[...watches]}::text[])`;
  const rows = await ask<InviteRow>(
    database,
    Prisma.sql`
      SELECT i.* FROM invite i WHERE ${named} AND ${among} ORDER BY i.id <> ${text}, i.id, i.watch LIMIT ${limit}`,
  );
  const exact = rows.filter(({ id }) => id === text);
  return (exact.length > 0 ? exact : rows).map(inviteOf);
}

/** Condition on an invite `i`: part of the organization's name, or its id. */
export function organizationIs(text: string): Prisma.Sql {
  return Prisma.sql`(${holds(Prisma.sql`i.organization_name`, text)} OR i.organization_id = ${text})`;
}

/** Whether the column holds the text somewhere, upper and lower case alike. */
export function holds(column: Prisma.Sql, text: string): Prisma.Sql {
  return Prisma.sql`strpos(lower(${column}), lower(${text})) > 0`;
}
