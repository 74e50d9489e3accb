/**
 * The environment as a source of settings: which variable holds which setting.
 */
import type { Problem } from "./problem.ts";
import { type ReadFile, readSecretFile, shownPath } from "./secret-file.ts";
import { type Setting, type SettingName, settingNames, settings } from "./settings.ts";
import { lookAtNames } from "./stray-names.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The text of a setting, and the variable that it came from. */
export type Given = { readonly text: string; readonly key: string };

/** What a source says. `mentioned` also has the settings whose text could not be had. */
export type Source = {
  readonly given: ReadonlyMap<SettingName, Given>;
  readonly mentioned: ReadonlySet<SettingName>;
  readonly problems: readonly Problem[];
  /** About variables that are perhaps meant for us, each as a sentence. */
  readonly warnings: readonly string[];
};

/** The settings in the environment. An empty variable counts as not set. */
export function readEnvironment(env: Environment, readFile: ReadFile): Source {
  const given = new Map<SettingName, Given>();
  const mentioned = new Set<SettingName>();
  const problems: Problem[] = [];
  for (const name of settingNames) {
    const setting: Setting = settings[name];
    const found = readVariable(setting, env, readFile);
    if (found === null) continue;
    mentioned.add(name);
    if ("message" in found) problems.push(found);
    else given.set(name, found);
  }
  const names = lookAtNames(variablesIn(env));
  return { given, mentioned, problems: [...problems, ...names.problems], warnings: names.warnings };
}

function readVariable(setting: Setting, env: Environment, readFile: ReadFile): Given | Problem | null {
  const { variable, fallback } = setting;
  const text = textOf(env, variable);
  const file = `${variable}_FILE`;
  const path = setting.secret ? textOf(env, file) : null;

  if (text !== null && path !== null) {
    return { key: variable, found: null, message: `It is set twice, by ${variable} and by ${file}. Keep one.` };
  }
  if (path !== null) return readSecret(file, path, readFile);
  if (text !== null) return { text, key: variable };
  const other = fallback === undefined ? null : textOf(env, fallback);
  return fallback === undefined || other === null ? null : { text: other, key: fallback };
}

function readSecret(key: string, path: string, readFile: ReadFile): Given | Problem {
  const read = readSecretFile(path, readFile);
  return "text" in read ? { text: read.text, key } : { key, found: shownPath(path), message: read.fault };
}

/** What is set, by name. An empty variable counts as not set. */
function variablesIn(env: Environment): ReadonlyMap<string, string> {
  return new Map(
    Object.keys(env).flatMap((name) => {
      const text = textOf(env, name);
      return text === null ? [] : [[name, text] as const];
    }),
  );
}

function textOf(env: Environment, name: string): string | null {
  const value = env[name]?.trim();
  return value === undefined || value === "" ? null : value;
}
