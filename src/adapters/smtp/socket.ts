/** Opens the way to a relay: looks its name up and connects, within a time. */
import { connect, type Socket } from "node:net";
import { stoppedError } from "./fault.ts";
import type { SmtpOptions } from "./options.ts";

/**
 * How long one of several addresses of a host may take before the next one is tried as well: a host with a broken
 * IPv6 route is still reached in time, and a slow address is not passed over.
 */
const ADDRESS_TIMEOUT_MS = 1_000;

/** The connected socket. Rejects with Node.js's error, one with the code `ETIMEDOUT`, or that of being stopped. */
export async function openSocket(
  { host, port, connectionTimeout }: Pick<SmtpOptions, "host" | "port" | "connectionTimeout">,
  signal: AbortSignal,
): Promise<Socket> {
  if (signal.aborted) throw stoppedError();
  const socket = connect({ host, port, autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(stoppedError());
  signal.addEventListener("abort", stop, { once: true });
  socket.once("connect", resolve).on("error", reject);
  try {
    await within(connectionTimeout, promise);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
  return socket;
}

/** What the work comes to; rejects with the code `ETIMEDOUT` where it takes longer. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(timedOut()), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function timedOut(): Error {
  return Object.assign(new Error("Timeout"), { code: "ETIMEDOUT" });
}
