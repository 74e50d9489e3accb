/** What commands that do the work start from: a complete configuration, a log, and the wish to stop. */
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { createRedactor } from "../domain/redact.ts";
import { createLogger, type Logger } from "../log.ts";
import type { Context } from "./context.ts";
import { UsageError } from "./failure.ts";

/** @throws ConfigError for what is wrong, UsageError for what is missing: all of it at once */
export function loadRunnable({ env }: Pick<Context, "env">): Config {
  const config = loadConfig(env);
  if (config.missing.length > 0) throw new UsageError(`The configuration is not complete. ${config.missing.join(" ")}`);
  return config;
}

/** A log that begins with what is to be said of the configuration. */
export function loggerFor({ log, secrets, warnings }: Config, { stderr }: Pick<Context, "stderr">): Logger {
  const logger = createLogger({
    ...log,
    redact: createRedactor(secrets),
    ...(stderr !== process.stderr && { destination: stderr }),
  });
  for (const warning of warnings) logger.warn({ event: "config.warning", warning }, "a setting has no effect");
  return logger;
}

/** Runs the work with a signal that SIGTERM and SIGINT abort; a second one ends the program at once. */
export async function untilStopped<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onSignal = (signal: string) => {
    if (stop.signal.aborted) process.kill(process.pid, "SIGKILL");
    stop.abort(new Error(`stopped by ${signal}`));
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  try {
    return await work(stop.signal);
  } finally {
    process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
  }
}
