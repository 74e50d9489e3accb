/**
 * A folder that files are written into. Where other people could have put something into it, a link among the names that
 * are written would lead the writer to files elsewhere: such a folder is refused, and no link is followed.
 */
import { lstat, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "./failure.ts";
import { printable } from "./printable.ts";

export type OwnFolder = {
  /** What was in it when it was opened. */
  readonly entries: readonly string[];
  /** Writes a file anew, in the place of whatever has its name. @throws UsageError where it cannot */
  write(name: string, content: string | Uint8Array): Promise<void>;
};

const WRITABLE_BY_OTHERS = 0o002;

/** Makes the folder where there is none. @throws UsageError where it cannot be made or is not safe to write into */
export async function openOwnFolder(folder: string): Promise<OwnFolder> {
  const told = telling(folder);
  const made = await told(mkdir(folder, { recursive: true, mode: 0o700 }));
  if (made === undefined) {
    const fault = faultOf(await told(lstat(folder)));
    if (fault !== null) throw new UsageError(`${printable(folder)} ${fault}.`);
  }
  return {
    entries: await told(readdir(folder)),
    async write(name, content) {
      const file = join(folder, name);
      await told(rm(file, { force: true }));
      // With "x" a file is only ever made: a link that took its place meanwhile is an error.
      await told(writeFile(file, content, { flag: "wx" }));
    },
  };
}

type Found = Awaited<ReturnType<typeof lstat>>;

function faultOf(found: Found): string | null {
  if (found.isSymbolicLink()) return "is a link: name the folder that it leads to";
  const uid = process.getuid?.();
  // Windows has neither.
  if (uid === undefined) return null;
  if (found.uid !== uid && found.uid !== 0) return "belongs to another user: name a folder of your own";
  if ((Number(found.mode) & WRITABLE_BY_OTHERS) !== 0) return "can be written by everybody: name a folder of your own";
  return null;
}

function telling(folder: string): <T>(work: Promise<T>) => Promise<T> {
  return (work) =>
    work.catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new UsageError(`Nothing can be written to ${printable(folder)}: ${printable(reason)}`, { cause });
    });
}
