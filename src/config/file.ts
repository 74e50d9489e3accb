/** The configuration file: what it says, and a problem for each thing in it that cannot be used. */
import type { Given } from "./environment.ts";
import { fileSchema } from "./file-keys.ts";
import { aboutPath, type Fault, type Path, readTree, type Tree } from "./file-tree.ts";
import { pathText } from "./path-text.ts";
import { NOT_SHOWN, type Problem, quoted } from "./problem.ts";
import { type ReadFile, shownPath, whyUnread } from "./secret-file.ts";
import { unknownKeyMessage } from "./unknown-key.ts";
import { parseYaml } from "./yaml-text.ts";

export type FileValues = NonNullable<Tree<typeof fileSchema>>;

export type ConfigFile = {
  /** As INVITEWATCH_CONFIG has it; null where there is no file. */
  readonly path: string | null;
  /** Whether its YAML could be read, so that rules between keys can be looked at. */
  readonly readable: boolean;
  /** What is sound of it. */
  readonly values: FileValues;
  /** What stands at the path, sound or not; undefined for nothing. */
  readonly rawAt: (path: Path) => unknown;
  readonly has: (path: Path) => boolean;
  /** A problem with what stands at the path, in whole sentences. */
  readonly problem: (path: Path, message: string) => Problem;
  /** File and line of the path: `config.yaml:12`. */
  readonly whereIs: (path: Path) => string;
  readonly problems: readonly Problem[];
};

const NO_FILE: ConfigFile = {
  path: null,
  readable: true,
  values: {},
  rawAt: () => undefined,
  has: () => false,
  problem: (path, message) => ({ key: pathText(path), found: null, message }),
  whereIs: pathText,
  problems: [],
};

/** @param given the variable that names the file, if it is set */
export function readConfigFile(given: Given | undefined, readFile: ReadFile): ConfigFile {
  if (given === undefined) return NO_FILE;
  const path = given.text;
  try {
    return fileOf(path, readFile(path));
  } catch (error) {
    const message = `${whyUnread(error)} It has to be the path of a YAML file.`;
    return { ...NO_FILE, path, readable: false, problems: [{ key: given.key, found: quoted(path), message }] };
  }
}

function fileOf(path: string, text: string): ConfigFile {
  const yaml = parseYaml(text);
  const raw = yaml.value ?? {};
  const rawAt = (at: Path) => valueAt(raw, at);
  const whereIs = (at: Path) => `${path}:${yaml.lineOf(at)}`;
  const problem = (at: Path, message: string): Problem => {
    const key = at.length === 0 ? whereIs(at) : `${whereIs(at)}: ${pathText(at)}`;
    return { key, line: yaml.lineOf(at), found: foundText(at, rawAt(at)), message };
  };
  const problems = yaml.faults.map(
    ({ line, message }): Problem => ({ key: `${path}:${line}`, line, found: null, message }),
  );
  const values = readTree(fileSchema, raw, (fault) => problems.push(problemOf(fault, problem)));
  return {
    path,
    readable: yaml.readable,
    values: values ?? {},
    rawAt,
    has: (at) => rawAt(at) !== undefined,
    problem,
    whereIs,
    problems,
  };
}

function problemOf(fault: Fault, problem: ConfigFile["problem"]): Problem {
  if (fault.kind === "unknown") return { ...problem(fault.path, unknownKeyMessage(fault.path)), found: null };
  const about = aboutPath(fileSchema, fault.path);
  const accepted = about === undefined ? "" : ` Accepted: ${about.accepts}. Example: ${about.example}`;
  return problem(fault.path, `${fault.kind === "missing" ? "It is missing." : fault.message}${accepted}`);
}

/** What is there, free of secrets; null where that says nothing. */
function foundText(path: Path, raw: unknown): string | null {
  if (raw === undefined || raw === null || path.length === 0) return null;
  if (aboutPath(fileSchema, path)?.secret) return NOT_SHOWN;
  if (typeof raw === "object") return Array.isArray(raw) ? "a list" : "a mapping";
  const name = path.at(-1);
  if (typeof raw === "string") return name === "apiTokenFile" || name === "apiKeyFile" ? shownPath(raw) : quoted(raw);
  return String(raw);
}

function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, step)
        ? (value as Readonly<Record<string | number, unknown>>)[step]
        : undefined,
    raw,
  );
}
