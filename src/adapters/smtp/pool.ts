/** Lends connections to the relay: a few at a time, kept for the next mail for a short while. */
import type { Session } from "./session.ts";

export type PoolOptions = {
  /** At most so many at a time; who comes later waits. */
  readonly connections: number;
  /** For how long one without work is kept. */
  readonly idleMs: number;
};

export type Pool = {
  /** Runs the work once there is room for a connection more. */
  withRoom<T>(work: () => Promise<T>): Promise<T>;
  /** A kept connection, the latest used first; null where there is none. */
  take(): Session | null;
  /** Keeps the connection for the next mail. */
  keep(session: Session): void;
  /** Closes those that are kept, and keeps none from now on; work goes on. */
  close(): void;
};

export function createPool({ connections, idleMs }: PoolOptions): Pool {
  const waiting: (() => void)[] = [];
  const idle: { readonly session: Session; readonly timer: NodeJS.Timeout }[] = [];
  let room = connections;
  let closed = false;

  const quitOldest = () => idle.shift()?.session.quit();
  const forget = (session: Session) => {
    const at = idle.findIndex((kept) => kept.session === session);
    if (at >= 0) for (const { timer } of idle.splice(at, 1)) clearTimeout(timer);
  };
  return {
    async withRoom(work) {
      if (room > 0) room -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) room += 1;
        else next();
      }
    },
    take() {
      const kept = idle.pop();
      if (kept === undefined) return null;
      clearTimeout(kept.timer);
      kept.session.onEnd(() => {});
      kept.session.keepProcess(true);
      return kept.session;
    },
    keep(session) {
      if (closed) return session.quit();
      // A connection that is merely kept is no reason for the process to stay.
      session.keepProcess(false);
      idle.push({ session, timer: setTimeout(quitOldest, idleMs).unref() });
      session.onEnd(() => forget(session));
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
