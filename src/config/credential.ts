/** The credential of a watch in the configuration file: one kind of it, inline or in a file of its own. */
import { dirname, resolve } from "node:path";
import type { Credential } from "./config.ts";
import { secretField } from "./fields.ts";
import type { ConfigFile } from "./file.ts";
import type { Path } from "./file-tree.ts";
import type { Problem } from "./problem.ts";
import { type ReadFile, readSecretFile } from "./secret-file.ts";

export type WatchCredential = {
  /** Null where it is not to be had. */
  readonly credential: Credential | null;
  readonly problems: readonly Problem[];
};

/** @param path of the watch */
export function readCredential(file: ConfigFile, path: Path, readFile: ReadFile): WatchCredential {
  const token = readSecret("apiToken", file, path, readFile);
  const key = readSecret("apiKey", file, path, readFile);
  const problems = [...token.problems, ...key.problems, ...kindProblems(file, path)];
  const email = file.rawAt([...path, "email"]);
  if (problems.length > 0) return { credential: null, problems };
  if (token.text !== null) return { credential: { kind: "token", token: token.text }, problems };
  const isPair = typeof email === "string" && key.text !== null;
  return { credential: isPair ? { kind: "key", email: email.trim(), key: key.text } : null, problems };
}

function kindProblems(file: ConfigFile, path: Path): readonly Problem[] {
  const has = (name: string) => file.has([...path, name]);
  const key = has("apiKey") || has("apiKeyFile");
  if (has("apiToken") || has("apiTokenFile")) {
    if (!key && !has("email")) return [];
    const kept = "Keep apiToken (or apiTokenFile), or email with apiKey (or apiKeyFile).";
    return [file.problem(path, `Two kinds of credential are set. ${kept}`)];
  }
  if (key && has("email")) return [];
  if (key) return [file.problem([...path, "email"], "It is missing: an apiKey is only half of a credential.")];
  if (has("email")) {
    const message = "It is missing: an email is only half of a credential. Set apiKeyFile (or apiKey).";
    return [file.problem([...path, "apiKey"], message)];
  }
  const message = "It has no credential. Set apiTokenFile (or apiToken), or email with apiKeyFile (or apiKey).";
  return [file.problem(path, message)];
}

type Secret = { readonly text: string | null; readonly problems: readonly Problem[] };

function readSecret(name: "apiToken" | "apiKey", file: ConfigFile, path: Path, readFile: ReadFile): Secret {
  const filePath = [...path, `${name}File`];
  const inline = file.rawAt([...path, name]);
  const named = file.rawAt(filePath);
  if (inline !== undefined && named !== undefined) {
    const message = `The secret is set twice, by ${name} and by ${name}File. Keep one.`;
    return { text: null, problems: [file.problem(filePath, message)] };
  }
  if (typeof inline === "string") return { text: inline.trim(), problems: [] };
  if (typeof named !== "string" || named.trim() === "") return { text: null, problems: [] };

  const read = readSecretFile(resolve(dirname(file.path ?? ""), named.trim()), readFile);
  if ("fault" in read) return { text: null, problems: [file.problem(filePath, read.fault)] };
  const faults = secretField.safeParse(read.text).error?.issues ?? [];
  return { text: read.text, problems: faults.map(({ message }) => file.problem(filePath, message)) };
}
