/** What a command has of the world around it; `main.ts` brings the real one. */
import type { Readable, Writable } from "node:stream";
import type { Environment } from "../config/environment.ts";
import { visibleLines } from "../domain/visible.ts";

/** 0: done. 1: the work failed or fell short. 2: wrong usage or configuration. */
export type ExitCode = 0 | 1 | 2;

export type Surroundings = {
  /** For `loadConfig`; undefined for the process's own. */
  readonly env: Environment | undefined;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly now: () => Date;
  /** How wide stdout is. */
  readonly columns: number;
};

export type Context = Surroundings & {
  /** The program ends with this once the command has returned; 0 where nothing was said. */
  readonly setExitCode: (code: ExitCode) => void;
};

const COLUMNS_OF_A_FILE = 120;
const FEWEST_COLUMNS = 40;

/** The process's streams and the clock. The environment is left to `loadConfig`, which reads the process's own. */
export function surroundingsOf({
  stdin,
  stdout,
  stderr,
}: Pick<NodeJS.Process, "stdin" | "stdout" | "stderr">): Surroundings {
  const columns = stdout.isTTY ? Math.max(stdout.columns || 80, FEWEST_COLUMNS) : COLUMNS_OF_A_FILE;
  return { env: undefined, stdin, stdout, stderr, now: () => new Date(), columns };
}

/**
 * Resolves when the stream has taken the text or bytes. Rejects where it cannot, with EPIPE where nobody reads any more.
 *
 * The only way to stdout and stderr for a command: whatever a text holds, nothing in it but line ends is obeyed by a
 * terminal. Bytes go as they are.
 */
export function write(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  const output = typeof chunk === "string" ? visibleLines(chunk) : chunk;
  return new Promise((resolve, reject) => {
    stream.write(output, (error) => (error ? reject(error) : resolve()));
  });
}
