/** Runs a command in this process, with streams that are looked into afterwards. */
import { Readable, Writable } from "node:stream";
import { runProgram } from "../../src/cli/program.ts";
import { at } from "../adapters/postgres/read-seed.ts";

export type Surrounded = {
  readonly url?: string;
  readonly now?: Date;
  readonly columns?: number;
  readonly timezone?: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
};

export type Outcome = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What went to stdout, byte for byte. */
  readonly bytes: Buffer;
};

/** By default it is ten past eight in the evening of 22 November 2026, in UTC, 80 columns wide. */
export async function runCommand(args: readonly string[], given: Surrounded = {}): Promise<Outcome> {
  const stdout = gather();
  const stderr = gather();
  const code = await runProgram(args, {
    env: { DATABASE_URL: given.url, TIMEZONE: given.timezone ?? "UTC", ...given.env },
    stdin: Readable.from(given.stdin === undefined ? [] : [given.stdin]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    now: () => given.now ?? at("20:10"),
    columns: given.columns ?? 80,
  });
  return { code, stdout: stdout.bytes().toString(), stderr: stderr.bytes().toString(), bytes: stdout.bytes() };
}

function gather(): { readonly stream: Writable; readonly bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}
