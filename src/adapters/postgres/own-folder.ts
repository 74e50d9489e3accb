/** Folders that nobody else can look into or put things into: owned by this user, with the mode 0700, and no link. */
import { constants, existsSync } from "node:fs";
import { access, chmod, lstat, mkdir, readdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseError } from "./database-error.ts";

/** What the folder is for, as in "the folder X of the embedded database". */
type Purpose = string;

/**
 * Makes the folder, or tightens the rights of one that is there.
 *
 * @param mark what one that is ours holds: another that others can look into is tightened only where it is empty
 * @throws DatabaseError where it cannot be made, or is not ours
 */
export async function ownFolder(path: string, purpose: Purpose, mark: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause) => {
    const message = `The folder ${path} of ${purpose} cannot be made (${codeOf(cause)}); check the path and its rights.`;
    throw new DatabaseError(message, { cause, permanent: true });
  });
  const fault = await faultOf(path, purpose);
  if (fault !== null) throw new DatabaseError(fault, { permanent: true });
  if (!isOpen((await lstat(path)).mode)) return;

  const names = await readdir(path);
  if (names.length > 0 && !names.includes(mark)) {
    const message = `The folder ${path} of ${purpose} holds other things, and other users may look into it; name a folder of its own, or \`chmod 700\` this one.`;
    throw new DatabaseError(message, { permanent: true });
  }
  await chmod(path, 0o700).catch((cause) => {
    const message = `Other users may look into the folder ${path} of ${purpose}, and its rights cannot be changed (${codeOf(cause)}); \`chmod 700\` it.`;
    throw new DatabaseError(message, { cause, permanent: true });
  });
}

/** Changes nothing. @throws DatabaseError where the folder is not ours, or is not there and cannot be made */
export async function requireOwnable(path: string, purpose: Purpose): Promise<void> {
  const fault = await faultOf(path, purpose);
  if (fault !== null) throw new DatabaseError(fault, { permanent: true });
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  if ((await stat(existing)).isDirectory() && (await isWritable(existing))) return;
  const message = `The folder ${path} of ${purpose} cannot be written to: ${existing} is no folder, or not this user's to write in; check the path and its rights.`;
  throw new DatabaseError(message, { permanent: true });
}

function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Why the folder that is there cannot be ours, as a sentence; null where it can, or is not there. */
async function faultOf(path: string, purpose: Purpose): Promise<string | null> {
  const status = await lstat(path).catch(() => null);
  if (status === null) return null;
  const folder = `The folder ${path} of ${purpose}`;
  if (status.isSymbolicLink())
    return `${folder} is a symbolic link, which somebody else may turn; name the folder itself.`;
  if (!status.isDirectory()) return `${folder} is not a folder; name another, or move that away.`;
  const self = process.geteuid?.();
  if (self === undefined || status.uid === self) return null;
  return `${folder} belongs to another user (uid ${status.uid}, and this is ${self}); run as that one, or name another folder.`;
}

/** Whether the folder is ours, and closed to everybody else. */
export async function isOwn(path: string): Promise<boolean> {
  const status = await lstat(path).catch(() => null);
  return status?.isDirectory() === true && (await faultOf(path, "")) === null && !isOpen(status.mode);
}

/** Whether others may do anything there; Windows knows no such rights. */
function isOpen(mode: number): boolean {
  return process.platform !== "win32" && (mode & 0o077) !== 0;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
