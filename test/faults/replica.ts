/** One of several processes that do the same work, which may be killed, paused, and cut off from the database. */
import type { Program } from "../support/program.ts";
import { createCrossings } from "./crossings.ts";
import { complaintsOf, type Lines, startDaemon } from "./daemon.ts";
import { startTap } from "./tap.ts";

export type Replica = {
  kill(): Promise<void>;
  /** Starts it, unless it runs. */
  start(): void;
  pause(): void;
  goOn(): void;
  /** Breaks its connections to the database. */
  cut(): void;
  /** What it did that it must not, so far: ended by itself, or logged that something is wrong with itself. */
  readonly faults: readonly string[];
  close(): Promise<void>;
};

export async function createReplica(
  name: string,
  lines: Lines,
  settings: Readonly<Record<string, string>>,
): Promise<Replica> {
  const crossings = createCrossings(null, () => {});
  const tap = await startTap("postgres", lines.postgres, () => crossings);
  const faults: string[] = [];
  let program: Program | null = null;
  const kill = async () => {
    const dying = program;
    program = null;
    dying?.child.kill("SIGKILL");
    await dying?.ended;
  };
  const watchOver = async (running: Program) => {
    const code = await running.ended;
    faults.push(...complaintsOf(running));
    if (program !== running) return;
    program = null;
    faults.push(`${name} ended by itself (${code}): ${running.stderr().slice(-1_500)}`);
  };
  return {
    kill,
    start() {
      if (program !== null) return;
      program = startDaemon({ ...lines, postgres: tap.url }, settings);
      void watchOver(program);
    },
    pause: () => void program?.child.kill("SIGSTOP"),
    goOn: () => void program?.child.kill("SIGCONT"),
    cut: tap.cut,
    faults,
    async close() {
      await kill();
      tap.close();
    },
  };
}
