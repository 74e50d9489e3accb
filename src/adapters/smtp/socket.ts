/** Opens the way to a relay: looks its name up and connects, within a time. */
import { connect, type Socket } from "node:net";
import type { SmtpOptions } from "./options.ts";

/**
 * How long one of several addresses of a host may take before the next one is tried as well: a host with a broken
 * IPv6 route is still reached in time, and a slow address is not passed over.
 */
const ADDRESS_TIMEOUT_MS = 1_000;

/** The connected socket. Rejects with Node.js's error, or one with the code `ETIMEDOUT`. */
export async function openSocket({ host, port, connectionTimeout }: SmtpOptions): Promise<Socket> {
  const socket = connect({ host, port, autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS });
  try {
    await within(
      connectionTimeout,
      new Promise<void>((resolve, reject) => socket.once("connect", resolve).on("error", reject)),
    );
  } catch (error) {
    socket.destroy();
    throw error;
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
