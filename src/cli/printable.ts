/** Text from elsewhere, fit for a terminal: nothing in it is obeyed, reordered or invisible. */
import { INVISIBLE } from "../mail/defang.ts";

/** Controls (ESC among them), bidi and zero-width characters, line and paragraph separators, halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;
const JOINERS = /[\u200c\u200d]/;
const LONGEST = 400;

/** The text with unprintable characters spelt out (`\u{202e}`), cut where it is very long. */
export function printable(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST).toWellFormed()}…` : text;
  const hidden = JOINERS.test(cut) ? new Set([...cut.matchAll(INVISIBLE)].map(({ index }) => index)) : null;
  return cut.replace(UNPRINTABLE, (character, index: number) => {
    // A joiner inside an emoji, or between letters of a script that joins, is part of the writing.
    if (JOINERS.test(character) && !hidden?.has(index)) return character;
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}

/** The printable text in “quotation marks” that nothing in it can close. */
export function quoted(text: string): string {
  return `“${printable(text).replace(/[“”„‟"]/g, "'")}”`;
}

/** What takes two columns: the scripts and signs of East Asia, and emoji. */
const WIDE =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const NO_WIDTH = /[\p{M}\u200c\u200d]/u;

/** How many columns the printable text takes on a terminal. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : NO_WIDTH.test(character) ? 0 : 1;
  return width;
}

/** The printable text, cut to the width, the "…" of the cut included. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let cut = "";
  let used = 0;
  for (const character of text) {
    used += widthOf(character);
    if (used > width - 1) break;
    cut += character;
  }
  return `${cut.trimEnd()}…`;
}
