/** Lines of a screen: sentences, and facts with a title before them, wrapped at its width. */
import { type Context, write } from "./context.ts";
import { wrap } from "./format-table.ts";
import { printable, widthOf } from "./printable.ts";

type Screen = Pick<Context, "columns">;

const TITLE_WIDTH = 14;
const INDENT = "  ";

/** The printable line, continued below its own beginning where it is too long. */
export function hang(line: string, { columns }: Screen): string[] {
  const indent = " ".repeat(line.length - line.trimStart().length);
  const [first = "", ...others] = wrap([line.trimStart()], columns - indent.length - INDENT.length);
  return [indent + first, ...others.map((other) => indent + INDENT + other)].map((one) => one.trimEnd());
}

/** The text in lines that are indented so far, and those after the first by two more. */
export function paragraph(text: string, indent: number, screen: Screen): string[] {
  return hang(" ".repeat(indent) + printable(text), screen);
}

/** A fact: its title, and the text beside it. */
export function titled(title: string, text: string, { columns }: Screen): string[] {
  return wrap([printable(text)], columns - TITLE_WIDTH - INDENT.length).map((line, index) =>
    `${INDENT}${(index === 0 ? title : "").padEnd(TITLE_WIDTH)}${line}`.trimEnd(),
  );
}

/** A fact that is never cut, such as an id that is looked for elsewhere: below its title where there is no room beside. */
export function titledWhole(title: string, text: string, { columns }: Screen): string[] {
  const beside = `${INDENT}${title.padEnd(TITLE_WIDTH)}${printable(text)}`;
  return widthOf(beside) <= columns ? [beside] : [`${INDENT}${title}`, `${INDENT}${printable(text)}`];
}

/**
 * What stands below the options in the help of a command: paragraphs wrapped at the screen's width. Indented lines are
 * examples, which are left whole for copying. Made only when the help is asked for.
 */
export function helpText(text: string, screen: Screen): () => string {
  return () => wrappedHelp(text, screen);
}

function wrappedHelp(text: string, { columns }: Screen): string {
  const paragraphs = text
    .trim()
    .split("\n\n")
    .map((one) => {
      const [examples = [], prose = []] = [true, false].map((indented) =>
        one.split("\n").filter((line) => line.startsWith(INDENT) === indented),
      );
      return [...wrap([prose.join(" ")], columns), ...examples].join("\n");
    });
  return `\n${paragraphs.join("\n\n")}`;
}

/** Writes the printable lines to stdout, each wrapped at its width. */
export function writeWrapped(lines: readonly string[], context: Context): Promise<void> {
  return write(context.stdout, `${lines.flatMap((line) => hang(line, context)).join("\n")}\n`);
}
