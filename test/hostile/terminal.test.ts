import assert from "node:assert/strict";
import { test } from "node:test";
import { type Column, renderTable } from "../../src/cli/format-table.ts";
import { printable, quoted, widthOf } from "../../src/cli/printable.ts";
import { summaryOf } from "../../src/cli/summary.ts";
import { createZone } from "../../src/cli/zone.ts";
import { mailsOf } from "../mail/every-kind.ts";
import { corpus, names, OBEYED, STRAY_JOINER } from "./corpus.ts";

const COLUMNS: readonly Column<string>[] = [
  { title: "PLAIN", cell: (text) => text, flexible: true },
  { title: "QUOTED", cell: quoted, flexible: true, below: true },
  { title: "N", cell: (text) => String(text.length), align: "right" },
];
const zone = createZone("Europe/Berlin");

for (const { name, text } of corpus) {
  test(`a table shows a stranger's text and obeys nothing in it (${name})`, () => {
    for (const width of [40, 80, 200]) {
      for (const line of renderTable([text, "Acme"], COLUMNS, width)) {
        assert.doesNotMatch(line, OBEYED);
        assert.doesNotMatch(line, STRAY_JOINER);
        assert.ok(widthOf(line) <= width, line);
      }
    }
  });

  test(`an event's summary is one line that nothing in it can break (${name})`, () => {
    for (const { events } of Object.values(mailsOf(text))) {
      for (const event of events) {
        const line = printable(summaryOf(event, text, zone));

        assert.doesNotMatch(line, OBEYED);
      }
    }
  });
}

test("a name in any script is shown on a terminal as it was written", () => {
  for (const { name, text } of names) {
    const [, row = ""] = renderTable([text], COLUMNS, 200);

    assert.ok(row.startsWith(text), `${name}: ${row}`);
    assert.equal(quoted(text), `“${text}”`, name);
  }
});

test("nothing inside quotation marks on a terminal can close them", () => {
  for (const { name, text } of corpus) assert.doesNotMatch(quoted(text).slice(1, -1), /[“”„‟"]/, name);
});
