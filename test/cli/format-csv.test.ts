import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { csvLine } from "../../src/cli/format-csv.ts";

for (const [value, cell] of [
  ["plain", "plain"],
  ["a,b", "a,b"],
  ['say "x"', 'say ""x""'],
  ["two\r\nlines\u2028three", "two lines three"],
  ["=1+1", "'=1+1"],
  ["+1", "'+1"],
  ["-1", "'-1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\tx", "' x"],
  ["\rx", "' x"],
  [" =1", "' =1"],
  ['"=1', `'""=1`],
  ["\uff1d1", "'\uff1d1"],
  ["\u22121", "'\u22121"],
  ["\ufeff=1", "\\u{feff}=1"],
  ['=HYPERLINK("x","y")', `'=HYPERLINK(""x"",""y"")`],
  ["Acme;=cmd|' /C calc'!A0", "Acme;'=cmd|' /C calc'!A0"],
  ["a|+1\t-2\n@x", "a|'+1 '-2 '@x"],
  ["a=b", "a=b"],
  ["Acme - Berlin", "Acme - Berlin"],
  ["a\u001b[31m\u009b\u202e", "a\\u{1b}[31m\\u{9b}\\u{202e}"],
  [null, ""],
  [true, "true"],
  [12, "12"],
  [["a", "b"], '[""a"",""b""]'],
  [{ a: null }, '{""a"":null}'],
] as const) {
  test(`in CSV ${JSON.stringify(value)} is ${JSON.stringify(cell)}`, () => {
    assert.equal(csvLine([value]), `"${cell}"\r\n`);
  });
}

test("a nested value is JSON that reads back to the same", () => {
  const nested = { "=a": ["=1", "x;+1", '"-1', "\u001b\ufeff@x"], b: [{ c: "\uff1d" }] };

  const [, json = ""] = /^"(.*)"\r\n$/.exec(csvLine([nested])) ?? [];

  assert.deepEqual(JSON.parse(json.replaceAll('""', '"')), nested);
});

/** Text made to become a formula for one reader or another. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(..."=+-@\uff1d\uff0b\uff0d\uff20\u2212\ufe63\ufe62\u207b\u2010"),
      fc.constantFrom(",", ";", "\t", "|", "\n", "\r", "\r\n", "\v", "\u2028", '"', "'", " ", "\u3000"),
      fc.constantFrom("\ufeff", "\u200b", "\u00ad", "\0", "\\", "cmd", "1", "é"),
      fc.string({ unit: "binary", maxLength: 3 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));
const value = fc.oneof(hostile, fc.array(hostile, { maxLength: 3 }), fc.dictionary(hostile, hostile, { maxKeys: 2 }));
const FORMULA = /^["\s\p{Cf}]*[=+@\p{Pd}\u2212\u207a\u207b\u207c\u208a-\u208c\ufe62\ufe63\ufe66\uff0b\uff1d\uff20]/u;

for (const separator of [",", ";", "\t", "|"]) {
  test(`no cell is a formula where ${JSON.stringify(separator)} separates cells`, () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 3 }), (values) => {
        const line = csvLine(values);

        for (const cell of [...splitOnly(line, separator), ...readRecord(line, separator)]) {
          assert.doesNotMatch(cell, FORMULA, line);
        }
      }),
      { numRuns: 2000 },
    );
  });
}

/** What a reader sees that does not know of quotes. */
function splitOnly(line: string, separator: string): readonly string[] {
  return line.split(/[\r\n\v\f\x85\u2028\u2029]/).flatMap((part) => part.split(separator));
}

/** What a spreadsheet sees: what stands behind the closing quote of a cell belongs to it, up to the separator. */
function readRecord(line: string, separator: string): readonly string[] {
  const cells: string[] = [];
  let rest: string | null = line.slice(0, -2);
  while (rest !== null) {
    const [inQuotes = ""] = /^"(?:[^"]|"")*"?/.exec(rest) ?? [];
    const end: number = rest.indexOf(separator, inQuotes.length);
    const behind = rest.slice(inQuotes.length, end < 0 ? undefined : end);
    cells.push(inQuotes.replace(/^"|"$/g, "").replaceAll('""', '"') + behind);
    rest = end < 0 ? null : rest.slice(end + 1);
  }
  return cells;
}

test("a record has no line end but its own, and nothing that a terminal obeys", () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 3 }), (values) => {
      const line = csvLine(values);

      assert.ok(line.endsWith("\r\n"));
      assert.doesNotMatch(line.slice(0, -2), /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u);
    }),
    { numRuns: 2000 },
  );
});

test("a long hostile value takes no longer than another", () => {
  for (const piece of ['"', " ", ",", "\t", ";", ';"', "-", "; ", '["', "\n="]) {
    const text = piece.repeat(20_000 / piece.length);
    const startedAt = performance.now();
    csvLine([text, { [text]: text }]);

    assert.ok(performance.now() - startedAt < 300, JSON.stringify(piece));
  }
});
