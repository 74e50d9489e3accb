/**
 * Where the embedded database's socket is: in its own folder, or, where that path is too long for a socket, in a
 * temporary folder whose random name stands in a file of the folder. Both are ours alone.
 */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseError } from "./database-error.ts";
import { isOwn } from "./own-folder.ts";

/** sun_path holds 108 bytes on Linux and 104 elsewhere. */
const LONGEST_SOCKET_PATH = 100;
/** Names the temporary folder. */
const POINTER = "socket";
const ANY_PORT = 65_535;

/** Where the process that has the folder listens; null where that is not known yet. @param dir ours alone */
export async function findSocketFolder(dir: string): Promise<string | null> {
  if (isShortEnough(dir)) return dir;
  const path = await readFile(join(dir, POINTER), "utf8").catch(() => "");
  return path !== "" && (await isOwn(path)) ? path : null;
}

/** The folder to listen in, made where it is not there. @throws DatabaseError */
export async function makeSocketFolder(dir: string): Promise<string> {
  const found = await findSocketFolder(dir);
  if (found !== null) return found;
  const parent = [tmpdir(), "/tmp"].find((path) => isShortEnough(join(path, "invitewatch-XXXXXX")));
  if (parent === undefined) {
    throw new DatabaseError(
      `The path ${dir} is too long for the socket of the embedded database; name a shorter one.`,
      {
        permanent: true,
      },
    );
  }
  const made = await mkdtemp(join(parent, "invitewatch-")).catch((cause) => {
    const message = `No folder for the socket of the embedded database can be made in ${parent}; check its rights, or name a shorter path than ${dir}.`;
    throw new DatabaseError(message, { cause, permanent: true });
  });
  await writeFile(join(dir, POINTER), made);
  return made;
}

/** As the driver looks for it. */
export function socketPath(dir: string, port: number): string {
  return join(dir, `.s.PGSQL.${port}`);
}

function isShortEnough(dir: string): boolean {
  return Buffer.byteLength(socketPath(dir, ANY_PORT)) <= LONGEST_SOCKET_PATH;
}
