/** One connection to the relay: opened, secured and logged in once, then used for one mail after the other. */
import { dial, type Limits, type Line } from "./dial.ts";
import { SessionFault } from "./fault.ts";
import type { SmtpOptions } from "./options.ts";

/** Bare addresses, as they go over the wire. */
export type Envelope = { readonly from: string; readonly to: string | readonly string[]; readonly size: number };

/** For how long a mail is waited for, and who wants to know that it takes long. */
export type Waiting = {
  /** When to give up before all of it was sent, by `performance`; from then on the answer has its own time. */
  readonly untilMs: number;
  /** Called where the answer has not come in the time that any other answer has. */
  readonly onSlow?: () => void;
};

export type Session = {
  /** The server's answer to the mail. Rejects with a SessionFault. */
  send(envelope: Envelope, mime: Buffer, waiting: Waiting): Promise<string>;
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

/** A session that can send at once. Rejects with a SessionFault. */
export async function openSession(options: SmtpOptions, limits: Limits): Promise<Session> {
  return sessionOf(await dial(options, limits), options);
}

function sessionOf(line: Line, options: SmtpOptions): Session {
  const { connection, progress, call } = line;
  let ended = () => {};
  connection.on("end", () => ended());
  return {
    send: (envelope, mime, waiting) => sendOver(line, { envelope, mime }, waiting, options),
    async reset() {
      // A mail refused while it was being sent is still on its way.
      if (connection.destroyed || (progress.stage() === "answer" && !progress.sent())) return false;
      const ends = performance.now() + options.greetingTimeout;
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

type Mail = { readonly envelope: Envelope; readonly mime: Buffer };

/** The server's answer to the mail. Rejects with a SessionFault. */
export async function sendOver(
  { connection, progress, call }: Line,
  { envelope, mime }: Mail,
  { untilMs, onSlow = () => {} }: Waiting,
  { socketTimeout, answerTimeout }: Pick<SmtpOptions, "socketTimeout" | "answerTimeout">,
): Promise<string> {
  requireSize(envelope, progress.offer());
  const setSilence = (ms: number) => {
    if (connection._socket) connection._socket.setTimeout(ms);
  };
  let slow: NodeJS.Timeout | undefined;
  progress.begin(() => {
    setSilence(0);
    call.extend(performance.now() + answerTimeout);
    slow = setTimeout(onSlow, socketTimeout);
  });
  const { from, to, size } = envelope;
  try {
    const info = await call<{ response: string }>(untilMs, (done) =>
      connection.send({ from, to: [to].flat(), size }, mime, done),
    );
    // An answer to a mail that is still being sent belongs to something else.
    if (progress.sent() && progress.refusal() === null) return info.response;
    const refusal = progress.refusal() ?? { stage: progress.stage(), answer: null };
    throw new SessionFault(new Error("Unexpected response"), { ...refusal, waiting: progress.waiting() });
  } finally {
    clearTimeout(slow);
    setSilence(socketTimeout);
  }
}

/** The code of a fault where we did not try: the mail is larger than the server takes. */
const TOO_LARGE = "EMESSAGE";

/** @throws SessionFault */
function requireSize({ size }: Envelope, { sizeLimit }: { readonly sizeLimit: number | null }): void {
  if (sizeLimit === null || size <= sizeLimit) return;
  const message = `the mail has ${size} bytes, and the mail server takes no more than ${sizeLimit}; raise its limit`;
  throw new SessionFault(Object.assign(new Error(message), { code: TOO_LARGE }), { stage: "sender", answer: null });
}
