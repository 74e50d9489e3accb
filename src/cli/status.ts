/** `status`: where things stand, on one screen. */
import type { Command } from "commander";
import { clocksOf, skewText } from "../app/clocks.ts";
import type { DigestTrouble, MailStatus, WatchStatus } from "../app/queries.ts";
import { isLate, shortcomingsOf } from "../app/readiness.ts";
import { type ClockSkew, skewed } from "../domain/clock-skew.ts";
import type { Gap } from "../domain/coverage.ts";
import { isFuture } from "../domain/elapsed.ts";
import { OVERDUE_AFTER_MS } from "../domain/notification.ts";
import { type Context, write } from "./context.ts";
import { gapJson, readCoverage } from "./coverage.ts";
import { held, type JsonRow, jsonText, writeReport } from "./format.ts";
import { wrap } from "./format-table.ts";
import { helpText } from "./lines.ts";
import { printable, quoted } from "./printable.ts";
import { addReadingOptions, type Desk, type ReadingOptions, reading } from "./reading.ts";
import { relative, UNDER_WRONG_CLOCK } from "./zone.ts";

const HELP = `
Ends with 1 when a watch is blind or had no complete sync within two intervals, a mail is overdue (due for more than 30
minutes) or given up, or this machine's clock differs by more than five minutes from the database's or Cloudflare's.

Examples:
  $ invitewatch status
  $ invitewatch status --json`;

/** A watch with what follows from its rows and the clock. */
type Standing = WatchStatus & {
  /** Whether the last complete sync is older than two intervals, or there is none. */
  readonly late: boolean;
  /** Still open. */
  readonly gap: Gap | null;
};

export function addStatus(program: Command, context: Context): void {
  const command = program
    .command("status")
    .description("where things stand: syncs, gaps, pending invitations, mail owed");
  addReadingOptions(command)
    .addHelpText("after", helpText(HELP, context))
    .action((options: ReadingOptions) => reading(context, options, () => (desk) => answer(desk, options, context)));
}

async function answer(desk: Desk, { format }: ReadingOptions, context: Context): Promise<void> {
  const standings = await readStandings(desk);
  const mail = await desk.reader.mailStatus(new Date(desk.now.getTime() - OVERDUE_AFTER_MS));
  const digest = await desk.reader.digestTrouble();
  const clocks = clocksOf(await desk.reader.clockSkewMs(), standings);
  const shortcomings = shortcomingsOf({ watches: standings, mail, startedAt: null, clocks, now: desk.now });
  if (standings.length === 0 || shortcomings.length > 0) context.setExitCode(1);

  if (format === "table") {
    await write(context.stdout, `${screenOf({ standings, mail, digest, clocks }, desk, context).join("\n")}\n`);
  } else if (format === "json") {
    const watches = standings.map(standingJson);
    const answer = { mail: mailJson(mail), digest: digestJson(digest), clocks: skewed(clocks).map(clockJson) };
    await write(context.stdout, jsonText({ watches, ...answer }));
  } else {
    const report = {
      noun: "watches",
      listing: held(standings),
      json: standingJson,
      keys: ["watch", "lastCompleteAt", "late", "lastSync", "blindSince", "gap", "pending", "nextExpiry", "head"],
      columns: [],
    };
    const paging = { order: "asc", cursor: null, limit: null } as const;
    await writeReport(report, { format, paging, zoneName: desk.zone.name }, context);
  }
}

async function readStandings(desk: Desk): Promise<Standing[]> {
  const { reader, watches, now } = desk;
  const statuses = await reader.watchStatuses(now);
  // A gap that is open now is open at the last instant.
  const { gaps } = await readCoverage({ since: new Date(now.getTime() - 1), until: null }, desk);
  return statuses
    .filter(({ watch }) => watches === null || watches.includes(watch))
    .map((status) => ({
      ...status,
      late: isLate(status, null, now),
      gap: gaps.find((gap) => gap.watch === status.watch && gap.until === null && status.lastSync !== null) ?? null,
    }));
}

function standingJson({ lastCompleteAt, late, lastSync, blindSince, gap, nextExpiry, ...rest }: Standing): JsonRow {
  return {
    watch: rest.watch,
    lastCompleteAt: lastCompleteAt?.toISOString() ?? null,
    late,
    lastSync: lastSync && { ...lastSync, startedAt: lastSync.startedAt.toISOString() },
    blindSince: blindSince?.toISOString() ?? null,
    gap: gap && gapJson(gap),
    pending: rest.pending,
    nextExpiry: nextExpiry && { ...nextExpiry, expiresAt: nextExpiry.expiresAt.toISOString() },
    head: rest.head,
  };
}

/** Of those that differ from ours. */
function clockJson({ against, ms }: ClockSkew): JsonRow {
  return { against, aheadMs: ms };
}

function mailJson({ oldestOwedAt, relayDownSince, relayNextProbeAt, ...rest }: MailStatus): JsonRow {
  const { owed, held, overdue, dead, putOff, putOffError, relayError } = rest;
  return {
    owed,
    held,
    overdue,
    oldestOwedAt: oldestOwedAt?.toISOString() ?? null,
    dead,
    putOff,
    putOffError,
    relayDownSince: relayDownSince?.toISOString() ?? null,
    relayError,
    relayNextProbeAt: relayNextProbeAt?.toISOString() ?? null,
  };
}

