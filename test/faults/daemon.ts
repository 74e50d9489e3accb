/** The program as the suite runs it: `run`, every second, as fast as it starts. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoCredentials } from "../../src/demo/cloudflare.ts";
import { type Program, runProgram, startProgram } from "../support/program.ts";

/** The lines on which the program meets the world. */
export type Lines = { readonly postgres: string; readonly smtp: string; readonly http: string };

/** Node.js's own, so that hundreds of starts do not compile the same files hundreds of times. */
const CACHE = { NODE_COMPILE_CACHE: join(tmpdir(), "invitewatch-faults-cache") };

/** Fills the cache: a process that is killed leaves nothing in it. This one ends by itself, for want of a database. */
export async function warmUp(): Promise<void> {
  const nowhere = "127.0.0.1:1";
  await runProgram(["sync"], {
    DATABASE_URL: `postgres://${nowhere}/none`,
    SMTP_URL: `smtp://${nowhere}`,
    CLOUDFLARE_BASE_URL: `http://${nowhere}`,
    CLOUDFLARE_API_TOKEN: demoCredentials.token,
    MAIL_FROM: "invites@example.com",
    MAIL_TO: "ops@example.com",
    ...CACHE,
  });
}

const running = new Set<Program>();

/** Ends with this process at the latest. @param more beside what every run has */
export function startDaemon(lines: Lines, more: Readonly<Record<string, string>>): Program {
  const program = startProgram(["run"], {
    DATABASE_URL: lines.postgres,
    SMTP_URL: lines.smtp,
    CLOUDFLARE_BASE_URL: lines.http,
    SYNC_JITTER: "0s",
    DIGEST_SCHEDULE: "off",
    HTTP_PORT: "0",
    LOG_LEVEL: "warn",
    ...CACHE,
    ...more,
  });
  running.add(program);
  void program.ended.then(() => running.delete(program));
  return program;
}

/** What it logged that it never must: that a mail was owed and had no job. */
export function complaintsOf(program: Program): string[] {
  const lines = program.stderr().split("\n");
  return lines.filter((line) => line.includes("notification.requeued")).map((line) => `a job was lost: ${line}`);
}

process.on("exit", () => {
  for (const { child } of running) child.kill("SIGKILL");
});
