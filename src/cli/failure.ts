/** How a command that could not do its work says so: one sentence on stderr, and the exit code. */
import { CommanderError } from "commander";
import { CursorError } from "../app/queries.ts";
import { ConfigError } from "../config/problem.ts";
import { createRedactor } from "../domain/redact.ts";
import { loadConfiguration } from "./configuration.ts";
import type { ExitCode, Surroundings } from "./context.ts";

/** The command was asked for something that it cannot be asked for. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export type Failure = {
  readonly exitCode: ExitCode;
  /** For stderr; null where there is nothing to say. */
  readonly message: string | null;
};

/**
 * What to say of the error, free of secrets.
 *
 * @param command as it was typed: `invitewatch history`
 */
export async function failureOf(error: unknown, command: string, surroundings: Surroundings): Promise<Failure> {
  if (isOutputClosed(error)) return { exitCode: 0, message: null };
  if (error instanceof ConfigError) return { exitCode: 2, message: error.message };
  if (error instanceof CommanderError) return commanderFailure(error, command);
  const { redact, stacks } = await detailOf(surroundings);
  if (error instanceof UsageError || error instanceof CursorError) {
    return { exitCode: 2, message: redact(usage(error.message, command)) };
  }
  return { exitCode: 1, message: redact(sentenceOf(error, stacks)) };
}

/** Whether nobody reads the output any more, as with `| head`. */
function isOutputClosed(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED");
}

/** Help and version were asked for and are given; anything else is wrong usage. */
function commanderFailure(error: CommanderError, command: string): Failure {
  if (error.exitCode === 0) return { exitCode: 0, message: null };
  if (error.code === "commander.help") return { exitCode: 2, message: null };
  return { exitCode: 2, message: usage(error.message, command) };
}

function usage(text: string, command: string): string {
  const sentence = oneSentence(text.replace(/^error: /, ""));
  const ended = /[.?!)]$/.test(sentence) ? sentence : `${sentence}.`;
  return `${ended.charAt(0).toUpperCase()}${ended.slice(1)} See \`${command} --help\`.`;
}

/** What somebody else wrote into an error may be of any length. */
const LONGEST_SENTENCE = 2_000;

function oneSentence(text: string): string {
  const sentence = text.replaceAll(/\s+/g, " ").trim();
  return sentence.length <= LONGEST_SENTENCE ? sentence : `${sentence.slice(0, LONGEST_SENTENCE).toWellFormed()}…`;
}

/** A configuration that cannot be loaded holds no secret that anybody was told. */
async function detailOf(surroundings: Surroundings): Promise<{ redact: (text: string) => string; stacks: boolean }> {
  try {
    const { secrets, log } = await loadConfiguration(surroundings);
    return { redact: createRedactor(secrets), stacks: log.level === "debug" || log.level === "trace" };
  } catch {
    return { redact: (text) => text, stacks: false };
  }
}

/** A line of a stack trace, which some libraries put into the message. */
const FRAME = /\n\s+at (?=.*:\d+)[^\n]*/g;

/** Libraries also throw texts, and copies of errors that are none. */
function messageOf(thrown: unknown): string {
  const isObject = typeof thrown === "object" && thrown !== null;
  return isObject && "message" in thrown ? String(thrown.message) : String(thrown);
}

function sentenceOf(error: unknown, stacks: boolean): string {
  if (!(error instanceof Error)) return sentenceOf(new Error(messageOf(error)), false);
  if (!stacks) return oneSentence(error.message.replaceAll(FRAME, ""));
  const cause = error.cause === undefined ? "" : `\nCaused by: ${sentenceOf(error.cause, true)}`;
  return `${error.stack ?? error.message}${cause}`;
}
