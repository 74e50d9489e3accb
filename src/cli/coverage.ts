/** Coverage as an answer carries it: in JSON, and as the closing lines of a table. */
import { type Coverage, coverageOf, type Gap } from "../domain/coverage.ts";
import { UsageError } from "./failure.ts";
import type { Closing, JsonRow } from "./format.ts";
import { readInstant } from "./instant.ts";
import { printable } from "./printable.ts";
import type { Question } from "./question.ts";
import type { Desk } from "./reading.ts";
import { shortDuration, type Zone } from "./zone.ts";

export type Period = { readonly since: Date | null; readonly until: Date | null };

/** The time that `--since` and `--until` ask for. @throws UsageError */
export function periodOf(options: { readonly since?: string; readonly until?: string }, question: Question): Period {
  const since = options.since === undefined ? null : readInstant("--since", options.since, question);
  const until = options.until === undefined ? null : readInstant("--until", options.until, question);
  if (since !== null && until !== null && since >= until) throw new UsageError("--since is not before --until.");
  if (since !== null && since > question.now) throw new UsageError("--since lies in the future.");
  return { since, until };
}

export async function readCoverage({ since, until }: Period, { reader, watches, now }: Desk): Promise<Coverage> {
  const end = until !== null && until < now ? until : now;
  const asked = { since, until: end, now };
  const { spans, outages } = await reader.ledger(watches, asked);
  return coverageOf(spans, outages, asked);
}

export function gapJson(gap: Gap): JsonRow {
  return {
    watch: gap.watch,
    since: gap.since.toISOString(),
    until: gap.until?.toISOString() ?? null,
    reason: gap.reason,
    syncs: gap.syncs,
  };
}

function coverageJson(coverage: Coverage): JsonRow {
  return {
    since: coverage.since?.toISOString() ?? null,
    until: coverage.until.toISOString(),
    share: coverage.share,
    watches: coverage.watches.map(({ watch, since, share }) => ({ watch, since: since?.toISOString() ?? null, share })),
    gaps: coverage.gaps.map(gapJson),
  };
}

/** How many gaps a table names; `gaps` lists them all. */
const NAMED_GAPS = 5;

export function coverageClosing(coverage: Coverage, zone: Zone): Closing {
  return { json: { coverage: coverageJson(coverage) }, lines: coverageLines(coverage, zone) };
}

function coverageLines({ since, until, share, gaps }: Coverage, zone: Zone): string[] {
  if (since === null) return ["Coverage: nothing was synced yet."];
  const covered = `Coverage: ${percentage(share)} of ${zone.show(since)} to ${zone.show(until)}`;
  if (gaps.length === 0) return [`${covered}, no gaps.`];
  const named = gaps.slice(-NAMED_GAPS).map((gap) => `  ${gapLine(gap, zone)}`);
  const others = gaps.length - named.length;
  const more = others === 0 ? [] : [`  and ${others} earlier: see \`invitewatch gaps\``];
  return [`${covered}, ${gaps.length} ${gaps.length === 1 ? "gap" : "gaps"}:`, ...named.reverse(), ...more];
}

/** Rounded down, so that 100 % means all of it. */
function percentage(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toString()} %`;
}

function gapLine(gap: Gap, zone: Zone): string {
  const end = gap.until === null ? "still open" : `to ${zone.show(gap.until)} (${gapLength(gap)})`;
  return printable(`${gap.watch}: ${zone.show(gap.since)} ${end}: ${gap.reason}`);
}

/** How long it lasted; "open" while it does. */
export function gapLength({ since, until }: Gap): string {
  return until === null ? "open" : shortDuration(until.getTime() - since.getTime());
}
