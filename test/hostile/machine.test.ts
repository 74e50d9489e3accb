import assert from "node:assert/strict";
import { Readable, Writable } from "node:stream";
import { test } from "node:test";
import { held, type Report, writeReport } from "../../src/cli/format.ts";
import type { Format } from "../../src/cli/reading.ts";
import { corpus, OBEYED, STRAY_JOINER } from "./corpus.ts";

type Row = { readonly text: string; readonly nested: { readonly [key: string]: readonly string[] } };

const rows: readonly Row[] = corpus.map(({ text }) => ({ text, nested: { [text]: [text, text] } }));
/** What a spreadsheet would calculate rather than show. */
const FORMULA = /^[=+\-@\t\r]/;

async function written(format: Format): Promise<string> {
  const chunks: Buffer[] = [];
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const report: Report<Row> = {
    noun: "rows",
    listing: held(rows),
    json: ({ text, nested }) => ({ text, nested }),
    keys: ["text", "nested"],
    columns: [],
  };
  const paging = { cursor: null, order: "asc", limit: null } as const;
  await writeReport(
    report,
    { format, paging, zoneName: "UTC" },
    {
      env: {},
      stdin: Readable.from([]),
      stdout,
      stderr: stdout,
      now: () => new Date(0),
      columns: 80,
      setExitCode: () => {},
    },
  );
  return Buffer.concat(chunks).toString();
}

test("JSON gives every text back, half characters too, and holds nothing that a terminal obeys", async () => {
  const json = await written("json");

  assert.deepEqual(JSON.parse(json).rows, rows);
  assert.doesNotMatch(json.replaceAll("\n", ""), /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
});

test("NDJSON has one line a row and gives every text back", async () => {
  const lines = (await written("ndjson")).trimEnd().split("\n");

  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    rows,
  );
  for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
});

test("CSV has one record a row that is safe to open, and gives every nested value back", async () => {
  const [header, ...records] = readCsv(await written("csv"));

  assert.deepEqual(header, ["text", "nested"]);
  assert.deepEqual(
    records.map(([, nested = ""]) => JSON.parse(nested)),
    rows.map(({ nested }) => nested),
  );
  for (const cell of records.flat()) {
    assert.doesNotMatch(cell, FORMULA);
    assert.doesNotMatch(cell, OBEYED);
    assert.doesNotMatch(cell, STRAY_JOINER);
  }
});

/** The records of a CSV as RFC 4180 has them. */
function readCsv(csv: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const [, inQuotes, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    record.push(inQuotes?.replaceAll('""', '"') ?? plain ?? "");
    if (end === "\r\n") {
      records.push(record);
      record = [];
    }
  }
  return records;
}

test("the corpus has what it is for", () => {
  const texts = corpus.map(({ text }) => text);

  assert.ok(texts.some((text) => text.length >= 10_000));
  assert.ok(texts.some((text) => !text.isWellFormed()));
  assert.ok(texts.filter((text) => OBEYED.test(text)).length > 30);
  assert.ok(texts.filter((text) => FORMULA.test(text)).length > 8);
});
