/** What is wrong with a configuration, for the person who has to mend it. */

export type Problem = {
  /** The variable to look at; in the configuration file its path, the line and the key. */
  readonly key: string;
  /** In the configuration file. */
  readonly line?: number;
  /** What it holds, quoted and with secrets masked; null where nothing is set or the value is nobody's business. */
  readonly found: string | null;
  /** What is wrong with it and what is accepted, in whole sentences. */
  readonly message: string;
};

/** Stands for the value of a secret in `found`. */
export const NOT_SHOWN = "a value (not shown)";

/** Every problem of a configuration at once; the message lists them, one a line. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
    super([`The configuration has ${count}:`, ...problems.map((problem) => `  ${lineOf(problem)}`)].join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

function lineOf({ key, found, message }: Problem): string {
  return found === null ? `${key}: ${message}` : `${key}: found ${found}. ${message}`;
}

/**
 * A value in quotes, fit to be shown: cut when long, control characters escaped.
 *
 * Logins in URLs and what looks like a key are masked too: people do paste one into the wrong variable.
 */
export function quoted(value: string): string {
  const masked = value.replace(/\/\/.*@/gs, "//***@").replace(/[A-Za-z0-9_-]{32,}/g, "***");
  return JSON.stringify(masked.length > 100 ? `${masked.slice(0, 100)}…` : masked);
}
