/** Patterns with `*` for any text: `Acme*` takes, `!Acme Labs` leaves out. */

/** Whether a value is taken by some pattern and left out by none; where no pattern takes, every value is taken. */
export function matches(patterns: readonly string[], values: readonly string[]): boolean {
  const taking = patterns.filter((pattern) => !pattern.startsWith("!"));
  const leavingOut = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1));
  const folded = values.map(fold);
  const meets = (pattern: string) => {
    const parts = fold(pattern).split("*");
    return folded.some((value) => fits(value, parts));
  };
  return (taking.length === 0 || taking.some(meets)) && !leavingOut.some(meets);
}

/** Upper and lower case alike. */
function fold(text: string): string {
  return text.toUpperCase();
}

/**
 * Whether the text begins with the first part, ends with the last, and has the others in their order between them.
 *
 * Each is taken where it first occurs. A regular expression would try all places, and strangers choose the text.
 */
function fits(text: string, parts: readonly string[]): boolean {
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
