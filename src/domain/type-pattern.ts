/** Patterns of event types: `invite.*` takes, `!invite.changed` leaves out. */

/**
 * The types that some pattern takes and none leaves out; where no pattern takes, all are taken.
 *
 * A `*` stands for any text.
 */
export function matchTypes(patterns: readonly string[], types: readonly string[]): string[] {
  const taken = patterns.filter((pattern) => !pattern.startsWith("!")).map(expressionOf);
  const leftOut = patterns
    .filter((pattern) => pattern.startsWith("!"))
    .map((pattern) => expressionOf(pattern.slice(1)));
  return types.filter(
    (type) => (taken.length === 0 || taken.some((one) => one.test(type))) && !leftOut.some((one) => one.test(type)),
  );
}

function expressionOf(pattern: string): RegExp {
  return new RegExp(`^${pattern.split("*").map(RegExp.escape).join(".*")}$`, "s");
}
