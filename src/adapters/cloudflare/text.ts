/** Text from the API made safe to keep and to quote. What a mail or a page needs on top is decided there. */

/** The text without what Postgres refuses: NUL characters and lone surrogates become U+FFFD. */
export function storable(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  return wellFormed.includes("\0") ? wellFormed.replaceAll("\0", "\uFFFD") : wellFormed;
}

/** The text on one line without control and format characters (CR, LF, bidi), cut to `max` characters. */
export function oneLine(text: string, max: number): string {
  const plain = text
    .slice(0, max * 4)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  return plain.length <= max ? plain : `${plain.slice(0, max - 1)}…`.toWellFormed();
}

/** What a value is, for a sentence: a quoted text of at most 100 characters, a number, "an object". */
export function quote(value: unknown): string {
  if (typeof value === "string") return `"${oneLine(value, 100)}"`;
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
