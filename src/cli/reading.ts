/** What all reading commands share: their options, the open database, and which watches were meant. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Order, type Paging, type Reader, readCursor } from "../app/queries.ts";
import { loadConfiguration } from "./configuration.ts";
import { type Context, write } from "./context.ts";
import { UsageError } from "./failure.ts";
import { findInvitesIn } from "./people.ts";
import { printable } from "./printable.ts";
import type { Question } from "./question.ts";
import { createZone } from "./zone.ts";

export const FORMATS = ["table", "json", "ndjson", "csv"] as const;
export type Format = (typeof FORMATS)[number];

export type ReadingOptions = { readonly format: Format; readonly watch?: readonly string[] };
export type PagingOptions = { readonly limit?: number; readonly cursor?: string; readonly order?: Order };

/** What a command answers from. */
export type Desk = Question & {
  readonly reader: Reader;
  /** The watches that were asked for and exist; null for all. */
  readonly watches: readonly string[] | null;
};

const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 10_000;

/** `--format`, `--json` and `--watch`. */
export function addReadingOptions(command: Command): Command {
  return command
    .addOption(new Option("--format <format>", "how to write the answer").choices(FORMATS).default("table"))
    .addOption(new Option("--json", "short for --format json").conflicts("format"))
    .addOption(repeatable("--watch <name>", "only this watch; may be given several times"))
    .hook("preAction", (chosen) => {
      // Not `implies`: what is implied would count as the conflict.
      if (chosen.getOptionValue("json") === true) chosen.setOptionValue("format", "json");
    });
}

/** `--limit`, `--cursor` and `--order`. */
export function addPagingOptions(command: Command): Command {
  const limit = `at most this many rows (${DEFAULT_LIMIT} by default, ${HIGHEST_LIMIT} at most; ndjson and csv: all)`;
  return command
    .addOption(new Option("--limit <number>", limit).argParser(parseCount))
    .option("--cursor <cursor>", "continue where an earlier answer ended")
    .addOption(new Option("--order <order>", "oldest first or newest first").choices(["asc", "desc"]));
}

/** An option whose values are gathered in an array. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: readonly string[] = []) => [
    ...before,
    value,
  ]);
}

/**
 * Where the answer begins and ends.
 *
 * @param list the name of the list, as its cursors have it
 * @param byDefault the order that the command has where nobody asks for another
 * @throws UsageError
 * @throws CursorError
 */
export function pagingOf(options: PagingOptions & ReadingOptions, list: string, byDefault: Order = "desc"): Paging {
  const { format, cursor = null, limit, order = byDefault } = options;
  const bounded = format === "table" || format === "json";
  if (bounded && limit !== undefined && limit > HIGHEST_LIMIT) {
    throw new UsageError(`--limit is ${HIGHEST_LIMIT} at most for table and json; ndjson and csv have no limit.`);
  }
  if (cursor !== null) readCursor(cursor, list, order);
  return { cursor, order, limit: limit ?? (bounded ? DEFAULT_LIMIT : null) };
}

/**
 * Answers from the open database, and closes it.
 *
 * @param ask refuses wrong usage while no database is opened; what it returns gives the answer
 * @throws ConfigError
 * @throws UsageError
 * @throws DatabaseError also where the database is not set up for this version
 */
export async function reading(
  context: Context,
  options: { readonly watch?: readonly string[] },
  ask: (question: Question) => (desk: Desk) => Promise<void>,
): Promise<void> {
  const config = await loadConfiguration(context);
  const question = { config, zone: createZone(config.timezone), now: context.now() };
  const answer = ask(question);
  // Loaded here so that `--help` and a wrong configuration are answered at once.
  const [{ openReader }, { databaseToAsk }] = await Promise.all([
    import("./open-reader.ts"),
    import("./demo-database.ts"),
  ]);
  const { reader, close } = await openReader(await databaseToAsk(config, context));
  try {
    const watches = await chooseWatches(reader, options.watch, context);
    await answer({ ...question, reader, watches });
  } finally {
    await close();
  }
}

/** Those that exist; a name that nobody knows is told on stderr. */
async function chooseWatches(
  reader: Reader,
  asked: readonly string[] | undefined,
  { stderr }: Context,
): Promise<readonly string[] | null> {
  if (asked === undefined) return null;
  const known = await reader.watchNames();
  await tellUnknown(asked, known, stderr);
  return known.filter((name) => asked.includes(name));
}

/** Says which of the watches that were asked for do not exist. */
export async function tellUnknown(
  asked: readonly string[],
  known: readonly string[],
  stderr: Context["stderr"],
): Promise<void> {
  for (const name of asked.filter((one) => !known.includes(one))) {
    const others = known.length === 0 ? "no watch was synced yet" : `known: ${known.map(printable).join(", ")}`;
    await write(stderr, `There is no watch named ${printable(name)}; ${others}.\n`);
  }
}

/**
 * Id of the invite that is asked for, by that or the beginning of it; null where none is. What means none or several is
 * told on stderr, the exit code is 1, and the answer is undefined.
 */
export async function chooseInvite(
  asked: string | undefined,
  { reader, watches }: Desk,
  context: Context,
): Promise<string | null | undefined> {
  if (asked === undefined) return null;
  const [invite] = await findInvitesIn(watches, asked, { people: reader, context });
  return invite?.id;
}

function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 2 ** 31 - 2) throw new InvalidArgumentError("It takes a whole number from 1.");
  return count;
}
