/**
 * Reads the escapes of URLs, JSON and HTML in a text, whichever stand there, and knows where each character came from.
 *
 * Line breaks and characters that are not seen are read as nothing: whoever keeps or shows the text may leave them out.
 */

/** A text with its escapes read. */
export type Layer = {
  readonly decoded: string;
  /** Where in the original text the characters from `start` to before `end` of `decoded` stand. */
  sourceOf(start: number, end: number): { readonly start: number; readonly end: number };
};

/** An escape inside of an escape (JSON in JSON, HTML in a URL) is common, more than that is not. */
const DEEPEST = 2;
/** A text that is longer is no text for people, and reading it so often would take long. */
const LONGEST = 1_000_000;

/** Each kind is read by itself: what one of them escapes may look like an escape of another. */
const ESCAPES: readonly RegExp[] = [
  /(?:%[0-9a-f]{2})+/gi,
  /\\(?:u[0-9a-f]{4}|u\{[0-9a-f]{1,6}\}|x[0-9a-f]{2}|["'\\/bfnrt])/gi,
  /&(?:#\d{1,7}|#x[0-9a-f]{1,6}|amp|lt|gt|quot|apos|sol|plus|equals);/gi,
  /[\p{Cc}\p{Cf}]+/gu,
];
const ESCAPE = /[%\\&\p{Cc}\p{Cf}]/u;

/** Whether there may be anything to read. */
export function mayHoldEscapes(text: string): boolean {
  return ESCAPE.test(text);
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  sol: "/",
  plus: "+",
  equals: "=",
};

const CONTROLS: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** The text with the escapes of each kind read, and with those that are left after that; none where it has none. */
export function decodedLayers(text: string): readonly Layer[] {
  if (text.length > LONGEST) return [];
  let deepest: readonly Decoded[] = [{ decoded: text, starts: null, ends: null }];
  const layers: Layer[] = [];
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    deepest = deepest.flatMap((above) => ESCAPES.flatMap((written) => decode(above, written) ?? []));
    for (const { decoded, starts, ends } of deepest) {
      layers.push({ decoded, sourceOf: (start, end) => ({ start: starts?.[start] ?? 0, end: ends?.[end - 1] ?? 0 }) });
    }
  }
  return layers;
}

/** Where each character begins and ends in the original; null for the original itself. */
type Decoded = {
  readonly decoded: string;
  readonly starts: readonly number[] | null;
  readonly ends: readonly number[] | null;
};

/** The text with the escapes of one kind read; null where there are none. */
function decode({ decoded: text, starts, ends }: Decoded, pattern: RegExp): Decoded | null {
  const result = { decoded: "", starts: [] as number[], ends: [] as number[] };
  const add = (characters: string, from: number, to: number): void => {
    result.decoded += characters;
    for (let unit = 0; unit < characters.length; unit += 1) {
      result.starts.push(starts === null ? from : (starts[from] ?? from));
      result.ends.push(ends === null ? to : (ends[to - 1] ?? to));
    }
  };
  const addPlain = (from: number, to: number): void => {
    for (let index = from; index < to; index += 1) add(text.charAt(index), index, index + 1);
  };
  let read = 0;
  for (const { 0: written, index } of text.matchAll(pattern)) {
    addPlain(read, index);
    let from = index;
    for (const { characters, length } of charactersOf(written)) {
      add(characters, from, from + length);
      from += length;
    }
    read = index + written.length;
  }
  if (read === 0) return null;
  addPlain(read, text.length);
  return result;
}

/** What the escape stands for, and by how many of its characters. */
function charactersOf(written: string): readonly { readonly characters: string; readonly length: number }[] {
  if (written.startsWith("%")) return octets(written);
  return [{ characters: characterOf(written), length: written.length }];
}

function characterOf(written: string): string {
  if (!/^[&\\]/.test(written)) return "";
  const name = written.startsWith("&") ? written.slice(1, -1) : written.slice(1);
  const [, kind, digits] = /^(u|x|#x|#)\{?([0-9a-f]+)\}?$/i.exec(name) ?? [];
  if (digits !== undefined) return fromCode(Number.parseInt(digits, kind === "#" ? 10 : 16));
  return written.startsWith("&") ? (ENTITIES[name.toLowerCase()] ?? "") : (CONTROLS[name] ?? name);
}

/** Percent-encoded octets are UTF-8: several of them may be one character. */
function octets(written: string): readonly { readonly characters: string; readonly length: number }[] {
  const bytes = Buffer.from(written.replaceAll("%", ""), "hex");
  const characters = Array.from(bytes.toString("utf8"));
  const lengths = characters.map((character) => 3 * Buffer.byteLength(character));
  // Octets that are no UTF-8 have become replacement characters, and nobody knows any more how many.
  const known = lengths.reduce((sum, length) => sum + length, 0) === written.length;
  if (!known) return [{ characters: characters.join(""), length: written.length }];
  return characters.map((character, index) => ({ characters: character, length: lengths[index] ?? 0 }));
}

function fromCode(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : "";
}
