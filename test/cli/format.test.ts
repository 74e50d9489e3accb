import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Column, renderTable } from "../../src/cli/format-table.ts";
import { cutTo, printable, quoted, widthOf } from "../../src/cli/printable.ts";

test("nothing in a text is obeyed by a terminal", () => {
  const text = printable("a\u001b[31m\u202eb\r\n\u0000\u009bc\u200b\ud800");

  assert.equal(text, "a\\u{1b}[31m\\u{202e}b\\u{d}\\u{a}\\u{0}\\u{9b}c\\u{200b}\\u{d800}");
});

test("a quoted text cannot close its quotation marks", () => {
  assert.equal(quoted('Acme” is good, “ "x"'), "“Acme' is good, ' 'x'”");
});

test("a very long text is cut", () => {
  assert.equal(printable("x".repeat(10_000)).length, 401);
});

test("a text is cut to columns, not to characters", () => {
  assert.deepEqual(
    [cutTo("株式会社", 8), cutTo("株式会社", 6), cutTo("abc", 2), widthOf("e\u0301🎉")],
    ["株式会社", "株式…", "a…", 3],
  );
});

type Row = { readonly name: string; readonly note: string };
const columns: readonly Column<Row>[] = [
  { title: "NAME", cell: (row) => row.name, flexible: true },
  { title: "N", cell: (row) => String(row.name.length), align: "right" },
  { title: "WIDE", cell: () => "w", from: 100 },
  { title: "EMPTY", cell: () => "" },
  { title: "NOTE", cell: (row) => row.note, flexible: true, below: true },
];

test("a table has one line a row where all fits, and no empty column", () => {
  const rows = [
    { name: "a", note: "first" },
    { name: "longer name", note: "" },
  ];

  assert.deepEqual(renderTable(rows, columns, 80), [
    "NAME          N  NOTE",
    "a             1  first",
    "longer name  11",
  ]);
});

test("what does not fit goes below its row, broken between words", () => {
  const rows = [{ name: "a", note: "a note that is too long to stand beside the name" }];

  assert.deepEqual(renderTable(rows, columns, 30), [
    "NAME  N",
    "a     1",
    "  a note that is too long to",
    "  stand beside the name",
  ]);
});

test("a wider terminal shows more", () => {
  assert.equal(renderTable([{ name: "a", note: "" }], columns, 100)[0], "NAME  N  WIDE");
});

test("no line of a table is wider than the terminal", () => {
  const rows = fc.array(fc.record({ name: fc.string({ unit: "grapheme" }), note: fc.string({ unit: "grapheme" }) }), {
    minLength: 1,
  });

  fc.assert(
    fc.property(rows, fc.integer({ min: 40, max: 160 }), (some, width) => {
      for (const line of renderTable(some, columns, width)) assert.ok(widthOf(line) <= width, line);
    }),
  );
});
