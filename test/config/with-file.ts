/** Loads a configuration whose files are given as texts. */
import assert from "node:assert/strict";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError, type Problem } from "../../src/config/problem.ts";

export type Surrounded = {
  readonly env?: Readonly<Record<string, string>>;
  /** Path to text. */
  readonly files?: Readonly<Record<string, string>>;
};

/** The configuration file stands at /etc/iw/config.yaml. */
export function loadFile(yaml: string, { env = {}, files = {} }: Surrounded = {}): Config {
  const texts: Readonly<Record<string, string>> = { "/etc/iw/config.yaml": yaml, ...files };
  const readFile = (path: string) => {
    const text = texts[path];
    if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
    return text;
  };
  return loadConfig({ INVITEWATCH_CONFIG: "/etc/iw/config.yaml", ...env }, { readFile, terminal: false });
}

export function errorOf(yaml: string, surrounded: Surrounded = {}): ConfigError {
  try {
    loadFile(yaml, surrounded);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  assert.fail("the configuration was accepted");
}

/** None where the configuration is accepted. */
export function problemsOf(yaml: string, surrounded: Surrounded = {}): readonly Problem[] {
  try {
    loadFile(yaml, surrounded);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
