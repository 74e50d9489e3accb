/**
 * The log: structured lines on stderr, so that stdout stays free for data.
 *
 * A line is a constant message and typed fields; text from elsewhere is a field and never part of the message. Every
 * string goes through `redact`, whatever it is nested in, and none can break out of its line.
 */
import { type DestinationStream, pino } from "pino";
import { prettyFactory } from "pino-pretty";
import { escapeJson, visible } from "./domain/visible.ts";

export type LogFields = {
  /** What happened, as `noun.verb`: "sync.completed". */
  readonly event: string;
  /** The line's own keys. */
  readonly time?: never;
  readonly level?: never;
  readonly msg?: never;
  readonly [name: string]: unknown;
};

type LogLine = (fields: LogFields, msg: string) => void;

export type Logger = {
  /** Someone must act. */
  readonly error: LogLine;
  /** We will try again. */
  readonly warn: LogLine;
  /** Something changed, or one line per run. */
  readonly info: LogLine;
  readonly debug: LogLine;
  /** A logger whose lines carry these fields too. */
  readonly child: (fields: Readonly<Record<string, unknown>>) => Logger;
};

export type LoggerOptions = {
  /** One of pino's levels, or "silent". */
  readonly level: string;
  readonly format: "json" | "pretty";
  /** The text without secrets. */
  readonly redact: (text: string) => string;
  /** Where lines go, each with its line break; stderr by default, written before the call returns. */
  readonly destination?: { readonly write: (line: string) => unknown };
};

/** A logger; an error's stack trace is logged only where its level is debug or finer. */
export function createLogger(options: LoggerOptions): Logger {
  const output = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Errors are plain values by then; pino's own serializer would take them for errors again.
      serializers: { err: (value) => value },
    },
    destinationOf(options),
  );
  const clean = createCleaner({
    text: (text) => {
      const bounded = cut(options.redact(text));
      return options.format === "pretty" ? visible(bounded) : bounded;
    },
    stacks: output.isLevelEnabled("debug"),
  });
  return loggerOn(output, clean, {});
}

type Output = Pick<pino.Logger<never>, "error" | "warn" | "info" | "debug" | "isLevelEnabled">;
type Cleaner = (value: unknown) => unknown;

function loggerOn(output: Output, clean: Cleaner, bindings: Readonly<Record<string, unknown>>): Logger {
  const line =
    (level: "error" | "warn" | "info" | "debug"): LogLine =>
    (fields, msg) => {
      if (!output.isLevelEnabled(level)) return;
      output[level](clean({ ...bindings, ...fields }), String(clean(msg)));
    };
  return {
    error: line("error"),
    warn: line("warn"),
    info: line("info"),
    debug: line("debug"),
    child: (fields) => loggerOn(output, clean, { ...bindings, ...fields }),
  };
}

function destinationOf({ format, destination }: LoggerOptions): DestinationStream {
  const target = destination ?? pino.destination({ fd: 2, sync: true });
  if (format === "json") return { write: (line) => void target.write(escapeJson(line)) };
  const prettify = prettyFactory({
    colorize: destination === undefined && process.stderr.isTTY === true && process.stderr.hasColors(),
    singleLine: true,
    errorLikeObjectKeys: [],
    translateTime: false,
  });
  return { write: (line) => void target.write(prettify(line)) };
}

const MAX_DEPTH = 12;
/** Nothing that somebody has to read is longer; what others send may be of any length. */
const LONGEST_TEXT = 20_000;

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT).toWellFormed()}…`;
}

/**
 * A function from any value to plain JSON values with every string cleaned, keys too.
 *
 * Of an error only its type, message, code and causes are kept: other properties of library errors hold requests with
 * their headers.
 */
function createCleaner({ text, stacks }: { text: (text: string) => string; stacks: boolean }): Cleaner {
  const clean = (value: unknown, above: readonly object[]): unknown => {
    if (typeof value === "string") return text(stacks ? value : withoutFrames(value));
    if (typeof value === "bigint") return value.toString();
    if (typeof value !== "object" || value === null) return value;
    if (above.includes(value)) return "[circular]";
    if (above.length >= MAX_DEPTH) return "[too deep]";
    const below = [...above, value];
    if (isErrorLike(value)) return clean(fieldsOf(value, stacks), below);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if ("toJSON" in value && typeof value.toJSON === "function") return clean(value.toJSON(), below);
    if (value instanceof Map) return clean(Object.fromEntries(value), below);
    if (Array.isArray(value) || value instanceof Set) return Array.from(value, (item) => clean(item, below));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [text(key), clean(item, below)]));
  };
  return (value) => clean(value, []);
}

/** Also of another realm, and as libraries copy them into plain objects. */
type ErrorLike = Pick<Error, "name" | "message" | "stack" | "cause"> & { readonly errors?: unknown };

function isErrorLike(value: object): value is ErrorLike {
  return value instanceof Error || ("stack" in value && "message" in value && typeof value.stack === "string");
}

/** Some libraries put their stack trace into the message. */
function withoutFrames(text: string): string {
  return text.includes("\n") ? text.replace(/\n\s+at (?=.*:\d+)[^\n]*/g, "") : text;
}

function fieldsOf(error: ErrorLike, stacks: boolean): Readonly<Record<string, unknown>> {
  return {
    type: error.name ?? "Error",
    message: error.message,
    ...("code" in error ? { code: error.code } : {}),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
    ...(Array.isArray(error.errors) ? { errors: error.errors } : {}),
    ...(stacks ? { stack: framesOf(error) } : {}),
  };
}

/** The lines of the stack trace without the message, which has its own field. */
function framesOf(error: ErrorLike): readonly string[] {
  const lines = (error.stack ?? "").split("\n").map((line) => line.trim());
  return lines.filter((line) => line.startsWith("at "));
}
