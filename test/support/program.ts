/** Runs the real program in a process of its own, and waits for what it logs. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const LAUNCHER = fileURLToPath(new URL("../../bin/invitewatch", import.meta.url));

export type LogLine = { readonly event: string; readonly level: string; readonly [field: string]: unknown };

export type Program = {
  readonly child: ChildProcess;
  /** Everything so far. */
  stdout(): string;
  stderr(): string;
  /** The first line with this event that was not waited for yet. Rejects where the program ends before. */
  logged(event: string, matches?: (line: LogLine) => boolean): Promise<LogLine>;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
};

/** @param env beside PATH, HOME and TMPDIR alone: what the machine has set is not the program's business */
export function startProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { cwd = process.cwd() } = {},
): Program {
  const { PATH = "", HOME = "", TMPDIR = "/tmp" } = process.env;
  const settings = { PATH, HOME, TMPDIR, ...env };
  const child = spawn(LAUNCHER, args, { cwd, env: settings, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  let seen = 0;
  const wakers = new Set<() => void>();
  const wake = () => {
    for (const waker of wakers) waker();
  };
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    stderr += text;
    wake();
  });
  let over = false;
  const ended = once(child, "close").then(([code, signal]) => {
    over = true;
    wake();
    return (code ?? signal) as number | NodeJS.Signals;
  });

  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    async logged(event, matches = () => true) {
      for (;;) {
        const lines = stderr.split("\n").slice(0, -1);
        for (; seen < lines.length; seen += 1) {
          const line = parse(lines[seen] ?? "");
          if (line?.event === event && matches(line)) {
            seen += 1;
            return line;
          }
        }
        if (over) throw new Error(`the program ended without logging ${event}:\n${stderr}`);
        await new Promise<void>((resolve) => {
          const waker = () => {
            wakers.delete(waker);
            resolve();
          };
          wakers.add(waker);
        });
      }
    },
  };
}

/** Runs a command to its end. */
export async function runProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: { readonly cwd?: string } = {},
): Promise<{ readonly code: number | NodeJS.Signals; readonly stdout: string; readonly stderr: string }> {
  const program = startProgram(args, env, options);
  const code = await program.ended;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}

function parse(line: string): LogLine | null {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return null;
  }
}
