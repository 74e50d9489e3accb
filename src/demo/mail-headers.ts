/** Reads the header block of a raw mail; leaves encoded words and structured values as they are. */

/** Values by lower-case header name, in the order of the mail. */
export type HeaderValues = Readonly<Record<string, readonly string[]>>;

/** Every header of the mail, folded lines joined (RFC 5322 §2.2.3). */
export function parseHeaders(raw: string): HeaderValues {
  const [block = ""] = raw.split(/\r?\n\r?\n/, 1);
  const headers: Record<string, string[]> = Object.create(null);
  for (const line of block.replaceAll(/\r?\n(?=[ \t])/g, "").split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    headers[name] = [...(headers[name] ?? []), line.slice(colon + 1).trim()];
  }
  return headers;
}
