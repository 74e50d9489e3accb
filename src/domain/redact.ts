/**
 * Masks credentials in text that somebody else wrote, in the encodings in which a server may echo them.
 *
 * Only literal echoes are known; a secret that was hashed, cut or re-cased is not recognised.
 */

const MASK = "[redacted]";

/** Shorter ones would mask ordinary words rather than protect anything. */
const SHORTEST_SECRET = 4;

/**
 * A function that replaces every secret in a text by `[redacted]`.
 *
 * Each secret is found as it is, in base64 and base64url (with and without padding), URL-encoded and
 * JSON-escaped. The text is searched once, so the time grows linearly with its length and a mask is
 * never searched again.
 *
 * @param secrets those shorter than 4 characters are ignored
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const spellings = new Set(secrets.filter((secret) => secret.length >= SHORTEST_SECRET).flatMap(spellingsOf));
  if (spellings.size === 0) return (text) => text;

  const longestFirst = [...spellings].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escapePattern).join("|"), "g");
  return (text) => text.replace(pattern, MASK);
}

function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const base64 = bytes.toString("base64");
  const base64url = bytes.toString("base64url");
  const padding = base64.slice(base64.replace(/=+$/, "").length);
  const wellFormed = secret.toWellFormed();
  const urls = [encodeURIComponent(wellFormed), new URLSearchParams([["", wellFormed]]).toString().slice(1)];
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    base64,
    base64.replace(/=+$/, ""),
    base64url,
    base64url + padding,
    ...urls,
    ...urls.map((url) => url.replace(/%[0-9A-F]{2}/g, (octet) => octet.toLowerCase())),
  ];
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
