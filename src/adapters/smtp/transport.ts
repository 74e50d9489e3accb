/** Sends mail through the relay that SMTP_URL names, over connections that are kept, and says how each attempt ended. */
import type { MailTransport } from "../../app/ports.ts";
import { onTheWire } from "./address.ts";
import { codeOf } from "./answer.ts";
import { createComposer } from "./composer.ts";
import { SessionFault, stoppedError, wasStopped } from "./fault.ts";
import { optionsOf, type Timeouts } from "./options.ts";
import { acceptedOutcome, explain, faultOutcome, type Relay } from "./outcome.ts";
import { createPool, type Patience } from "./pool.ts";
import { type Envelope, openSession, type Session } from "./session.ts";
import { createTurns } from "./turns.ts";

/** Mails under way for each connection, so that none waits for the database. */
const AHEAD = 7;

/** What may be set otherwise; all durations in ms. */
export type TransportTuning = {
  /** The setting that the URL is from, as errors name it: SMTP_URL by default. */
  readonly setting?: Relay["setting"];
  /** MAIL_FROM, whose domain EHLO says where this host has no full name. */
  readonly from?: string;
  /** Connections at a time, those aside that have waited for an answer to their mail for long. */
  readonly connections?: number;
  /** For how long a connection without work is kept. */
  readonly idleMs?: number;
  /** How long one attempt may take until the whole mail is sent, from the instant at which a connection is free for it. */
  readonly deadlineMs?: number;
  readonly timeouts?: Partial<Timeouts>;
};

/** A transport for the relay; nothing is connected yet. */
export function createMailTransport(
  smtpUrl: string,
  redact: (text: string) => string,
  {
    setting = "SMTP_URL",
    from: sender,
    connections = 4,
    idleMs = 5_000,
    deadlineMs = 120_000,
    timeouts,
  }: TransportTuning = {},
): MailTransport {
  const options = { ...optionsOf(smtpUrl, sender), ...timeouts };
  const relay: Relay = { ...options, setting, redact };
  const stopping = new AbortController();
  const open = (untilMs: number) => openSession(options, { untilMs, signal: stopping.signal });
  const pool = createPool({ open, connections, idleMs });
  const turns = createTurns(connections * AHEAD, connections * (AHEAD - 2));
  const used = new WeakSet<Session>();
  const underWay = new Set<Promise<unknown>>();
  const giveBack = (session: Session) => {
    used.add(session);
    pool.keep(session);
  };

  const sendOver = async (session: Session, mail: Mail): Promise<string> => {
    try {
      const answer = await session.send(mail.envelope, mail.mime, mail);
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
  const send: MailTransport["send"] = (mime, { from, to }) => {
    const sinceMs = performance.now();
    return pool.withRoom(async (onSlow) => {
      const startedMs = performance.now();
      // What another mail came to while this one waited for its turn took it no time.
      const tookMs = (endedMs: number) => Math.max(0, Math.round(endedMs - startedMs));
      const envelope = { from: onTheWire(from), to: onTheWire(to), size: mime.length };
      const patience = { sinceMs, shareUntilMs: startedMs + deadlineMs / 2, untilMs: startedMs + deadlineMs };
      try {
        const answer = await sendOverAny({ envelope, mime, onSlow, ...patience });
        return acceptedOutcome(answer, tookMs(performance.now()), relay);
      } catch (error) {
        const fault = asFault(error);
        return faultOutcome(fault, tookMs(fault.clockMs), relay);
      }
    });
  };
  return {
    compose: createComposer(),
    inTurn: turns,
    async send(mime, envelope) {
      const sending = send(mime, envelope);
      underWay.add(sending);
      try {
        return await sending;
      } finally {
        underWay.delete(sending);
      }
    },
    isSending: () => underWay.size > 0,
    async verify() {
      try {
        const session = await open(performance.now() + deadlineMs);
        session.quit();
      } catch (error) {
        throw new Error(explain(asFault(error), relay), { cause: error });
      }
    },
    async stop(graceMs) {
      turns.end(stoppedError());
      pool.close();
      const timer = setTimeout(() => stopping.abort(), graceMs);
      await Promise.all(underWay);
      clearTimeout(timer);
    },
    async close() {
      pool.close();
    },
  };
}

type Mail = Patience & { readonly envelope: Envelope; readonly mime: Buffer; readonly onSlow: () => void };

/** Whether the server said no to the mail and nothing else is amiss, so that the connection is good for another. */
function wasAnswered(fault: unknown): boolean {
  const code = fault instanceof SessionFault && fault.answer !== null ? codeOf(fault.answer) : null;
  return code !== null && code >= 400 && code !== 421;
}

/** Whether the server had closed a used connection before it saw anything of this mail. */
function wasClosedMeanwhile(fault: unknown): boolean {
  if (!(fault instanceof SessionFault) || fault.stage !== "sender" || wasStopped(fault)) return false;
  if (fault.answer !== null) return codeOf(fault.answer) === 421;
  return fault.cause.code === undefined || ["ECONNECTION", "ESOCKET"].includes(fault.cause.code);
}

function asFault(error: unknown): SessionFault {
  if (error instanceof SessionFault) return error;
  return new SessionFault(error as Error, { stage: "connect", answer: null });
}
