/** `verify`: re-computes the hash chain, of the database or of an export. */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ExportError, type Verdict, verifyDatabase, verifyExport } from "../app/verify.ts";
import type { EventJson } from "../domain/chain.ts";
import { type Context, write } from "./context.ts";
import { helpText } from "./lines.ts";
import { printable } from "./printable.ts";
import { reading, repeatable } from "./reading.ts";

type Options = { readonly head?: string; readonly watch?: readonly string[] };

const HELP = `
FILE is an NDJSON export of the history, - for stdin. It must hold each watch's events from the first one, oldest first.
The head of the chain is in the inventory mail and in the digest: with --head, a tail that was cut off shows.

Examples:
  $ invitewatch verify
  $ invitewatch verify --head 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  $ invitewatch history --format ndjson | invitewatch verify -`;

export function addVerify(program: Command, context: Context): void {
  program
    .command("verify")
    .description("check that no event was changed, removed or inserted; name the first bad one")
    .argument("[file]", "an export; the database where none is given")
    .addOption(new Option("--head <hash>", "a hash that must be in the chain").argParser(parseHash))
    .addOption(repeatable("--watch <name>", "only this watch; may be given several times"))
    .addHelpText("after", helpText(HELP, context))
    .action((file: string | undefined, options: Options) =>
      file === undefined
        ? reading(
            context,
            options,
            () =>
              async ({ reader, watches }) =>
                tell(await verifyDatabase(reader, watches, options.head ?? null), context),
          )
        : verifyFile(file, options, context),
    );
}

async function verifyFile(file: string, options: Options, context: Context): Promise<void> {
  const input = file === "-" ? context.stdin : createReadStream(file);
  try {
    await tell(await verifyExport(readEvents(input), options.watch ?? null, options.head ?? null), context);
  } catch (error) {
    if (error instanceof ExportError) return tell({ kind: "broken", sentence: error.message }, context);
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw new Error(`The file ${printable(file)} cannot be read: ${error.message}`, { cause: error });
  }
}

const WITHOUT_HEAD =
  "A chain does not show by itself whether its newest events were cut off: compare the head in a mail (--head HASH).";

async function tell(verdict: Verdict, { stdout, setExitCode }: Context): Promise<void> {
  if (verdict.kind === "broken") {
    setExitCode(1);
    return write(stdout, `Broken: ${printable(verdict.sentence)}.\n`);
  }
  const { watches, head } = verdict;
  const events = watches.reduce((sum, watch) => sum + watch.events, 0);
  const lines = [
    `${count(events, "event")} of ${count(watches.length, "watch", "watches")} verified.`,
    ...watches.map((watch) => `${printable(watch.watch)}: ${count(watch.events, "event")}, head ${watch.hash}`),
    head === null ? WITHOUT_HEAD : `The head that was asked for is event ${printable(head.watch)}/${head.seq}.`,
  ];
  await write(stdout, `${lines.join("\n")}\n`);
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** The events in the lines of an export. @throws ExportError that names the line */
async function* readEvents(input: Readable): AsyncGenerator<EventJson> {
  let number = 0;
  for await (const line of linesOf(input)) {
    number += 1;
    if (line.trim() !== "") yield readEvent(line, number);
  }
}

/** By hand: node:readline does not pass on the errors of its input. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of input.setEncoding("utf8")) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

function readEvent(text: string, line: number): EventJson {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    throw new ExportError(`line ${line} is not JSON; an export is NDJSON, one event a line`);
  }
  if (!isEvent(event)) throw new ExportError(`line ${line} is not an event; an export has whole events, one a line`);
  return event;
}

const TEXTS = ["id", "watch", "type", "occurredAt", "recordedAt", "prevHash", "hash"];
const KEYS = [...TEXTS, "seq", "inviteId", "syncId", "data"];

/** Whether it has the keys of an event. One that it should not have is not in the hash, and shows there. */
function isEvent(value: unknown): value is EventJson {
  if (typeof value !== "object" || value === null) return false;
  const event = value as Readonly<Record<string, unknown>>;
  return (
    TEXTS.every((key) => typeof event[key] === "string") &&
    Number.isSafeInteger(event.seq) &&
    KEYS.every((key) => key in event)
  );
}

function parseHash(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError("It takes a hash of 64 hexadecimal digits.");
  return text.toLowerCase();
}
