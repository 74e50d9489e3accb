/** The text part: plain lines of 78 columns at most, complete by itself. */

import { DASHBOARD_URL } from "./links.ts";
import type { Fact, ItemView, MailView, SectionView } from "./model.ts";

const WIDTH = 78;
const LABEL_WIDTH = 18;

/** The mail as plain text, with LF line ends. */
export function renderText(view: MailView): string {
  const blocks = [
    wrap(view.title),
    wrap(view.lead),
    ...view.sections.flatMap(sectionBlocks),
    ...view.notes.map((note) => wrap(note)),
    wrap(view.action),
    `  ${DASHBOARD_URL}`,
    "-".repeat(40),
    view.footer.map((fact) => factLines(fact, "")).join("\n"),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function sectionBlocks({ title, summary, items, more }: SectionView): readonly string[] {
  return [
    ...(title === null ? [] : [headingLines(summary === null ? title : `${title}: ${summary}`)]),
    ...items.map(itemBlock),
    ...(more === null ? [] : [more]),
  ];
}

function headingLines(heading: string): string {
  return `${heading}\n${"-".repeat(Math.min(heading.length, WIDTH))}`;
}

function itemBlock({ headline, facts }: ItemView): string {
  const lines = facts.map((fact) => factLines(fact, "  "));
  return [...(headline === null ? [] : [wrap(headline)]), ...lines].join("\n");
}

function factLines({ label, value, more = [] }: Fact, indent: string): string {
  const begin = indent + " ".repeat(LABEL_WIDTH);
  const hanging = more.length === 0 ? begin : `${begin}  `;
  const first = wrap(value, indent + `${label}:`.padEnd(LABEL_WIDTH), hanging);
  return [first, ...more.map((line) => wrap(line, begin, hanging))].join("\n");
}

/** The text in lines that break at spaces; a word longer than a line stays whole. */
function wrap(text: string, first = "", hanging = ""): string {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(" ")) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = hanging;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return isolatedByLine([...lines, line]).join("\n");
}

/** An isolate ends with its line: what goes on in the next one is isolated anew. */
function isolatedByLine(lines: readonly string[]): readonly string[] {
  let open = false;
  return lines.map((line) => {
    const text = open ? line.replace(/^ */, "$&\u2068") : line;
    open = text.lastIndexOf("\u2068") > text.lastIndexOf("\u2069");
    return open ? `${text}\u2069` : text;
  });
}
