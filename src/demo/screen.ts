/** Lines for a terminal: prose wrapped to its width, headings, times of day. */

/** Prose in longer lines is hard to read, however wide the terminal is. */
const LONGEST = 100;

export function proseWidth(columns: number): number {
  return Math.min(columns, LONGEST);
}

/**
 * The text broken between words into lines.
 *
 * @param first before the first line; the others are indented as far
 */
export function wrapped(text: string, width: number, first = ""): string {
  const lines: string[] = [];
  let line = first;
  const indent = " ".repeat(first.length);
  for (const word of text.split(" ")) {
    const next = line.trim() === "" || line === first ? line + word : `${line} ${word}`;
    if (next.length <= width || line.trim() === "") {
      line = next;
      continue;
    }
    lines.push(line);
    line = indent + word;
  }
  return [...lines, line].join("\n");
}

/** A line across the screen with a text at its beginning and one at its end. */
export function ruled(left: string, right: string, width: number): string {
  const dashes = "─".repeat(Math.max(2, width - left.length - right.length - 6));
  return `── ${left} ${dashes} ${right}`.trimEnd();
}

/** "09:45", UTC. */
export function timeOfDay(instant: Date): string {
  return instant.toISOString().slice(11, 16);
}

/** "Mon 23 Nov 09:45 UTC" */
export function dayAndTime(instant: Date): string {
  const options = { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" } as const;
  return `${instant.toLocaleDateString("en-GB", options).replace(",", "")} ${timeOfDay(instant)} UTC`;
}
