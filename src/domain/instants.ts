/** Instants that stand in texts of our own, for whoever shows such a text to people. */

const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z/g;

/** The text with its RFC 3339 instants put into other words; the rest, and what is no instant, untouched. */
export function spellInstantsBy(text: string, tell: (instant: Date) => string): string {
  return text.replace(INSTANT, (found) => (Number.isNaN(Date.parse(found)) ? found : tell(new Date(found))));
}
