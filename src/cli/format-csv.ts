/**
 * CSV that is safe to open in a spreadsheet, whichever separator it takes for the one: that depends on the reader's
 * country, and not every program minds quotes.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4180
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
import { visible, visibleJson } from "../domain/visible.ts";

/** What begins a formula, with the look-alikes that spreadsheets take for it. */
const SIGNS = String.raw`[=+@\p{Pd}\u2212\uFE62\uFE66\uFE6B\uFF0B\uFF1D\uFF20\u207A-\u207C\u208A-\u208C\u2A75\u2A76\uFB29]`;
/** What a spreadsheet may pass over before it; what is not seen at all is spelt out. */
const PASSED_OVER = String.raw`["\p{Zs}]*`;
/** Where a cell begins for one reader or another. */
const FORMULAS = new RegExp(
  String.raw`(?<=^|[,;|\t\r\n\v\f\x85\u2028\u2029])(?=${PASSED_OVER}${SIGNS})|^(?=[\t\r])`,
  "gu",
);
const SIGNS_IN_JSON = new RegExp(`(?<=(?:^"|[,;|])(?:${PASSED_OVER}))${SIGNS}`, "gu");
const JSON_TEXT = /"(?:[^"\\]|\\.)*"/g;
const LINE_ENDS = /[\t\r\n\v\f\x85\u2028\u2029]+/g;

/** One record with its line end, every cell in quotes. Nested values are JSON, null is empty. */
export function csvLine(values: readonly unknown[]): string {
  return `${values.map(cell).join(",")}\r\n`;
}

function cell(value: unknown): string {
  const text = visible(textOf(value).replace(FORMULAS, "'").replace(LINE_ENDS, " "));
  return `"${text.replaceAll('"', '""')}"`;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  return visibleJson(value).replace(JSON_TEXT, (text) => text.replace(SIGNS_IN_JSON, escaped));
}

/** As JSON may spell it, so that what is read back is the same. */
function escaped(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
