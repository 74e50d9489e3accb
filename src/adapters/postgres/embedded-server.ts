/**
 * Serves one PGlite database to many connections over a Unix socket, in the Postgres wire protocol.
 *
 * PGlite has one session. A connection has it to itself from the first message of an exchange until the
 * database says that it is idle again, so neither statements nor transactions of two connections mix.
 */
import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import type { PGlite } from "@electric-sql/pglite";

export type EmbeddedServer = {
  /** Connections that are open now. */
  readonly connections: () => number;
  close(): Promise<void>;
};

/** Frontend messages that end an exchange: the database answers them with ReadyForQuery. */
const QUERY = 0x51;
const SYNC = 0x53;
const TERMINATE = 0x58;

/** An untyped first message: length, then protocol version or request code. */
const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;

const IDLE = "I".charCodeAt(0);

/** Listens on the socket path; resolves when clients can connect. */
export async function serveEmbedded(db: PGlite, path: string): Promise<EmbeddedServer> {
  const session = createTurnstile();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    serveConnection(db, socket, session).catch(() => socket.destroy());
  });
  await listen(server, path);
  await chmod(path, 0o600);
  return {
    connections: () => sockets.size,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      // Whoever still had the session gives it back before the database closes under it.
      (await session())();
    },
  };
}

async function serveConnection(db: PGlite, socket: Socket, session: Turnstile): Promise<void> {
  let release: (() => void) | null = null;
  try {
    for await (const { bytes, startup } of exchanges(socket)) {
      release ??= await session();
      if (socket.destroyed) return;
      let tail: Uint8Array = new Uint8Array();
      await db.runExclusive(() =>
        db.execProtocolRawStream(bytes, {
          onRawData: (data) => {
            tail = data.length >= 6 ? data.slice(-6) : Buffer.concat([tail, data]).subarray(-6);
            if (!socket.destroyed) socket.write(Buffer.from(data));
          },
        }),
      );
      if (startup || tail[5] === IDLE) {
        release();
        release = null;
      }
    }
  } finally {
    if (release !== null) {
      // The client went away inside a transaction.
      await db.exec("ROLLBACK").catch(() => {});
      release();
    }
    socket.destroy();
  }
}

/** The client's messages, cut where the database answers with ReadyForQuery. */
async function* exchanges(socket: Socket): AsyncGenerator<{ bytes: Uint8Array; startup: boolean }> {
  let started = false;
  let unread: Buffer = Buffer.alloc(0);
  /** Bytes at the head of `unread` that are whole messages of the present exchange. */
  let whole = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    for (;;) {
      const lengthAt = whole + (started ? 1 : 0);
      if (unread.length < lengthAt + 4) break;
      const end = lengthAt + unread.readInt32BE(lengthAt);
      if (unread.length < end) break;
      if (!started) {
        const request = unread.readInt32BE(4);
        if (request === CANCEL_REQUEST) return;
        if (request === SSL_REQUEST || request === GSS_REQUEST) socket.write("N");
        else {
          started = true;
          yield { bytes: unread.subarray(0, end), startup: true };
        }
        unread = unread.subarray(end);
        continue;
      }
      const type = unread[whole];
      if (type === TERMINATE) return;
      whole = end;
      if (type === QUERY || type === SYNC) {
        yield { bytes: unread.subarray(0, whole), startup: false };
        unread = unread.subarray(whole);
        whole = 0;
      }
    }
  }
}

/** Admits one at a time, in order of asking; the answer is how to leave. */
type Turnstile = () => Promise<() => void>;

function createTurnstile(): Turnstile {
  let last: Promise<void> = Promise.resolve();
  return async () => {
    const before = last;
    let leave = () => {};
    last = new Promise((resolve) => {
      leave = resolve;
    });
    await before;
    return leave;
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
