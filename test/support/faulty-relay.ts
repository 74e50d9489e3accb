/**
 * A stand-in mail server on real sockets that fails as it is told to, and keeps every mail it accepts.
 *
 * Faults come from `script`, while it runs, or from `faultFor`, with which it is started: so a process of its own can
 * play a seeded schedule. The last word on what was delivered is `accepted`.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createSecureContext, createServer as createTlsServer } from "node:tls";
import { converse, type Envelope, type Fault, type FaultStage } from "./faulty-relay-dialogue.ts";

/** A mail as it was taken; `bytes` without the dots that only the wire has. */
export type AcceptedMail = Envelope & {
  readonly bytes: Buffer;
  /** Without angle brackets; null where the mail has none. */
  readonly messageId: string | null;
  readonly at: Date;
};

export type FaultyRelayOptions = {
  /** Any free one by default. */
  readonly port?: number;
  /** `starttls` and `implicit` present a certificate that nobody vouches for unless a test trusts it. */
  readonly tls?: "none" | "starttls" | "implicit";
  /** What it asks for; it takes anybody's mail where none is given. */
  readonly login?: { readonly user: string; readonly pass: string };
  /** Announced after EHLO; PIPELINING among others by default. */
  readonly extensions?: readonly string[];
  /**
   * The fault of the n-th connection, or the n-th mail, each counted from 0; asked once for each. Of a connection
   * the faults up to the login, of a mail those from the sender on.
   */
  readonly faultFor?: (n: number, of: "connection" | "mail") => Fault | null;
};

export type FaultyRelay = {
  readonly url: string;
  readonly port: number;
  readonly accepted: readonly AcceptedMail[];
  /** Each line of the clients, the mails aside. */
  readonly commands: readonly string[];
  /** How many connections were opened so far. */
  connections(): number;
  /** Adds a fault; those that were added first strike first. */
  script(...faults: readonly Fault[]): void;
  /** Takes back what was scripted. */
  mend(): void;
  /** Resolves once so many mails were accepted. */
  whenAccepted(count: number): Promise<void>;
  /** Resolves when a client next sends such a line. */
  whenSaid(line: RegExp): Promise<void>;
  /** Closes every connection; new ones are taken. Resolves once they are closed. */
  cut(): Promise<void>;
  /** Closes the port and every connection. */
  away(): Promise<void>;
  /** Listens again on the same port. */
  back(): Promise<void>;
  close(): Promise<void>;
};

const CERTIFICATE = new URL("../fixtures/tls/localhost-cert.pem", import.meta.url);
const KEY = new URL("../fixtures/tls/localhost-key.pem", import.meta.url);
const EXTENSIONS = ["PIPELINING", "SIZE 10485760", "8BITMIME", "ENHANCEDSTATUSCODES"];

export async function startFaultyRelay(options: FaultyRelayOptions = {}): Promise<FaultyRelay> {
  const { tls = "none", login = null, extensions = EXTENSIONS } = options;
  const sockets = new Set<Socket>();
  const books = createBooks();
  const plan = createPlan(options.faultFor ?? (() => null));
  const commands: string[] = [];
  const listeners = new Set<(line: string) => void>();
  const identity = tls === "none" ? null : { cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) };
  let connections = 0;
  let port = options.port ?? 0;

  const receive = (socket: Socket) => {
    connections += 1;
    const ofConnection = plan.draw("connection");
    let ofMail: Fault | null = null;
    converse(socket, {
      extensions,
      login,
      tls: tls === "starttls" && identity ? createSecureContext(identity) : null,
      onCommand: (line) => {
        commands.push(line);
        for (const listener of listeners) listener(line);
      },
      onMail: () => {
        ofMail = plan.draw("mail");
      },
      faultAt: (stage, to) =>
        plan.strike(stage, to) ??
        [ofConnection, ofMail].find((fault) => fault !== null && hits(fault, stage, to)) ??
        null,
      keep: books.keep,
    });
  };
  const listen = async (): Promise<Server> => {
    const server =
      tls === "implicit" && identity
        ? createTlsServer(identity, receive).on("tlsClientError", () => {})
        : createServer(receive);
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
    return server;
  };
  const cut = async () => {
    const closing = [...sockets].map((socket) => once(socket, "close"));
    for (const socket of sockets) socket.destroy();
    await Promise.all(closing);
  };
  let server: Server | null = await listen();
  const away = async () => {
    const closed = server === null ? null : once(server, "close");
    server?.close();
    server = null;
    await cut();
    await closed;
  };
  const user = login === null ? "" : `${encodeURIComponent(login.user)}:${encodeURIComponent(login.pass)}@`;
  return {
    port,
    url: `${tls === "implicit" ? "smtps" : "smtp"}://${user}127.0.0.1:${port}`,
    accepted: books.accepted,
    commands,
    connections: () => connections,
    script: plan.add,
    mend: plan.clear,
    whenAccepted: books.whenAccepted,
    whenSaid: (pattern) =>
      new Promise((resolve) => {
        const listener = (line: string) => {
          if (!pattern.test(line)) return;
          listeners.delete(listener);
          resolve();
        };
        listeners.add(listener);
      }),
    cut,
    away,
    async back() {
      server ??= await listen();
    },
    close: away,
  };
}

type Draw = NonNullable<FaultyRelayOptions["faultFor"]>;

/** Which fault strikes when: those that were scripted, each so often, and those of the schedule. */
function createPlan(faultFor: Draw) {
  let scripted: readonly Fault[] = [];
  const drawn = { connection: 0, mail: 0 };
  return {
    add(...faults: readonly Fault[]) {
      scripted = [...scripted, ...faults];
    },
    clear() {
      scripted = [];
    },
    draw(of: "connection" | "mail"): Fault | null {
      drawn[of] += 1;
      return faultFor(drawn[of] - 1, of);
    },
    strike(stage: FaultStage, to: readonly string[]): Fault | null {
      const fault = scripted.find((candidate) => hits(candidate, stage, to));
      if (fault === undefined) return null;
      const left = (fault.times ?? 1) - 1;
      scripted = scripted.flatMap((other) => (other !== fault ? [other] : left > 0 ? [{ ...fault, times: left }] : []));
      return fault;
    },
  };
}

/** At the recipient's stage the last one named is the one in question. */
function hits(fault: Fault, stage: FaultStage, to: readonly string[]): boolean {
  if (fault.at !== stage) return false;
  return fault.to === undefined || (stage === "recipient" ? to.at(-1) === fault.to : to.includes(fault.to));
}

function createBooks() {
  const accepted: AcceptedMail[] = [];
  let awaited: { readonly count: number; readonly resolve: () => void }[] = [];
  return {
    accepted,
    keep(envelope: Envelope, bytes: Buffer): string {
      const messageId =
        /^Message-ID:\s*<([^>]*)>/im.exec(bytes.toString("latin1").split("\r\n\r\n", 1)[0] ?? "")?.[1] ?? null;
      accepted.push({ ...envelope, bytes, messageId, at: new Date() });
      for (const { count, resolve } of awaited) if (accepted.length >= count) resolve();
      awaited = awaited.filter(({ count }) => accepted.length < count);
      return `Q${accepted.length}`;
    },
    whenAccepted(count: number): Promise<void> {
      if (accepted.length >= count) return Promise.resolve();
      return new Promise((resolve) => awaited.push({ count, resolve }));
    },
  };
}
