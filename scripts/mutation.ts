/** Breaks the program on purpose, one place at a time, in a copy. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export type Mutation = {
  /** What the broken program does. */
  readonly name: string;
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Names of tests by their file; each of them must fail. */
  readonly tests: Readonly<Record<string, readonly string[]>>;
  /** What the fault suite must notice where it kills only there, and how it says so. */
  readonly faults?: { readonly only: string; readonly says: RegExp };
};

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COPIED = ["bin", "lint", "prisma", "scripts", "src", "test", "package.json", "tsconfig.json"];

/** The source with the mutation in it; null where its text is not there, or more than once: it fits no more. */
export function mutated(source: string, { find, replace }: Pick<Mutation, "find" | "replace">): string | null {
  const [before, after, ...more] = source.split(find);
  return before === undefined || after === undefined || more.length > 0 ? null : before + replace + after;
}

export type Copy = {
  readonly folder: string;
  /** Does the work while the mutation is in the copy. @returns null where the mutation fits no more */
  broken<T>(mutation: Mutation, work: () => Promise<T>): Promise<T | null>;
  remove(): Promise<void>;
};

/** A copy of the program and its tests in a temporary folder, with the same packages. */
export async function copyProgram(): Promise<Copy> {
  const folder = await mkdtemp(join(tmpdir(), "invitewatch-mutations-"));
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    async broken(mutation, work) {
      const path = join(folder, mutation.file);
      const source = await readFile(path, "utf8");
      const other = mutated(source, mutation);
      if (other === null) return null;
      await writeFile(path, other);
      try {
        return await work();
      } finally {
        await writeFile(path, source);
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
