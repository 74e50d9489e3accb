/** The results for people. */
import { CASES } from "./job.ts";
import type { ProcessSummary } from "./processes.ts";
import type { AlertsSummary, DeliverySummary, LatencySummary } from "./stages.ts";
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

export function processLine({ invites, cases: { first, again } }: ProcessSummary): string {
  const part = ({ oursMs, scriptMs, oursToScript }: ProcessSummary["cases"]["first"]) =>
    `ours ${time(oursMs)}, script ${time(scriptMs)}, ${oursToScript.toFixed(2)} ×`;
  return `process   ${number(invites)} invites: all new ${part(first)}; unchanged ${part(again)}`;
}

export function alertsLine({ invites, mails, recordMs, planMs, renderMs, toRecord }: AlertsSummary): string {
  const parts = `diff and record ${time(recordMs)}, plan ${time(planMs)}, read and render ${mails} mails ${time(renderMs)}`;
  return `alerts    ${number(invites)} new: ${parts}; ${toRecord.toFixed(2)} ×`;
}

export function deliveryLine({ mails, oursMs, poolMs, oursToPool, peakMb }: DeliverySummary): string {
  const speed = (ms: number) => `${time(ms)} (${number(Math.round((mails * 1_000) / ms))} a second)`;
  const parts = `ours ${speed(oursMs)}, pool ${speed(poolMs)}, peak ${peakMb.toFixed(0)} MiB`;
  return `delivery  ${number(mails)} mails: ${parts}; ${oursToPool.toFixed(2)} × its speed`;
}

export function latencyLine({ samples, oursToFloor, ...ms }: LatencySummary): string {
  const parts = `median ${ms.median.toFixed(1)} ms, p99 ${ms.p99.toFixed(1)} ms`;
  const floor = `read and send alone ${ms.floorMedian.toFixed(1)} ms, p99 ${ms.floorP99.toFixed(1)} ms`;
  return `latency   ${samples} invites: ${parts}; ${floor}; ${oursToFloor.toFixed(1)} ×`;
}

/** One line for each bar: reached, not reached, or not measured. */
export function barLines(bars: readonly Bar[]): string {
  const lines = bars.map(({ name, bound, limit, unit, measured, reached }) => {
    const digits = unit === "×" ? 2 : 0;
    if (measured === null) return `  not measured  ${name}: ${bound} ${limit} ${unit}`;
    const verdict = reached ? "reached" : "NOT reached";
    return `  ${verdict.padEnd(12)}  ${name}: ${measured.toFixed(digits)} ${unit} (${bound} ${limit} ${unit})`;
  });
  return lines.join("\n");
}

function number(value: number): string {
  return value.toLocaleString("en");
}

function time(ms: number | undefined): string {
  return ms === undefined ? "–" : `${Math.round(ms).toLocaleString("en")} ms`;
}
