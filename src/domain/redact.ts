/**
 * Masks credentials in text that somebody else wrote, in the encodings in which a server may echo them.
 *
 * Only literal echoes are known; a secret that was hashed, cut or re-cased is not recognised.
 */
import { decodedLayers, mayHoldEscapes } from "./escapes.ts";

const MASK = "[redacted]";

/** Shorter ones would mask ordinary words rather than protect anything. */
const SHORTEST_SECRET = 4;
/** Fewer characters from the inside of a longer base64 text would be found by chance. */
const SHORTEST_CORE = 8;

export type Redactor = (text: string) => string;

const redactors = new WeakMap<readonly string[], Redactor>();

/**
 * A function that replaces every secret in a text by `[redacted]`.
 *
 * Each secret is found as it is; in base64 and base64url, with and without padding and inside of something longer
 * (as in `user:password`); in hexadecimal; and with any of its characters escaped as URLs, JSON or HTML do, also where
 * one lies inside of another, or with line breaks or unseen characters inside. The time grows linearly with the text, and a mask is never searched again.
 *
 * @param secrets those shorter than 4 characters are ignored; not changed afterwards
 */
export function createRedactor(secrets: readonly string[]): Redactor {
  const known = redactors.get(secrets);
  if (known !== undefined) return known;
  const redactor = redactorOf(secrets);
  redactors.set(secrets, redactor);
  return redactor;
}

function redactorOf(secrets: readonly string[]): Redactor {
  const long = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  if (long.length === 0) return (text) => text;

  const pattern = patternOf(long);
  return (text) => (mayHoldEscapes(text) ? maskEscaped(text, pattern) : text.replace(pattern, MASK));
}

function patternOf(secrets: readonly string[]): RegExp {
  const spellings = longestFirst(secrets.flatMap(spellingsOf));
  const cores = longestFirst(secrets.flatMap(base64Cores));
  const whole = spellings.map(escapePattern).join("|");
  // The character after a core holds the rest of the secret's bits.
  return new RegExp(
    cores.length === 0 ? whole : `${whole}|(?:${cores.map(escapePattern).join("|")})[\\w+/-]?={0,2}`,
    "g",
  );
}

function longestFirst(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort((a, b) => b.length - a.length);
}

function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const base64 = bytes.toString("base64");
  const base64url = bytes.toString("base64url");
  const padding = base64.slice(base64.replace(/=+$/, "").length);
  const hex = bytes.toString("hex");
  const wellFormed = secret.toWellFormed();
  return [
    secret,
    // A space as a plus is an escape that no other form has.
    new URLSearchParams([["", wellFormed]]).toString().slice(1),
    base64,
    base64.replace(/=+$/, ""),
    base64url,
    base64url + padding,
    ...(secret.length < SHORTEST_CORE ? [] : [hex, hex.toUpperCase()]),
  ];
}

/** The characters that stand in the base64 of any longer text that holds the secret, wherever it begins there. */
function base64Cores(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, "utf8");
  const cores = [0, 1, 2].flatMap((before) => {
    const longer = Buffer.concat([Buffer.alloc(before), bytes]);
    const [first, last] = [Math.ceil((before * 8) / 6), Math.floor((longer.length * 8) / 6)];
    return (["base64", "base64url"] as const).map((encoding) => longer.toString(encoding).slice(first, last));
  });
  return cores.filter((core) => core.length >= SHORTEST_CORE);
}

type Range = { readonly start: number; readonly end: number };

/** Masks what is a secret as it stands, and what is one once its escapes are read. */
function maskEscaped(text: string, pattern: RegExp): string {
  const found = (within: string): readonly Range[] => {
    const ranges: Range[] = [];
    // Not by matchAll, which compiles the pattern anew each time.
    within.replace(pattern, (match, start: number) => {
      ranges.push({ start, end: start + match.length });
      return "";
    });
    return ranges;
  };
  const escaped = decodedLayers(text).flatMap(({ decoded, sourceOf }) =>
    found(decoded).map(({ start, end }) => sourceOf(start, end)),
  );
  let masked = "";
  let read = 0;
  for (const { start, end } of withoutOverlaps([...found(text), ...escaped])) {
    masked += text.slice(read, start) + MASK;
    read = end;
  }
  return masked + text.slice(read);
}

function withoutOverlaps(ranges: readonly Range[]): readonly Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last === undefined || range.start >= last.end) merged.push(range);
    else merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
  }
  return merged;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
