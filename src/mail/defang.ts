/**
 * Makes text that strangers wrote safe to show inside our own, trusted mail.
 *
 * The rules look at single characters and their neighbours, never at lists of top-level domains: what
 * some mail client might turn into a link is broken visibly (`example[.]com`), so that people still read it.
 * Escaping for HTML is not done here.
 */
import { INVISIBLE, withoutQuotationMarks } from "../domain/visible.ts";

/** No field of the API is longer by far; bounds the work on hostile input, in UTF-16 units. */
const MAX_INPUT = 10_000;
/** A grapheme may be arbitrarily long (stacked marks, joined emoji); this many UTF-16 units count as one. */
const UNITS_PER_GRAPHEME = 8;

const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });

const UNSHOWABLE = /[\p{Co}\p{Noncharacter_Code_Point}]/gu;
/** Every kind of space and line end, and the braille blank, which looks like one. */
const SPACES = /[\p{Z}\t\n\v\f\r\x85\u2800]+/gu;
/** Marks without a letter: alone, some look like a quotation mark. */
const LONE_MARKS = /(?<=^|\s)\p{M}+/gu;
/** More marks on one letter than any language stacks. */
const STACKED_MARKS = /(\p{M}{4})\p{M}+/gu;

const IPV4 = /(?<!\p{Nd})\p{Nd}{1,3}(?:\.\p{Nd}{1,3}){3,}/gu;
const BRACKETED_IPV4 = /^\p{Nd}+(?:\[\.\]\p{Nd}+){3}$/u;
/** What telephone detectors pass over between digits, and what looks like it; more of it in a row ends a number. */
const BETWEEN_DIGITS = String.raw`[\p{Zs}\p{Pd}\p{Ps}\p{Pe}\p{Pc}\p{M}.\/~*#+\u00B7\u02D7\u2022\u2027\u2032\u2044\u2053\u207B\u2212\u2215\u223C\u3001\u3002\u301C\u30FB\u30FC\uFF03\uFF0A\uFF0B\uFF0E\uFF0F\uFF5E\uFF61\uFF64\uFF65\uFF70]{0,8}`;
/** Seven digits or more with nothing but that between them, or four and more behind a plus. */
const PHONE = new RegExp(
  String.raw`(?:(?<![(\uFF08])[(\uFF08]+)?(?:[+\uFF0B]${BETWEEN_DIGITS}\p{Nd}(?:${BETWEEN_DIGITS}\p{Nd}){3,}|\p{Nd}(?:${BETWEEN_DIGITS}\p{Nd}){6,})\p{M}*`,
  "gu",
);
/** 1-800-FLOWERS */
const VANITY_PHONE = /(\p{Nd})\p{Pd}(\p{Nd}{3})\p{Pd}(?=\p{L})/gu;
/** How an encoded word of a mail header begins (RFC 2047). */
const ENCODED_WORD = /=\?/g;
const SLASHES = /(\[?)(:?)([\\/]{2,})(\]?)/g;
const CLOSERS = String.raw`\s)\]}”’"'»,;:!?…`;
/** The colon of a scheme; the one of a time of day stays, and the one at the end of words. */
const SCHEME_COLON = new RegExp(
  `(?<=[\\p{L}\\p{N}\\p{M}+.-])(?!(?<=\\p{Nd}):\\p{Nd}):(?![${CLOSERS}]*(?:\\s|$))`,
  "gu",
);
const AT = /[@\uFF20\uFE6B]/g;
/** The full stop, and every character that domain names take for one (UTS 46). */
const DOTS = ".\\u3002\\uFF0E\\uFF61\\u2024\\uFE52";
/** Dots inside a word, but not between initials ("S.p.A.") or digits ("2.0"): no domain name ends in either. */
const INNER_DOTS = new RegExp(
  [
    `(?<=[^\\s${DOTS}])`,
    String.raw`(?!(?<=(?<![\p{L}\p{N}\p{M}_-])[\p{Lu}\p{Ll}])\.[\p{Lu}\p{Ll}](?![\p{L}\p{N}\p{M}_-]))`,
    String.raw`(?!(?<=\p{Nd})\.\p{Nd})`,
    `[${DOTS}]+(?=[^${DOTS}${CLOSERS}])`,
  ].join(""),
  "gu",
);

