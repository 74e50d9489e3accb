/** YAML as text: its plain value, the line on which each part stands, and what is wrong with its syntax. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLError } from "yaml";
import { encodingFault } from "./encoding.ts";
import type { Path } from "./file-tree.ts";

export type YamlText = {
  /** Null where it is empty, or where its syntax is so wrong that it cannot be read. */
  readonly value: unknown;
  readonly readable: boolean;
  readonly faults: readonly { readonly line: number; readonly message: string }[];
  /** Of the key or list item; of the nearest one above it that is there. */
  readonly lineOf: (path: Path) => number;
};

const LONGEST = 1_000_000;
/** What aliases may unfold to, so that a small text cannot become a huge value. */
const MOST_ALIASES = 100;
const MOST_FAULTS = 20;

/** Messages of these quote the text, which may hold a secret. */
const OWN_MESSAGES: Readonly<Partial<Record<YAMLError["code"], string>>> = {
  BAD_DIRECTIVE: "The line that begins with % is not a directive of YAML.",
  BAD_DQ_ESCAPE: "There is no such escape sequence in double quotes; in single quotes \\ stands for itself.",
  BAD_SCALAR_START: "A text that begins with such a character has to be in quotes.",
  MULTIPLE_DOCS: "There is a second document (---); one file holds one.",
  NON_STRING_KEY: "A key is not a text.",
  RESOURCE_EXHAUSTION: "It is nested too deeply.",
  TAG_RESOLVE_FAILED: "Tags (!…) are not taken; a text that begins with ! has to be in quotes.",
  UNEXPECTED_TOKEN: "Something stands here that YAML does not take here; perhaps the text has to be in quotes.",
};

export function parseYaml(text: string): YamlText {
  const lineCounter = new LineCounter();
  if (text.length > LONGEST) return unreadable("It is longer than a million characters.");
  const encoding = encodingFault(text);
  if (encoding !== null) return unreadable(encoding);
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true, merge: true });
  const lineAt = (offset: number) => Math.max(1, lineCounter.linePos(offset).line);

  const errors = [...document.errors, ...document.warnings];
  const faults = errors.map((error) => ({ line: lineAt(error.pos[0]), message: messageOf(error, text) }));
  const each = faults.filter(
    (fault, index) =>
      index === faults.findIndex(({ line, message }) => line === fault.line && message === fault.message),
  );
  const lineOf = (path: Path) => lineAt(offsetOf(document, path));
  const read = { faults: each.slice(0, MOST_FAULTS), lineOf };
  // A key that is there twice does not keep the rest from being read.
  if (errors.some(({ code }) => code !== "DUPLICATE_KEY")) return { ...read, value: null, readable: false };
  try {
    return { ...read, value: document.toJS({ maxAliasCount: MOST_ALIASES }), readable: true };
  } catch (error) {
    return unreadable(aliasFault(error));
  }
}

function unreadable(message: string): YamlText {
  return { value: null, readable: false, faults: [{ line: 1, message }], lineOf: () => 1 };
}

function messageOf({ code, message, pos }: YAMLError, text: string): string {
  if (code === "DUPLICATE_KEY") {
    const key = /^["']?([\w.-]{1,40})/.exec(text.slice(pos[0]))?.[1];
    return `${key === undefined ? "A key" : `The key ${key}`} is there twice. Keep one.`;
  }
  return `It is not valid YAML. ${OWN_MESSAGES[code] ?? `${message}.`}`;
}

function aliasFault(error: unknown): string {
  const isUnresolved = error instanceof Error && error.message.startsWith("Unresolved alias");
  return isUnresolved
    ? "An alias (*name) has no anchor (&name) before it; a text that begins with * has to be in quotes."
    : `Its aliases unfold to too much: more than ${MOST_ALIASES} copies.`;
}

function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value) === step);
      if (pair === undefined) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === "number") {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else {
      break;
    }
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
  return Array.isArray(range) ? range[0] : undefined;
}
