/**
 * The embedded database: Postgres in WebAssembly (PGlite) on a folder, served on a Unix socket beside it.
 *
 * The process that holds the folder's lock runs the database; every other process, and the holder itself,
 * is a client of the socket. So there is one way to the database, embedded or not.
 */
import { existsSync, rmSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { PGlite } from "@electric-sql/pglite";
import { DatabaseError } from "./database-error.ts";
import { type EmbeddedServer, serveEmbedded } from "./embedded-server.ts";
import { findSocketFolder, makeSocketFolder, socketPath } from "./embedded-socket.ts";
import { ownFolder, requireOwnable } from "./own-folder.ts";

/** Who opens the folder: a daemon wants it to itself, a command is content to be a guest, a reader makes nothing. */
export type Role = "daemon" | "command" | "reader";

export type Embedded = {
  /** For `pg`: a Unix socket's folder, user and database. */
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** A lock that ends with its process at the latest; null where another process has it. */
  lock(name: string): (() => void) | null;
  close(): Promise<void>;
};

export const EMBEDDED_SCHEME = "pglite:";
/** How long to wait for a command that has the folder, or for a database that is starting. */
const PATIENCE_MS = 20_000;
const PORT = 5432;
/** The file that names the role of the process that has the folder. */
const OWNER = "owner";
const PURPOSE = "the embedded database";
/** What a folder holds that has a database. */
const DATABASE = "pgdata";

/**
 * The folder that opening the URL would make a database in; null where there is one, or the URL is a server's.
 *
 * @throws DatabaseError where it cannot be made or is not ours; makes nothing itself
 */
export async function folderToMake(url: string): Promise<string | null> {
  if (!url.startsWith(EMBEDDED_SCHEME)) return null;
  const dir = resolve(url.slice(EMBEDDED_SCHEME.length));
  await requireOwnable(dir, PURPOSE);
  return existsSync(join(dir, DATABASE)) ? null : dir;
}

/**
 * Opens the folder, creating it where needed.
 *
 * @throws DatabaseError when a daemon has the folder and this is a daemon too, or when it cannot be opened
 */
export async function openEmbedded(folder: string, role: Role, stop?: AbortSignal): Promise<Embedded> {
  const dir = resolve(folder);
  if (role === "reader" && !existsSync(join(dir, DATABASE))) {
    throw new DatabaseError(
      `There is no database in ${dir} yet; \`invitewatch run\` or \`sync\` makes it, or set DATABASE_URL.`,
      {
        permanent: true,
      },
    );
  }
  await ownFolder(dir, PURPOSE, DATABASE);
  const at = (host: string) => ({ host, port: PORT, user: "postgres", database: "postgres" });
  const ownerFile = join(dir, OWNER);
  const lock = (name: string) => tryPassingLock(join(dir, name));

  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const unlock = tryLock(join(dir, "lock"));
    if (unlock !== null) {
      const { socketDir, close } = await startDatabase(dir, role).catch((cause) => {
        unlock();
        if (cause instanceof DatabaseError) throw cause;
        const message = `The embedded database in ${dir} does not start; is the folder intact and writable?`;
        throw new DatabaseError(message, { cause, permanent: true });
      });
      return {
        connection: at(socketDir),
        lock,
        async close() {
          await close();
          unlock();
        },
      };
    }
    const owner = await readFile(ownerFile, "utf8").catch(() => "");
    if (role === "daemon" && owner === "daemon") {
      throw new DatabaseError(
        `Another invitewatch daemon is already running on pglite:${folder}; stop it first, or give both a Postgres server.`,
        { permanent: true },
      );
    }
    const host = role === "daemon" ? null : await findSocketFolder(dir);
    if (host !== null && (await accepts(host))) return { connection: at(host), lock, close: async () => {} };
    if (performance.now() > deadline) {
      throw new DatabaseError(
        `The embedded database in ${dir} is in use and does not answer; try again, or stop what uses it.`,
      );
    }
    await delay(100, undefined, { signal: stop });
  }
}

type Started = { readonly socketDir: string; close(): Promise<void> };

async function startDatabase(dir: string, role: Role): Promise<Started> {
  const socketDir = await makeSocketFolder(dir);
  await writeFile(join(dir, OWNER), role);
  const db = await PGlite.create(join(dir, DATABASE));
  const path = socketPath(socketDir, PORT);
  await rm(path, { force: true });
  const server = await serveEmbedded(db, path);
  return {
    socketDir,
    async close() {
      await guestsGone(server);
      await server.close();
      await rm(socketDir === dir ? path : socketDir, { recursive: true, force: true });
      await db.close();
    },
  };
}

/** Gives commands that are being served a moment to finish. */
async function guestsGone(server: EmbeddedServer): Promise<void> {
  const deadline = performance.now() + 3_000;
  while (server.connections() > 0 && performance.now() < deadline) await delay(20);
}

/**
 * Takes the folder's lock, or returns null where another process has it.
 *
 * The lock is SQLite's on an otherwise empty file: the operating system's own, gone with its process however that ends.
 */
function tryLock(file: string): (() => void) | null {
  let lock: DatabaseSync | null = null;
  try {
    lock = new DatabaseSync(file);
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    const taken = lock;
    return () => taken.close();
  } catch (error) {
    lock?.close();
    if (error instanceof Error && /locked|busy/.test(error.message)) return null;
    const message = `The lock ${file} of the embedded database cannot be taken; is the folder writable for this user, and is there room on its disk?`;
    throw new DatabaseError(message, { cause: error, permanent: true });
  }
}

/** A lock whose file is gone with it. */
function tryPassingLock(file: string): (() => void) | null {
  const unlock = tryLock(file);
  if (unlock === null) return null;
  return () => {
    rmSync(file, { force: true });
    unlock();
  };
}

function accepts(socketDir: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(socketPath(socketDir, PORT));
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}
