/** Lends connections to the relay: a few at a time, kept for the next mail for a short while. */
import type { SessionFault } from "./fault.ts";
import type { Session } from "./session.ts";

export type PoolOptions = {
  /** A new connection. Rejects with a SessionFault. @param untilMs when to give up, by `performance` */
  readonly open: (untilMs: number) => Promise<Session>;
  /** At most so many at a time; who comes later waits. */
  readonly connections: number;
  /** For how long one without work is kept. */
  readonly idleMs: number;
};

/** When whoever asks began to wait, and until when to wait for another's connection; by `performance`. */
export type Patience = { readonly sinceMs: number; readonly shareUntilMs: number; readonly untilMs: number };

export type Pool = {
  /**
   * Runs the work once there is room for a connection more.
   *
   * @param work may give its room to another while it merely waits; as many may do so at a time as there is room for
   */
  withRoom<T>(work: (giveRoom: () => void) => Promise<T>): Promise<T>;
  /** A kept connection, the latest used first; null where there is none. */
  take(): Session | null;
  /**
   * A new connection, or another's when it is free where the relay lets in no more of them. Rejects with a SessionFault:
   * what came of asking for it, or of another's asking that failed meanwhile.
   */
  open(patience: Patience): Promise<Session>;
  /** Keeps the connection for the next mail. */
  keep(session: Session): void;
  /** Closes the connection: it is good for nothing more. */
  drop(session: Session): void;
  /** Closes those that are kept, and keeps none from now on; work goes on. */
  close(): void;
};

/** A relay that let in some and turned one away is not asked for more of them for so long. */
const CROWDED_MS = 60_000;

export function createPool({ open, connections, idleMs }: PoolOptions): Pool {
  const waiting: (() => void)[] = [];
  const idle: { readonly session: Session; readonly timer: NodeJS.Timeout }[] = [];
  const heirs = new Set<(session: Session | null) => void>();
  let room = connections;
  /** Room that was given to others by those who merely wait. */
  let given = 0;
  /** Connections that are lent, or being opened. */
  let inUse = 0;
  let crowdedUntilMs = Number.NEGATIVE_INFINITY;
  /** What came of asking for a connection when there was no other; null once one was let in. */
  let lastFault: SessionFault | null = null;
  let closed = false;

  const letIn = () => {
    const enter = waiting.shift();
    if (enter === undefined) room += 1;
    else enter();
  };
  const quitOldest = () => idle.shift()?.session.quit();
  const forget = (session: Session) => {
    const at = idle.findIndex((kept) => kept.session === session);
    if (at >= 0) for (const { timer } of idle.splice(at, 1)) clearTimeout(timer);
  };
  const take = () => {
    const kept = idle.pop();
    if (kept === undefined) return null;
    clearTimeout(kept.timer);
    kept.session.onEnd(() => {});
    kept.session.keepProcess(true);
    inUse += 1;
    return kept.session;
  };
  /** The connection that is free next; null where none is left that could be, or none is in time. */
  const next = async (untilMs: number): Promise<Session | null> => {
    const kept = take();
    if (kept !== null || inUse === 0) return kept;
    const { promise, resolve } = Promise.withResolvers<Session | null>();
    const inherit = (session: Session | null) => {
      heirs.delete(inherit);
      clearTimeout(timer);
      resolve(session);
    };
    const timer = setTimeout(inherit, Math.max(0, untilMs - performance.now()), null);
    heirs.add(inherit);
    return promise;
  };
  const letGo = () => {
    inUse -= 1;
    if (inUse === 0) for (const heir of heirs) heir(null);
  };
  const openOwn = async (untilMs: number): Promise<Session> => {
    inUse += 1;
    try {
      const session = await open(untilMs);
      lastFault = null;
      return session;
    } catch (fault) {
      letGo();
      if (inUse === 0 && idle.length === 0) lastFault = fault as SessionFault;
      throw fault;
    }
  };
  return {
    async withRoom(work) {
      if (room > 0) room -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let holds = true;
      const giveRoom = () => {
        if (!holds || given >= connections) return;
        holds = false;
        given += 1;
        letIn();
      };
      try {
        return await work(giveRoom);
      } finally {
        if (holds) letIn();
        else given -= 1;
      }
    },
    take,
    async open({ sinceMs, shareUntilMs, untilMs }) {
      for (;;) {
        if (performance.now() >= crowdedUntilMs) {
          // Were each to ask for itself, a login that is refused would be refused as often as there are mails.
          if (lastFault !== null && lastFault.clockMs >= sinceMs) throw lastFault;
          try {
            return await openOwn(untilMs);
          } catch (fault) {
            if (fault === lastFault || performance.now() >= shareUntilMs) throw fault;
            crowdedUntilMs = performance.now() + CROWDED_MS;
          }
        }
        const free = await next(shareUntilMs);
        if (free !== null) return free;
        crowdedUntilMs = Number.NEGATIVE_INFINITY;
      }
    },
    keep(session) {
      const [heir] = heirs;
      if (heir !== undefined) return heir(session);
      letGo();
      if (closed) return session.quit();
      // A connection that is merely kept is no reason for the process to stay.
      session.keepProcess(false);
      idle.push({ session, timer: setTimeout(quitOldest, idleMs).unref() });
      session.onEnd(() => forget(session));
    },
    drop(session) {
      session.close();
      letGo();
    },
    close() {
      closed = true;
      for (const { session, timer } of idle.splice(0)) {
        clearTimeout(timer);
        session.quit();
      }
    },
  };
}
