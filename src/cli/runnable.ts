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

/** `docker stop` kills after ten seconds. */
const STOP_WITHIN_MS = 8_500;
/** Nothing but this ends a process that is looking up a name. */
const KILL_AFTER_MS = 1_000;

/**
 * Runs the work with a signal that SIGTERM and SIGINT abort; a second one ends the program at once.
 *
 * From the first one on the program ends within ten seconds: work that hangs is given up, and so is whatever else keeps
 * the process.
 *
 * @throws Error where the work was given up
 */
export async function untilStopped<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const onSignal = (signal: string) => {
    if (stop.signal.aborted) process.kill(process.pid, "SIGKILL");
    stop.abort(new Error(`stopped by ${signal}`));
    timer = setTimeout(() => late.reject(new Error(GAVE_UP)), STOP_WITHIN_MS);
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  try {
    return await Promise.race([work(stop.signal), late.promise]);
  } finally {
    clearTimeout(timer);
    process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
    if (stop.signal.aborted) setTimeout(() => process.kill(process.pid, "SIGKILL"), KILL_AFTER_MS).unref();
  }
}

const GAVE_UP =
  "Not all work came to its end in time after the signal to stop; the next start goes on with what is left.";
