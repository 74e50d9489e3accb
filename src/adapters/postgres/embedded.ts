/**
 * The embedded database: Postgres in WebAssembly (PGlite) on a folder, served on a Unix socket beside it.
 *
 * The process that holds the folder's lock runs the database; every other process, and the holder itself,
 * is a client of the socket. So there is one way to the database, embedded or not.
 */
import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { PGlite } from "@electric-sql/pglite";
import { DatabaseError } from "./database-error.ts";
import { type EmbeddedServer, serveEmbedded } from "./embedded-server.ts";

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
  /** Does the work while no other process does such work on the folder. @throws DatabaseError where one never ends */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** A lock that ends with its process at the latest; null where another process has it. */
  lock(name: string): (() => void) | null;
  close(): Promise<void>;
};

/** How long to wait for a command that has the folder, or for a database that is starting. */
const PATIENCE_MS = 20_000;
/** More than migrations ever take. */
const LONGEST_WORK_MS = 300_000;
const PORT = 5432;
/** sun_path holds 108 bytes on Linux and 104 elsewhere. */
const LONGEST_SOCKET_PATH = 100;

/**
 * Opens the folder, creating it where needed.
 *
 * @throws DatabaseError when a daemon has the folder and this is a daemon too, or when it cannot be opened
 */
export async function openEmbedded(folder: string, role: Role): Promise<Embedded> {
  const dir = resolve(folder);
  if (role === "reader" && !existsSync(join(dir, "pgdata"))) {
    throw new DatabaseError(
      `There is no database in ${dir} yet; \`invitewatch run\` or \`sync\` makes it, or set DATABASE_URL.`,
      {
        permanent: true,
      },
    );
  }
  await mkdir(dir, { recursive: true, mode: 0o700 }).catch((cause) => {
    const message = `The folder ${dir} of the embedded database cannot be made; check the path and its rights.`;
    throw new DatabaseError(message, { cause, permanent: true });
  });
  const socketDir = await socketFolder(dir);
  const connection = { host: socketDir, port: PORT, user: "postgres", database: "postgres" };
  const ownerFile = join(dir, "owner");
  const alone = <T>(work: () => Promise<T>) => workAlone(dir, work);
  const lock = (name: string) => tryPassingLock(join(dir, name));

  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const unlock = tryLock(join(dir, "lock"));
    if (unlock !== null) {
      await writeFile(ownerFile, role);
      const { close } = await startDatabase(dir, connection.host).catch((cause) => {
        unlock();
        const message = `The embedded database in ${dir} does not start; is the folder intact and writable?`;
        throw new DatabaseError(message, { cause, permanent: true });
      });
      return {
        connection,
        alone,
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
    if (role !== "daemon" && (await accepts(connection.host)))
      return { connection, alone, lock, close: async () => {} };
    if (Date.now() > deadline) {
      throw new DatabaseError(
        `The embedded database in ${dir} is in use and does not answer; try again, or stop what uses it.`,
      );
    }
    await delay(100);
  }
}

/** All connections share one session, so that a lock of Postgres' own keeps none of them out. */
async function workAlone<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + LONGEST_WORK_MS;
  for (;;) {
    const unlock = tryLock(join(dir, "work"));
    if (unlock !== null) return await work().finally(unlock);
    if (Date.now() > deadline) {
      throw new DatabaseError(
        `Another process has been setting up the embedded database in ${dir} for ${LONGEST_WORK_MS / 60_000} minutes; stop it, and try again.`,
      );
    }
    await delay(100);
  }
}

async function startDatabase(dir: string, socketDir: string): Promise<{ close(): Promise<void> }> {
  const db = await PGlite.create(join(dir, "pgdata"));
  const path = socketPath(socketDir);
  await rm(path, { force: true });
  const server = await serveEmbedded(db, path);
  return {
    async close() {
      await guestsGone(server);
      await server.close();
      await rm(path, { force: true });
      await db.close();
    },
  };
}

/** Gives commands that are being served a moment to finish. */
async function guestsGone(server: EmbeddedServer): Promise<void> {
  const deadline = Date.now() + 3_000;
  while (server.connections() > 0 && Date.now() < deadline) await delay(20);
}

/**
 * Takes the folder's lock, or returns null where another process has it.
 *
 * The lock is SQLite's on an otherwise empty file: the operating system's own, gone with its process however that ends.
 */
function tryLock(file: string): (() => void) | null {
  const lock = new DatabaseSync(file);
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return () => lock.close();
  } catch (error) {
    lock.close();
    if (error instanceof Error && /locked|busy/.test(error.message)) return null;
    const message = `The lock ${file} of the embedded database cannot be taken; check the folder's rights.`;
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

/** Where the socket lives: in the folder itself, or in a temporary one where its path is too long for a socket. */
async function socketFolder(dir: string): Promise<string> {
  if (Buffer.byteLength(socketPath(dir)) <= LONGEST_SOCKET_PATH) return dir;
  const name = `invitewatch-${createHash("sha256").update(dir).digest("hex").slice(0, 16)}`;
  const short = join(tmpdir(), name);
  await mkdir(short, { recursive: true, mode: 0o700 });
  return short;
}

function socketPath(dir: string): string {
  return join(dir, `.s.PGSQL.${PORT}`);
}

function accepts(socketDir: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(socketPath(socketDir));
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}
