/** Text from the API made safe to keep and to quote. What a mail or a page needs on top is decided there. */
import { hash } from "node:crypto";
import { oneLine } from "../../domain/one-line.ts";

/** Cloudflare's own ids have 32 characters; an index of Postgres takes some 2,700 bytes. */
export const LONGEST_KEY = 200;
const KEPT_OF_A_KEY = 100;
const SHORTENED = /^.{100}-sha256-[0-9a-f]{64}$/s;

/** The text where it can be a key of the database; of a longer one the beginning and a hash of all of it. */
export function keyText(text: string): string {
  if (text.length <= LONGEST_KEY) return text;
  return `${text.slice(0, KEPT_OF_A_KEY).toWellFormed()}-sha256-${hash("sha256", text, "hex")}`;
}

/** Whether the key stands for a longer text, which it does not hold. */
export function isShortened(key: string): boolean {
  return SHORTENED.test(key);
}

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
