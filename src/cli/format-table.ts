/** Lays rows out in columns that fit the terminal; what does not fit beside the others goes below them. */
import { cutTo, printable, widthOf } from "./printable.ts";

export type Column<Row> = {
  readonly title: string;
  /** Made printable here. */
  readonly cell: (row: Row) => string;
  readonly align?: "right";
  /** May be cut to make room, where the others fit only so. */
  readonly flexible?: true;
  /** Goes to lines of its own below the row where the terminal is narrow. */
  readonly below?: true;
  /** Shown only where there are this many columns. */
  readonly from?: number;
};

const BETWEEN = "  ";
const INDENT = "  ";
/** Room that a flexible column should have before others are moved below. */
const COMFORTABLE = 60;
const NARROWEST = 8;

/** The lines of the table, its titles first. */
export function renderTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): string[] {
  const shown = columns.filter((column) => width >= (column.from ?? 0)).map((column) => fill(column, rows));
  const filled = shown.filter((column) => column.cells.some((cell) => cell !== ""));
  const fits =
    total(filled.map((column) => (column.flexible ? Math.min(column.width, COMFORTABLE) : column.width))) <= width;
  const beside = fits ? filled : filled.filter((column) => !column.below);
  const below = fits ? [] : filled.filter((column) => column.below);

  const widths = shrink(beside, width);
  const lineOf = (texts: readonly string[]) =>
    texts
      .map((text, index) => pad(cutTo(text, widths[index] ?? 0), widths[index] ?? 0, beside[index]?.align))
      .join(BETWEEN)
      .trimEnd();
  return [
    lineOf(beside.map((column) => column.title)),
    ...rows.flatMap((_, row) => [
      lineOf(beside.map((column) => column.cells[row] ?? "")),
      ...below.flatMap((column) => wrap([column.cells[row] ?? ""], width - INDENT.length)).map((line) => INDENT + line),
    ]),
  ];
}

type Filled = { title: string; cells: string[]; width: number; align?: "right"; flexible?: true; below?: true };

function fill<Row>({ title, cell, align, flexible, below }: Column<Row>, rows: readonly Row[]): Filled {
  const cells = rows.map((row) => printable(cell(row)));
  const width = cells.reduce((widest, text) => Math.max(widest, widthOf(text)), widthOf(title));
  return { title, cells, width, ...(align && { align }), ...(flexible && { flexible }), ...(below && { below }) };
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + BETWEEN.length * Math.max(0, widths.length - 1);
}

/** Widths that fit, if flexible columns can give as much: the widest of them gives first. */
function shrink(columns: readonly Filled[], width: number): number[] {
  const widths = columns.map((column) => column.width);
  for (let excess = total(widths) - width; excess > 0; excess--) {
    const widest = Math.max(...columns.map((column, index) => (column.flexible ? (widths[index] ?? 0) : 0)));
    if (widest <= NARROWEST) break;
    widths[columns.findIndex((column, index) => column.flexible && widths[index] === widest)] = widest - 1;
  }
  return widths;
}

function pad(text: string, width: number, align: "right" | undefined): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "right" ? space + text : text + space;
}

/** The printable texts one after the other on lines of at most `width`, broken between words. */
export function wrap(texts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = "";
  const take = (word: string, space: string) => {
    if (line !== "" && widthOf(line) + widthOf(space) + widthOf(word) > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? cutTo(word, width) : space + word;
  };
  for (const text of texts.filter((one) => one !== "")) {
    if (widthOf(text) <= width) take(text, BETWEEN);
    else for (const [index, word] of text.split(" ").entries()) take(word, index === 0 ? BETWEEN : " ");
  }
  return line === "" ? lines : [...lines, line];
}
