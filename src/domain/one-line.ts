/**
 * Text that somebody else wrote, made safe to keep and to quote: Postgres refuses NUL characters, and JSON in it lone
 * surrogates. What a mail or a page needs on top is decided there.
 */

/** The text on one line without control and format characters (NUL, CR, LF, bidi), well-formed, cut to `max` characters. */
export function oneLine(text: string, max: number): string {
  const plain = text
    .slice(0, max * 4)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  return plain.length <= max ? plain : `${plain.slice(0, max - 1)}…`.toWellFormed();
}

/**
 * The same without secrets.
 *
 * Redacted both before and after the clean-up: a mask must neither be dodged by a line break nor be cut in two.
 */
export function maskedLine(text: string, max: number, redact: (text: string) => string): string {
  return oneLine(redact(oneLine(redact(text), max * 10)), max);
}
