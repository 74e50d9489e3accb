/** Reads RFC 3339 date-times strictly: what is no instant must not become one by guessing. */

const DATE_TIME = new RegExp(
  "^(?:19[789]\\d|[2-9]\\d{3})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])" +
    "[Tt ](?:[01]\\d|2[0-3]):[0-5]\\d:(?:[0-5]\\d|60)(?:\\.\\d+)?" +
    "(?:[Zz]|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)$",
);

const EARLIEST_MS = 0;
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * The instant that an RFC 3339 date-time names, or null where the text is none.
 *
 * Any precision is accepted and cut to milliseconds; years 1970 to 9999. A leap second is the second
 * after it. A date alone is not an instant.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */
export function parseInstant(text: string): Date | null {
  if (!DATE_TIME.test(text)) return null;
  const iso = text.charAt(10) === "T" && !text.endsWith("z") ? text : text.toUpperCase().replace(" ", "T");
  // Date.parse lets 30 February roll over into March.
  const day = Number(iso.slice(8, 10));
  if (day > 28 && day > daysIn(Number(iso.slice(0, 4)), Number(iso.slice(5, 7)))) return null;

  const leap = iso.startsWith("60", 17);
  const at = leap ? Date.parse(`${iso.slice(0, 17)}59${iso.slice(19)}`) + 1000 : Date.parse(iso);
  return at >= EARLIEST_MS && at <= LATEST_MS ? new Date(at) : null;
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
