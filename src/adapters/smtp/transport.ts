/** Sends mail through the relay that SMTP_URL names, over connections that are kept, and says how each attempt ended. */
import type { MailTransport } from "../../app/ports.ts";
import { onTheWire } from "./address.ts";
import { codeOf } from "./answer.ts";
import { createComposer } from "./composer.ts";
import { optionsOf, type Timeouts } from "./options.ts";
import { acceptedOutcome, explain, faultOutcome, type Relay } from "./outcome.ts";
import { createPool, type Patience } from "./pool.ts";
import { type Envelope, openSession, type Session, SessionFault } from "./session.ts";
import { createTurns } from "./turns.ts";

/** Mails under way for each connection, so that none waits for the database. */
const AHEAD = 7;

/** What may be set otherwise; all durations in ms. */
export type TransportTuning = {
  /** The setting that the URL is from, as errors name it: SMTP_URL by default. */
  readonly setting?: Relay["setting"];
  /** Connections at a time. */
  readonly connections?: number;
  /** For how long a connection without work is kept. */
  readonly idleMs?: number;
  /** How long one attempt may take in all, from the instant at which a connection is free for it. */
  readonly deadlineMs?: number;
  readonly timeouts?: Partial<Timeouts>;
};

/** A transport for the relay; nothing is connected yet. */
export function createMailTransport(
  smtpUrl: string,
  redact: (text: string) => string,
  { setting = "SMTP_URL", connections = 4, idleMs = 5_000, deadlineMs = 120_000, timeouts }: TransportTuning = {},
): MailTransport {
  const options = { ...optionsOf(smtpUrl), ...timeouts };
  const relay: Relay = { host: options.host, port: options.port, setting, redact };
  const pool = createPool({ open: (untilMs) => openSession(options, untilMs), connections, idleMs });
  const used = new WeakSet<Session>();
  const giveBack = (session: Session) => {
    used.add(session);
    pool.keep(session);
  };

  const sendOver = async (session: Session, mail: Mail): Promise<string> => {
    try {
      const answer = await session.send(mail.envelope, mail.mime, mail.untilMs);
      giveBack(session);
      return answer;
    } catch (fault) {
      if (wasAnswered(fault) && (await session.reset())) giveBack(session);
      else pool.drop(session);
      throw fault;
    }
  };
  const sendOverAny = async (mail: Mail): Promise<string> => {
    const session = pool.take() ?? (await pool.open(mail));
    const wasUsed = used.has(session);
    return sendOver(session, mail).catch(async (fault: unknown) => {
      if (!wasUsed || !wasClosedMeanwhile(fault)) throw fault;
      return sendOver(await pool.open(mail), mail);
    });
  };
  return {
    compose: createComposer(),
    inTurn: createTurns(connections * AHEAD, connections * (AHEAD - 2)),
    send(mime, { from, to }) {
      const sinceMs = performance.now();
      return pool.withRoom(async () => {
        const startedMs = performance.now();
        // What another mail came to while this one waited for its turn took it no time.
        const tookMs = (endedMs: number) => Math.max(0, Math.round(endedMs - startedMs));
        const envelope = { from: onTheWire(from), to: onTheWire(to), size: mime.length };
        const patience = { sinceMs, shareUntilMs: startedMs + deadlineMs / 2, untilMs: startedMs + deadlineMs };
        try {
          const answer = await sendOverAny({ envelope, mime, ...patience });
          return acceptedOutcome(answer, tookMs(performance.now()), relay);
        } catch (error) {
          const fault = asFault(error);
          return faultOutcome(fault, tookMs(fault.clockMs), relay);
        }
      });
    },
    async verify() {
      try {
        const session = await openSession(options, performance.now() + deadlineMs);
        session.quit();
      } catch (error) {
        throw new Error(explain(asFault(error), relay), { cause: error });
      }
    },
    async close() {
      pool.close();
    },
  };
}

type Mail = Patience & { readonly envelope: Envelope; readonly mime: Buffer };

/** Whether the server said no to the mail and nothing else is amiss, so that the connection is good for another. */
function wasAnswered(fault: unknown): boolean {
  const code = fault instanceof SessionFault && fault.answer !== null ? codeOf(fault.answer) : null;
  return code !== null && code >= 400 && code !== 421;
}

/** Whether the server had closed a used connection before it saw anything of this mail. */
function wasClosedMeanwhile(fault: unknown): boolean {
  if (!(fault instanceof SessionFault) || fault.stage !== "sender") return false;
  if (fault.answer !== null) return codeOf(fault.answer) === 421;
  return fault.cause.code === undefined || ["ECONNECTION", "ESOCKET"].includes(fault.cause.code);
}

function asFault(error: unknown): SessionFault {
  if (error instanceof SessionFault) return error;
  return new SessionFault(error as Error, { stage: "connect", answer: null, waiting: false });
}