function digestJson(digest: DigestTrouble | null): JsonRow | null {
  return (
    digest && { ...digest, slotAt: digest.slotAt.toISOString(), nextTryAt: digest.nextTryAt?.toISOString() ?? null }
  );
}

type Screen = {
  readonly standings: readonly Standing[];
  readonly mail: MailStatus;
  readonly digest: DigestTrouble | null;
  readonly clocks: readonly ClockSkew[];
};

function screenOf({ standings, mail, digest, clocks }: Screen, { zone, now }: Desk, context: Context): string[] {
  const line = lineWriter(context.columns);
  const at = (instant: Date) => `${zone.show(instant)} (${relative(instant, now)})`;
  const nothing = standings.length === 0 ? ["No watch was synced yet: run `invitewatch sync`.", ""] : [];
  const watches = standings.flatMap((standing) => [
    printable(standing.watch),
    ...linesOf(standing, at, now).flatMap(([title, text]) => line(title, text)),
    "",
  ]);
  const owed =
    mail.oldestOwedAt === null
      ? "nothing"
      : `${mail.owed}, oldest since ${at(mail.oldestOwedAt)}, ${mail.held > 0 ? `${mail.held} held on purpose, ` : ""}${mail.overdue} overdue`;
  const what =
    "`invitewatch notifications --state dead` lists them, `invitewatch notifications retry --all-dead` has them sent again, `invitewatch notifications discard ID --reason TEXT` drops them";
  const dead = mail.dead === 0 ? "none" : `${mail.dead}: ${what}`;
  const { relayDownSince, relayError } = mail;
  const down = relayDownSince === null ? null : `down since ${at(relayDownSince)}: ${relayError ?? "no answer"}`;
  const skewedClocks = skewed(clocks);
  const next = down === null ? null : nextTry(mail, now, at);
  return [
    ...nothing,
    ...watches,
    "mail",
    ...line("owed", owed),
    ...(mail.putOff === 0 ? [] : line("put off", `${mail.putOff}, the latest: ${mail.putOffError ?? "no answer"}`)),
    ...line("given up", dead),
    ...(down === null ? [] : line("mail server", down)),
    ...(next === null ? [] : line("", next)),
    ...(digest === null ? [] : line("digest", digestText(digest, at))),
    ...(skewedClocks.length === 0 ? [] : ["", "clocks"]),
    ...skewedClocks.flatMap((skew) => line("WRONG", skewText(skew))),
    "",
    `Times are in ${zone.name}.`,
  ];
}

function digestText({ slotAt, error, nextTryAt }: DigestTrouble, at: (instant: Date) => string): string {
  const next = nextTryAt === null ? "it is given up; the next one comes on schedule" : `next try ${at(nextTryAt)}`;
  return `that of ${at(slotAt)} failed: ${error}; ${next}`;
}

/** When the mail server that is down is tried again, and how to hurry that. */
function nextTry({ owed, held, relayNextProbeAt }: MailStatus, now: Date, at: (instant: Date) => string): string {
  if (owed === held) return "the next mail that is due tries it";
  const when = relayNextProbeAt === null || relayNextProbeAt <= now ? "now" : at(relayNextProbeAt);
  return `next try ${when}; \`invitewatch notifications retry ID\` of any owed mail tries now`;
}

type Titled = readonly [title: string, text: string];

function linesOf(standing: Standing, at: (instant: Date) => string, now: Date): Titled[] {
  const { lastCompleteAt, late, lastSync, blindSince, gap, pending, nextExpiry } = standing;
  const wrong = lastCompleteAt !== null && isFuture(lastCompleteAt, now) ? `, ${UNDER_WRONG_CLOCK}` : "";
  const complete = lastCompleteAt === null ? "never" : at(lastCompleteAt) + wrong;
  const lines: Titled[] = [["last complete sync", `${complete}${late ? ", LATE" : ""}`]];
  if (lastSync !== null && lastSync.outcome !== "complete") {
    const reason = lastSync.reason === null ? "" : `: ${lastSync.reason}`;
    lines.push(["last sync", `${at(lastSync.startedAt)} ${lastSync.outcome}${reason}`]);
  }
  if (blindSince !== null) lines.push(["BLIND", `since ${at(blindSince)}`]);
  if (gap !== null) lines.push(["gap", `open since ${at(gap.since)}: ${gap.reason}`]);
  lines.push(["pending invitations", String(pending)]);
  if (nextExpiry !== null) {
    const { organizationName, expiresAt } = nextExpiry;
    const name = organizationName === null ? "(no name)" : quoted(organizationName);
    lines.push(["next to end", `${at(expiresAt)} ${name}`]);
  }
  return lines;
}

const TITLE_WIDTH = 23;

function lineWriter(columns: number): (title: string, text: string) => string[] {
  return (title, text) =>
    wrap([printable(text)], columns - TITLE_WIDTH).map(
      (line, index) => (index === 0 ? `  ${title}` : "").padEnd(TITLE_WIDTH) + line,
    );
}
