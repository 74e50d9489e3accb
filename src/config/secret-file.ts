/** Secrets that stand in a file of their own. */
import { encodingFault } from "./encoding.ts";
import { NOT_SHOWN, quoted } from "./problem.ts";

export type ReadFile = (path: string) => string;

/** The file's text without the space around it, or what is wrong, in whole sentences. */
export function readSecretFile(path: string, readFile: ReadFile): { text: string } | { fault: string } {
  try {
    const text = readFile(path).trim();
    const fault = encodingFault(text);
    if (fault !== null) return { fault };
    return text === "" ? { fault: "The file is empty. It has to hold the secret and nothing else." } : { text };
  } catch (error) {
    return { fault: `${whyUnread(error)} It has to be the path of a file that holds the secret and nothing else.` };
  }
}

/** Why a file could not be read, in a sentence. */
export function whyUnread(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  if (code === "ENOENT") return "There is no such file.";
  return code === "EISDIR" ? "It is a folder and not a file." : `The file cannot be read (${code}).`;
}

/** The path, unless it does not look like one: then it may be the secret itself, put into the wrong place. */
export function shownPath(path: string): string {
  return /^[./]/.test(path) ? quoted(path) : NOT_SHOWN;
}
