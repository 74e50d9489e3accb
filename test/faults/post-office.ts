/** An SMTP server that keeps what it accepts, byte for byte, and can be told to misbehave. */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { SMTPServer, type SMTPServerSession } from "smtp-server";

/** One acceptance of a mail for one recipient. */
export type AcceptedMail = {
  readonly recipient: string;
  /** Without angle brackets. */
  readonly messageId: string;
  /** As the headers say: what the mail is about. */
  readonly kind: string;
  readonly events: string;
  readonly bytes: string;
};

/** What befalls the next mail. `dropAfter` accepts it and hangs up before the answer; `dropBefore` does not accept it. */
export type Mishap = "greylist" | "dropBefore" | "dropAfter";

export type PostOffice = {
  readonly url: string;
  /** In the order of their acceptance. */
  readonly accepted: readonly AcceptedMail[];
  /** What befalls each mail from now on; asked once for each. */
  misbehave(next: (() => Mishap | null) | null): void;
  /** Refuses connections and breaks those that there are, until told to come back. */
  leave(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
};

export async function openPostOffice(): Promise<PostOffice> {
  const accepted: AcceptedMail[] = [];
  let next: (() => Mishap | null) | null = null;
  const sockets = new Set<Socket>();
  const create = () => {
    const server = new SMTPServer({
      disabledCommands: ["STARTTLS", "AUTH"],
      disableReverseLookup: true,
      authOptional: true,
      closeTimeout: 100,
      onData(stream, session, done) {
        buffer(stream).then((bytes) => {
          const mishap = next?.() ?? null;
          if (mishap === "greylist") return done(tryLater());
          if (mishap !== "dropBefore") accepted.push(...acceptedBy(session, bytes.toString("latin1")));
          if (mishap === null) return done();
          for (const socket of sockets) if (socket.remotePort === session.remotePort) socket.destroy();
        }, done);
      },
    });
    server.on("error", () => {});
    server.server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    return server;
  };
  const listen = async (server: SMTPServer, port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server.server, "listening");
    return (server.server.address() as AddressInfo).port;
  };
  let server: SMTPServer | null = create();
  const port = await listen(server, 0);
  const leave = async () => {
    const leaving = server;
    server = null;
    if (leaving === null) return;
    const closed = new Promise<void>((resolve) => leaving.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    url: `smtp://127.0.0.1:${port}`,
    accepted,
    misbehave(how) {
      next = how;
    },
    leave,
    async comeBack() {
      if (server !== null) return;
      server = create();
      await listen(server, port);
    },
    close: leave,
  };
}

function acceptedBy({ envelope }: SMTPServerSession, bytes: string): AcceptedMail[] {
  const headers = bytes.slice(0, bytes.indexOf("\r\n\r\n")).replaceAll(/\r\n[ \t]+/g, " ");
  const header = (name: string) => new RegExp(`^${name}: *(.*)$`, "im").exec(headers)?.[1]?.trim() ?? "";
  return envelope.rcptTo.map(({ address: recipient }) => ({
    recipient,
    messageId: header("Message-ID").replaceAll(/[<>]/g, ""),
    kind: header("X-Invitewatch-Kind"),
    events: header("X-Invitewatch-Event"),
    bytes,
  }));
}

function tryLater(): Error {
  return Object.assign(new Error("4.7.1 greylisted, try again later"), { responseCode: 451 });
}
