/** Text from elsewhere, fit for a screen: nothing in it is obeyed, reordered or invisible, and it is not too long. */
import { visible, withoutQuotationMarks } from "../domain/visible.ts";

const LONGEST = 400;

/** The text with unprintable characters spelt out (`\u{202e}`), cut where it is very long. */
export function printable(text: string): string {
  return visible(text.length > LONGEST ? `${text.slice(0, LONGEST).toWellFormed()}…` : text);
}

/** The printable text in “quotation marks” that nothing in it can close. */
export function quoted(text: string): string {
  return `“${withoutQuotationMarks(printable(text))}”`;
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
