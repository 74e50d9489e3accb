/** The real PgBouncer in transaction mode before a test's database, where it is installed. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "./free-port.ts";
import { temporaryFolder } from "./postgres-server.ts";

export type Pooler = {
  /** The database's URL, by way of the pooler. */
  readonly url: string;
  stop(): Promise<void>;
};

/** Why tests that need it are skipped; false where they are not. */
export const noPgBouncer = spawnSync("pgbouncer", ["--version"]).status === 0 ? false : "pgbouncer is not installed";

/** @param settings lines of its configuration beside those that make it a pooler in transaction mode */
export async function startPgBouncer(databaseUrl: string, settings: readonly string[] = []): Promise<Pooler> {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const folder = await mkdtemp(join(temporaryFolder(), "pgbouncer-"));
  const file = join(folder, "pgbouncer.ini");
  const own = await freePort();
  const lines = [
    "[databases]",
    `* = host=${hostname} port=${port} user=${username} password=${password}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${own}`,
    "unix_socket_dir =",
    "auth_type = any",
    "pool_mode = transaction",
    "default_pool_size = 2",
    ...settings,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  await chmod(folder, 0o755);
  const child = spawn("pgbouncer", [file], { ...notRoot(), stdio: ["ignore", "ignore", "pipe"] });
  await listening(child);
  return {
    url: `postgres://${username}@127.0.0.1:${own}${pathname}`,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

async function listening(child: ChildProcess): Promise<void> {
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr as NodeJS.ReadableStream })) {
    said.push(line);
    if (line.includes("process up")) {
      child.stderr?.resume();
      return;
    }
  }
  throw new Error(`PgBouncer did not start:\n${said.join("\n")}`);
}

/** PgBouncer refuses to run as root. */
function notRoot(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
