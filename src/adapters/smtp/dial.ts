/**
 * Opens a connection to the relay: connects, secures it and logs in, each as SMTP_URL asks for it.
 *
 * The dialogue is nodemailer's; only the socket is opened here, so that connecting and TLS can be told apart.
 */
import type { Socket } from "node:net";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { type Call, createCaller } from "./caller.ts";
import { SessionFault, wasStopped } from "./fault.ts";
import { logIn } from "./login.ts";
import type { SmtpOptions } from "./options.ts";
import { createProgress, type Listener, type Progress } from "./progress.ts";
import { openSocket } from "./socket.ts";

/** A connection over which mail can be sent at once. */
export type Line = {
  readonly connection: SMTPConnection;
  readonly progress: Progress;
  readonly call: Call;
  /** How the login was made; null where there is none. */
  readonly mechanism: string | null;
};

export type Limits = {
  /** When to give up, by `performance`. */
  readonly untilMs: number;
  /** Ends whatever is done over the connection, for as long as it lasts. */
  readonly signal: AbortSignal;
};

/** Whoever wants to see how it goes. One that throws a SessionFault ends it. */
export type Watcher = {
  connected(socket: Socket): void;
  /** @param socket as it is when the answer comes */
  answered(socket: Socket, ...answer: Parameters<Listener>): void;
  /** The server has said hello for the last time; the login comes next. */
  greeted(socket: Socket): void;
  /** TLS failed, and the next connection does without. */
  unsecured(fault: SessionFault): void;
};

/** How long a server may take to close its side once we closed ours. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Rejects with a SessionFault. */
export async function dial(options: SmtpOptions, limits: Limits, watcher: Partial<Watcher> = {}): Promise<Line> {
  try {
    return await dialOnce(options, limits, watcher);
  } catch (fault) {
    if (!(fault instanceof SessionFault) || !goesOnPlain(options, fault)) throw fault;
    watcher.unsecured?.(fault);
    return dialOnce({ ...options, ignoreTLS: true }, limits, watcher);
  }
}

/** Whether TLS that fails is done without. @see https://www.rfc-editor.org/rfc/rfc7435 (opportunistic security) */
function goesOnPlain({ tlsMode, secure, auth, plainLogin }: SmtpOptions, fault: SessionFault): boolean {
  if (tlsMode !== "opportunistic" || secure || fault.stage !== "tls" || wasStopped(fault)) return false;
  return auth === undefined || plainLogin;
}

async function dialOnce(options: SmtpOptions, limits: Limits, watcher: Partial<Watcher>): Promise<Line> {
  const socket = await openSocket(options, limits.signal).catch((error) => {
    throw new SessionFault(error, { stage: "connect", answer: null });
  });
  watcher.connected?.(socket);
  const socketNow = () => connection._socket || socket;
  const progress = createProgress((stage, answer) => watcher.answered?.(socketNow(), stage, answer));
  const connection: SMTPConnection = new SMTPConnection({
    ...options,
    connection: socket,
    // The socket is connected; what nodemailer still counts against this is TLS and the greeting, which have their own.
    connectionTimeout: 3 * options.greetingTimeout,
    socketCloseTimeout: CLOSE_TIMEOUT_MS,
    transactionLog: true,
    logger: progress.logger,
  });
  const call = createCaller(connection, progress, limits.signal);
  try {
    await call(limits.untilMs, (done) => connection.connect(done));
    watcher.greeted?.(socketNow());
    const mechanism = await logIn({ connection, progress }, options, (run) => call(limits.untilMs, run));
    return { connection, progress, call, mechanism };
  } catch (error) {
    connection.close();
    throw error;
  }
}
