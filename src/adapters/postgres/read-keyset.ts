/** Reads a list by keyset: page after page from where the last one ended, never by counting rows. */
import { CursorError, type Listing, type Paging, readCursor } from "../../app/queries.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import { asDatabaseError, where } from "./database-error.ts";
import type { Database } from "./open.ts";

/** A column of the order, and its value in a row as it is written into a cursor. */
export type Key<Item> = {
  readonly column: Prisma.Sql;
  readonly type: "timestamptz" | "text" | "integer" | "uuid";
  readonly of: (item: Item) => Date | string | number;
};

export type Keyset<Row, Item> = {
  /** Names the list in its cursors, so that one list's cursor is refused by another. */
  readonly name: string;
  /** `SELECT … FROM …` */
  readonly select: Prisma.Sql;
  readonly where: readonly Prisma.Sql[];
  /** Together unique. */
  readonly keys: readonly Key<Item>[];
  readonly itemOf: (row: Row) => Item;
};

/** Bounds the memory of an answer of any length. */
const PAGE_ROWS = 1_000;

/** The rows of the statement. @throws DatabaseError */
export async function ask<Row>(database: Database, statement: Prisma.Sql): Promise<Row[]> {
  try {
    return await database.prisma.$queryRaw<Row[]>(statement);
  } catch (error) {
    throw asDatabaseError(error, where(database.connection));
  }
}

/** The instant as a parameter that means the same whatever the session's time zone. */
export function instant(at: Date): Prisma.Sql {
  return Prisma.sql`${at.toISOString()}::timestamptz`;
}

/** @throws CursorError */
export function list<Row, Item>(database: Database, keyset: Keyset<Row, Item>, paging: Paging): Listing<Item> {
  const start = paging.cursor === null ? null : valuesIn(keyset, paging);
  return {
    rows: pages(database, keyset, paging, start),
    cursorOf: (item) => writeCursor(keyset, paging, valuesOf(keyset, item)),
  };
}

type Values = readonly (string | number)[];

async function* pages<Row, Item>(
  database: Database,
  keyset: Keyset<Row, Item>,
  { order, limit }: Paging,
  start: Values | null,
): AsyncGenerator<Item> {
  let after = start;
  for (let taken = 0; ; taken += PAGE_ROWS) {
    const size = limit === null ? PAGE_ROWS : Math.min(PAGE_ROWS, limit + 1 - taken);
    if (size <= 0) return;
    const rows = await ask<Row>(database, statementOf(keyset, order, after, size));
    for (const [index, row] of rows.entries()) {
      const item = keyset.itemOf(row);
      if (index === rows.length - 1) after = valuesOf(keyset, item);
      yield item;
    }
    if (rows.length < size) return;
  }
}

function statementOf<Row, Item>(
  { select, where: conditions, keys }: Keyset<Row, Item>,
  order: Paging["order"],
  after: Values | null,
  size: number,
): Prisma.Sql {
  const columns = keys.map((key) => key.column);
  const all = [...conditions];
  if (after !== null) {
    const values = keys.map((key, index) => Prisma.sql`${after[index]}::${Prisma.raw(key.type)}`);
    const beyond = Prisma.raw(order === "asc" ? ">" : "<");
    all.push(Prisma.sql`(${Prisma.join(columns)}) ${beyond} (${Prisma.join(values)})`);
  }
  const filter = all.length === 0 ? Prisma.empty : Prisma.sql`WHERE ${Prisma.join(all, " AND ")}`;
  const direction = Prisma.raw(order);
  const sorting = Prisma.join(columns.map((column) => Prisma.sql`${column} ${direction}`));
  return Prisma.sql`${select} ${filter} ORDER BY ${sorting} LIMIT ${size}`;
}

function valuesOf<Row, Item>({ keys }: Keyset<Row, Item>, item: Item): Values {
  return keys.map((key) => {
    const value = key.of(item);
    return value instanceof Date ? value.toISOString() : value;
  });
}

function writeCursor<Row, Item>({ name }: Keyset<Row, Item>, { order }: Paging, values: Values): string {
  return Buffer.from(JSON.stringify([name, order, ...values])).toString("base64url");
}

function valuesIn<Row, Item>({ name, keys }: Keyset<Row, Item>, { cursor, order }: Paging): Values {
  const values = readCursor(cursor ?? "", name, order);
  if (values.length !== keys.length || !keys.every((key, index) => fits(key.type, values[index]))) {
    throw new CursorError("The cursor is not one that invitewatch gave.");
  }
  return values as Values;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function fits(type: Key<never>["type"], value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value) && Math.abs(value as number) < 2 ** 31;
  if (typeof value !== "string" || value.includes("\0")) return false;
  if (type === "uuid") return UUID.test(value);
  return type === "text" || (INSTANT.test(value) && !Number.isNaN(Date.parse(value)));
}
