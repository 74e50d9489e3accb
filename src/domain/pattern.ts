/** Patterns with `*` for any text: `Acme*` takes, `!Acme Labs` leaves out. */

/** Whether a value is taken by some pattern and left out by none; where no pattern takes, every value is taken. */
export function matches(patterns: readonly string[], values: readonly string[]): boolean {
  const taking = patterns.filter((pattern) => !pattern.startsWith("!"));
  const folded = values.map(fold);
  if (taking.length > 0 && !taking.some((pattern) => meets(pattern, folded))) return false;
  return !values.some((value) => isLeftOut(patterns, value));
}

/** Whether a pattern with `!` leaves the value out. */
export function isLeftOut(patterns: readonly string[], value: string): boolean {
  return patterns.some((pattern) => pattern.startsWith("!") && meets(pattern.slice(1), [fold(value)]));
}

/** @param folded of which one must fit the pattern */
function meets(pattern: string, folded: readonly string[]): boolean {
  const parts = fold(pattern).split("*");
  return folded.some((value) => fits(value, parts));
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
