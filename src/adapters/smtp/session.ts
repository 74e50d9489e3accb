/**
 * One connection to the relay: opened, secured and logged in once, then used for one mail after the other.
 *
 * The dialogue is nodemailer's; only the socket is opened here, so that connecting and TLS can be told apart.
 */
import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { DeliveryStage } from "../../app/ports.ts";
import type { SmtpError } from "./answer.ts";
import type { SmtpOptions } from "./options.ts";
import { NO_LOGIN_OFFERED } from "./probe-advice.ts";
import { createProgress, type Progress } from "./progress.ts";
import { openSocket, timedOut } from "./socket.ts";

/** Bare addresses, as they go over the wire. */
export type Envelope = { readonly from: string; readonly to: string; readonly size: number };

export type Session = {
  /** The server's answer to the mail. Rejects with a SessionFault. @param untilMs when to give up, by `performance` */
  send(envelope: Envelope, mime: Buffer, untilMs: number): Promise<string>;
  /** Takes back what is left of a mail that was refused; whether the connection can be used again. Never rejects. */
  reset(): Promise<boolean>;
  /** Lets the process end although the connection is kept, or no longer. */
  keepProcess(running: boolean): void;
  /** Calls back once the connection is no more; one listener at a time. */
  onEnd(listener: () => void): void;
  /** Takes leave of the server and closes. */
  quit(): void;
  /** Closes without a word: after a fault the server is not where we think it is. */
  close(): void;
};

type Circumstances = Pick<SessionFault, "stage" | "answer" | "waiting">;

/** How the work on a connection failed. */
export class SessionFault extends Error {
  readonly stage: DeliveryStage;
  /** The server's last word on it; null where it said nothing. */
  readonly answer: string | null;
  /** Whether a command was waiting for its answer. */
  readonly waiting: boolean;
  /** When, on the clock of `performance`. */
  readonly clockMs = performance.now();
  declare readonly cause: SmtpError;

  constructor(cause: SmtpError, { stage, answer, waiting }: Circumstances) {
    super(cause.message, { cause });
    this.stage = stage;
    this.answer = answer;
    this.waiting = waiting;
  }
}

/** A session that can send at once. Rejects with a SessionFault. @param untilMs when to give up, by `performance` */
export async function openSession(options: SmtpOptions, untilMs: number): Promise<Session> {
  const progress = createProgress();
  const socket = await openSocket(options).catch((error: SmtpError) => {
    throw new SessionFault(error, { stage: "connect", answer: null, waiting: false });
  });
  const connection = new SMTPConnection({
    ...options,
    connection: socket,
    // The socket is connected; what nodemailer still counts against this is TLS and the greeting, which have their own.
    connectionTimeout: 3 * options.greetingTimeout,
    transactionLog: true,
    logger: progress.logger,
  });
  const call = createCaller(connection, progress);
  try {
    await call(untilMs, (done) => connection.connect(done));
    await logIn(connection, options, (run) => call(untilMs, run));
  } catch (error) {
    connection.close();
    throw error;
  }
  return sessionOf(connection, progress, call, options.greetingTimeout);
}

function sessionOf(connection: SMTPConnection, progress: Progress, call: Call, resetTimeoutMs: number): Session {
  let ended = () => {};
  connection.on("end", () => ended());
  return {
    async send(envelope, mime, untilMs) {
      progress.begin();
      const info = await call<{ response: string }>(untilMs, (done) => connection.send({ ...envelope }, mime, done));
      // An answer to a mail that is still being sent belongs to something else.
      if (progress.sent() && progress.refusal() === null) return info.response;
      throw faultOf(new Error("Unexpected response"), connection, progress);
    },
    async reset() {
      // A mail refused while it was being sent is still on its way.
      if (connection.destroyed || (progress.stage() === "answer" && !progress.sent())) return false;
      const ends = performance.now() + resetTimeoutMs;
      return call(ends, (done) => connection.reset(done)).then(
        () => true,
        () => false,
      );
    },
    keepProcess(running) {
      if (!connection._socket) return;
      if (running) connection._socket.ref();
      else connection._socket.unref();
    },
    onEnd(listener) {
      ended = listener;
    },
    quit() {
      connection.quit();
      connection.close();
    },
    close: () => connection.close(),
  };
}

/** As the URL says: without a user there is no login; with one, nothing is sent without it. */
async function logIn(
  connection: SMTPConnection,
  { auth }: SmtpOptions,
  call: (run: (done: Done) => void) => Promise<unknown>,
): Promise<void> {
  if (auth === undefined) return;
  if (!connection.allowsAuth) {
    const error = Object.assign(new Error(NO_LOGIN_OFFERED), { code: "EAUTH" });
    throw new SessionFault(error, { stage: "login", answer: null, waiting: false });
  }
  await call((done) => connection.login({ ...auth, credentials: { ...auth } }, done));
}

type Done = (error?: Error | null, result?: unknown) => void;
type Call = <T>(untilMs: number, run: (done: (error?: Error | null, result?: T) => void) => void) => Promise<T>;

/** Runs one thing at a time on the connection: it ends with its callback, with the connection, or with its time. */
function createCaller(connection: SMTPConnection, progress: Progress): Call {
  let fail: (error: Error) => void = () => {};
  connection.on("error", (error) => fail(error));
  connection.on("end", () => fail(new Error("the mail server closed the connection")));
  return async <T>(untilMs: number, run: (done: (error?: Error | null, result?: T) => void) => void) => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    fail = (error) => reject(faultOf(error, connection, progress));
    const timer = setTimeout(() => fail(timedOut()), Math.max(0, untilMs - performance.now()));
    try {
      run((error, result) => (error ? fail(error) : resolve(result as T)));
      return await promise;
    } finally {
      clearTimeout(timer);
      fail = () => {};
    }
  };
}

/** The fault with what the dialogue says of it, at the instant at which it came. */
function faultOf(error: SmtpError, connection: SMTPConnection, progress: Progress): SessionFault {
  const refusal = progress.refusal();
  if (refusal !== null) return new SessionFault(error, { ...refusal, waiting: false });
  const stage = connection.stage === "init" && connection.secureConnection ? "tls" : progress.stage();
  return new SessionFault(error, { stage, answer: error.response ?? null, waiting: progress.waiting() });
}
