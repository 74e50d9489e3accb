/** The results for people. */
import { CASES } from "./job.ts";
import type { Bar, CaseSummary, SizeSummary } from "./summary.ts";

const WORDS = { cold: "cold (all new)", unchanged: "unchanged", changed: "1 % changed" };

const HEAD = ["invites", "case", "ours", "floor", "naive", "ours/floor", "naive/ours", "per invite", "peak"];

/** One row for each size and case; the peak is of our process. */
export function resultTable(sizes: readonly SizeSummary[]): string {
  const rows = sizes.flatMap(({ invites, cases }) =>
    CASES.map((kind) => [invites.toLocaleString("en"), WORDS[kind], ...cells(cases[kind])]),
  );
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 1 ? cell.padEnd(widths[1] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  return [HEAD, ...rows].map(line).join("\n");
}

function cells({ programs, oursToFloor, naiveToOurs }: CaseSummary): string[] {
  const { ours, floor, naive } = programs;
  return [
    time(ours?.ms),
    time(floor?.ms),
    time(naive?.ms),
    `${oursToFloor.toFixed(2)} ×`,
    naiveToOurs === null ? "–" : `${naiveToOurs.toFixed(1)} ×`,
    ours === undefined ? "–" : `${ours.usPerInvite.toFixed(0)} µs`,
    ours === undefined ? "–" : `${ours.peakMb.toFixed(0)} MiB`,
  ];
}

/** One line for each bar: reached, not reached, or not measured. */
export function barLines(bars: readonly Bar[]): string {
  const lines = bars.map(({ name, limit, unit, measured, reached }) => {
    const digits = unit === "×" ? 2 : 0;
    if (measured === null) return `  not measured  ${name}: ≤ ${limit} ${unit}`;
    const verdict = reached ? "reached" : "NOT reached";
    return `  ${verdict.padEnd(12)}  ${name}: ${measured.toFixed(digits)} ${unit} (≤ ${limit} ${unit})`;
  });
  return lines.join("\n");
}

function time(ms: number | undefined): string {
  return ms === undefined ? "–" : `${Math.round(ms).toLocaleString("en")} ms`;
}
