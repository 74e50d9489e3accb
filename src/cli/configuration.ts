/** Loads the configuration, and what reads it only then: `--help` is answered without. */
import type { Config } from "../config/config.ts";
import type { Surroundings } from "./context.ts";

/** @throws ConfigError with every problem at once, free of secrets */
export async function loadConfiguration({ env }: Pick<Surroundings, "env">): Promise<Config> {
  const { loadConfig } = await import("../config/load.ts");
  return loadConfig(env);
}