/**
 * The text on one line, without anything invisible, in which no mail client finds a link.
 *
 * Addresses, hosts, schemes and telephone numbers stay readable: `user[at]example[.]com`,
 * `hxxps[://]example[.]com`, `+49_30_1234_567`. Applying it twice changes nothing more, unless it was cut.
 *
 * @param maxLength in graphemes, the "…" of a cut included
 */
export function defang(text: string, maxLength: number): string {
  const shown = disarm(strip(text.slice(0, MAX_INPUT)));

  return cap(text.length > MAX_INPUT ? `${shown}…` : shown, maxLength);
}

/**
 * The defanged text in “quotation marks”, which nothing inside it can close.
 *
 * @param maxLength in graphemes, without the marks
 */
export function quote(text: string, maxLength: number): string {
  return `“${isolate(withoutQuotationMarks(defang(text, maxLength)))}”`;
}

/** Where scripts are that are written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFE\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/**
 * The defanged text so that nothing beside it changes places with it where it is written from right to left: between
 * the marks for that, which text of others has lost.
 *
 * @see https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates
 */
export function isolate(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

/** The parts of a text by turns: what is ours, and what stands isolated in it. */
export function isolatedParts(text: string): readonly string[] {
  return text.split(/\u2068([^\u2069]*)\u2069/);
}

/** For subjects and programs that show such marks: the text without them. */
export function withoutIsolates(text: string): string {
  return isolatedParts(text).join("");
}

/**
 * The text, cut between graphemes where it is longer.
 *
 * @param maxLength in graphemes, the "…" included
 * @param maxUnits in UTF-16 units, without the "…"
 */
export function cap(text: string, maxLength: number, maxUnits = maxLength * UNITS_PER_GRAPHEME): string {
  if (text.length <= maxLength) return text;

  let graphemes = 0;
  let cut = 0;
  for (const { index, segment } of GRAPHEMES.segment(text)) {
    graphemes += 1;
    if (graphemes > maxLength || index + segment.length > maxUnits) {
      return `${text.slice(0, cut).trimEnd()}…`;
    }
    if (graphemes < maxLength) cut = index + segment.length;
  }
  return text;
}

function strip(text: string): string {
  return text
    .toWellFormed()
    .replace(UNSHOWABLE, "\uFFFD")
    .replace(SPACES, " ")
    .replace(INVISIBLE, "")
    .normalize("NFC")
    .replace(LONE_MARKS, "")
    .replace(STACKED_MARKS, "$1")
    .replace(/ {2,}/g, " ")
    .trim();
}

function disarm(text: string): string {
  return text
    .replace(IPV4, (address) => address.replaceAll(".", "[.]"))
    .replace(PHONE, breakPhone)
    .replace(VANITY_PHONE, "$1_$2_")
    .replace(ENCODED_WORD, "=[?]")
    .replace(SLASHES, bracketSlashes)
    .replace(SCHEME_COLON, "[:]")
    .replace(AT, "[at]")
    .replace(INNER_DOTS, "[$&]")
    .replace(/http(?=s?\[:)/gi, "hxxp");
}

/** Groups of four digits at most, with underscores: telephone detectors take brackets, dots and spaces in their stride. */
function breakPhone(phone: string): string {
  if (BRACKETED_IPV4.test(phone)) return phone;
  const plus = /^[(\uFF08]*[+\uFF0B]/.test(phone) ? "+" : "";
  const groups = phone.match(/\p{Nd}{1,4}/gu) ?? [];
  return plus + groups.join("_");
}

function bracketSlashes(all: string, open: string, colon: string, slashes: string, close: string): string {
  return open && close ? all : `${open}[${colon}${slashes}]${close}`;
}
