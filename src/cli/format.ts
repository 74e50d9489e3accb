/** Writes the rows of an answer as a table, JSON, NDJSON or CSV: one way for every reading command. */
import { collect, type Listing, type Paging } from "../app/queries.ts";
import { visibleJson } from "../domain/visible.ts";
import { type Context, write } from "./context.ts";
import { csvLine } from "./format-csv.ts";
import { type Column, renderTable } from "./format-table.ts";
import { hang } from "./lines.ts";
import type { Format } from "./reading.ts";

/** A row in its public form; the keys are the header of a CSV. */
export type JsonRow = Readonly<Record<string, unknown>>;

export type Report<Row> = {
  /** What the rows are called in JSON. */
  readonly noun: string;
  readonly listing: Listing<Row>;
  readonly json: (row: Row) => JsonRow;
  /** The keys of `json`, in their order. */
  readonly keys: readonly string[];
  readonly columns: readonly Column<Row>[];
  /** What a table and JSON have beside the rows; asked for only then. */
  readonly closing?: () => Promise<Closing>;
};

export type Closing = { readonly json: JsonRow; readonly lines: readonly string[] };

export type Output = { readonly format: Format; readonly paging: Paging; readonly zoneName: string };

export async function writeReport<Row>(report: Report<Row>, output: Output, context: Context): Promise<void> {
  switch (output.format) {
    case "table":
      return writeTable(report, output, context);
    case "json":
      return writeJson(report, output, context);
    case "ndjson":
      return writeLines(report, output, context, { line: (row) => `${visibleJson(report.json(row))}\n` });
    case "csv": {
      const line = (row: Row) => {
        const json = report.json(row);
        return csvLine(report.keys.map((key) => json[key]));
      };
      return writeLines(report, output, context, { first: csvLine(report.keys), line });
    }
  }
}

async function writeTable<Row>(report: Report<Row>, { paging, zoneName }: Output, context: Context): Promise<void> {
  const { rows, next } = await collect(report.listing, paging.limit ?? Number.POSITIVE_INFINITY);
  const closing = (await report.closing?.()) ?? { lines: [] };
  const table = rows.length === 0 ? [`No ${report.noun}.`] : renderTable(rows, report.columns, context.columns);
  const more = next === null ? [] : [`There are more: ask with a higher --limit, or with --cursor ${next}`];
  const zone = rows.length === 0 ? [] : [`Times are in ${zoneName}.`];
  const ending = [...closing.lines.flatMap((line) => hang(line, context)), ...more, ...zone];
  await write(context.stdout, `${[...table, ...(ending.length === 0 ? [] : ["", ...ending])].join("\n")}\n`);
}

async function writeJson<Row>(report: Report<Row>, { paging }: Output, { stdout }: Context): Promise<void> {
  const { rows, next } = await collect(report.listing, paging.limit ?? Number.POSITIVE_INFINITY);
  const closing = (await report.closing?.()) ?? { json: {} };
  await write(stdout, jsonText({ [report.noun]: rows.map(report.json), next, ...closing.json }));
}

/** A listing of rows that are all there already. */
export function held<Row>(rows: readonly Row[]): Listing<Row> {
  return { rows: inTurn(rows), cursorOf: () => "" };
}

async function* inTurn<Row>(rows: readonly Row[]): AsyncGenerator<Row> {
  yield* rows;
}

export function jsonText(value: unknown): string {
  return `${visibleJson(value, 2)}\n`;
}

/** Enough for one write; a row may be larger. */
const CHUNK_LENGTH = 64 * 1024;

/** Rows as they are read: the answer may be of any length. */
async function writeLines<Row>(
  { listing }: Report<Row>,
  { paging }: Output,
  { stdout, stderr }: Context,
  { first = "", line }: { first?: string; line: (row: Row) => string },
): Promise<void> {
  let chunk = first;
  let count = 0;
  let last: Row | undefined;
  for await (const row of listing.rows) {
    if (count === paging.limit && last !== undefined) {
      await write(stdout, chunk);
      await write(stderr, `There are more: ask with --cursor ${listing.cursorOf(last)}\n`);
      return;
    }
    chunk += line(row);
    if (chunk.length >= CHUNK_LENGTH) {
      await write(stdout, chunk);
      chunk = "";
    }
    count += 1;
    last = row;
  }
  await write(stdout, chunk);
}
