/** What a mail server offers in its answer to EHLO. @see https://www.rfc-editor.org/rfc/rfc5321#section-4.1.1.1 */

export type Offer = {
  readonly starttls: boolean;
  /** Mechanisms for a login, in upper case, in the server's order. */
  readonly mechanisms: readonly string[];
  /** The largest mail that it takes, in bytes; null where it names none. @see https://www.rfc-editor.org/rfc/rfc1870 */
  readonly sizeLimit: number | null;
};

/** What a server offers that knows no EHLO. */
export const NOTHING_OFFERED: Offer = { starttls: false, mechanisms: [], sizeLimit: null };

export function offerOf(answer: string): Offer {
  const [, ...lines] = answer.split(/\r?\n/).map((line) => line.replace(/^\d{3}[ -]/, "").trim());
  const keywords = lines.map((line) => line.toUpperCase().split(/[\s=]+/));
  const mechanisms = keywords.flatMap(([keyword, ...rest]) => (keyword === "AUTH" ? rest.filter(Boolean) : []));
  const size = Number(keywords.find(([keyword]) => keyword === "SIZE")?.[1]);
  return {
    starttls: keywords.some(([keyword]) => keyword === "STARTTLS"),
    mechanisms: [...new Set(mechanisms)],
    sizeLimit: Number.isSafeInteger(size) && size > 0 ? size : null,
  };
}
