/** Runs nodemailer's calls on one connection, one at a time, each with an end: that of its time included. */
import type SMTPConnection from "nodemailer/lib/smtp-connection";
import type { SmtpError } from "./answer.ts";
import { SessionFault, stoppedError } from "./fault.ts";
import type { Progress } from "./progress.ts";
import { timedOut } from "./socket.ts";

export type Done<T = unknown> = (error?: Error | null, result?: T) => void;

export type Call = {
  /** What the call comes to. Rejects with a SessionFault. @param untilMs when to give up, by `performance` */
  <T>(untilMs: number, run: (done: Done<T>) => void): Promise<T>;
  /** The call that runs may take until then. */
  extend(untilMs: number): void;
};

/** A call ends with its callback, with the connection, with its time, or with the signal. */
export function createCaller(connection: SMTPConnection, progress: Progress, signal: AbortSignal): Call {
  let fail: (error: Error) => void = () => {};
  let timer: NodeJS.Timeout | undefined;
  const extend = (untilMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => fail(timedOut()), Math.max(0, untilMs - performance.now()));
  };
  connection.on("error", (error) => fail(error));
  connection.on("end", () => fail(new Error("the mail server closed the connection")));
  const call = async <T>(untilMs: number, run: (done: Done<T>) => void): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    fail = (error) => reject(faultOf(error, connection, progress));
    const stop = () => fail(stoppedError());
    signal.addEventListener("abort", stop, { once: true });
    extend(untilMs);
    try {
      if (signal.aborted) stop();
      else run((error, result) => (error ? fail(error) : resolve(result as T)));
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      fail = () => {};
    }
  };
  return Object.assign(call, { extend });
}

/** The fault with what the dialogue says of it, at the instant at which it came. */
function faultOf(error: SmtpError, connection: SMTPConnection, progress: Progress): SessionFault {
  if (error instanceof SessionFault) return error;
  const about = { command: progress.command(), offer: progress.offer() };
  const refusal = progress.refusal();
  if (refusal !== null) return new SessionFault(error, { ...about, ...refusal });
  const isTls = (connection.stage === "init" && connection.secureConnection) || isLateAlert(error, progress);
  const where = isTls ? { stage: "tls" as const } : { stage: progress.stage(), waiting: progress.waiting() };
  return new SessionFault(error, { ...about, ...where, answer: error.response ?? null });
}

/** With TLS 1.3 a server that wants a certificate of ours says so only after the handshake. */
function isLateAlert({ code, originalCode }: SmtpError, progress: Progress): boolean {
  return ["tls", "greeting"].includes(progress.stage()) && (originalCode ?? code ?? "").startsWith("ERR_SSL");
}
