/** Text from the API made safe to keep and to quote. What a mail or a page needs on top is decided there. */
import { oneLine } from "../../domain/one-line.ts";

/** The text without what Postgres refuses: NUL characters and lone surrogates become U+FFFD. */
export function storable(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  return wellFormed.includes("\0") ? wellFormed.replaceAll("\0", "\uFFFD") : wellFormed;
}

/** What a value is, for a sentence: a quoted text of at most 100 characters, a number, "an object". */
export function quote(value: unknown): string {
  if (typeof value === "string") return `"${oneLine(value, 100)}"`;
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
