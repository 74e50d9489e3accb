/** One SMTP conversation on a real socket, line by line, that goes wrong where it is told to. */
import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";

/**
 * Where in the conversation a fault strikes: instead of the answer to this. At `mail` it strikes while the mail comes
 * in, and nothing more is read; `answer` is the one after the mail.
 */
export type FaultStage =
  | "greeting"
  | "ehlo"
  | "starttls"
  | "login"
  | "sender"
  | "recipient"
  | "data"
  | "mail"
  | "answer";

/** Plain values only, so that it can be handed to another process as JSON. */
export type Fault = {
  readonly at: FaultStage;
  /**
   * `answer` says `text` instead; `hang` says nothing more; `drop` closes the connection without an answer; `drip`
   * sends the answer a byte each `everyMs`; `garbage` sends what is no reply, and goes on.
   */
  readonly does: "answer" | "hang" | "drop" | "drip" | "garbage";
  readonly text?: string;
  readonly everyMs?: number;
  /** At `answer`: the mail is accepted and kept although the client does not hear so. */
  readonly keeps?: boolean;
  /** Only mails for this recipient, from the recipient's stage on. */
  readonly to?: string;
  /** How often it strikes; once where nothing is said. */
  readonly times?: number;
};

export type Envelope = { readonly from: string; readonly to: readonly string[] };

export type DialogueOptions = {
  /** Announced after EHLO beside STARTTLS and AUTH. */
  readonly extensions: readonly string[];
  /** Offers STARTTLS where there is one. */
  readonly tls: SecureContext | null;
  readonly login: { readonly user: string; readonly pass: string } | null;
  /** Sees each line of the client. */
  readonly onCommand: (line: string) => void;
  /** A mail begins. */
  readonly onMail: () => void;
  /** The fault that strikes here, if any. */
  readonly faultAt: (stage: FaultStage, to: readonly string[]) => Fault | null;
  /** Keeps an accepted mail; its name for the answer. */
  readonly keep: (envelope: Envelope, bytes: Buffer) => string;
};

const GARBAGE = "\u0000\u00ff<html>what?</html>\r\n";
const END_OF_MAIL = "\r\n.\r\n";

/** Converses until either side closes. */
export function converse(plain: Socket, options: DialogueOptions): void {
  let socket: Socket = plain;
  let input = "";
  let from = "";
  let to: string[] = [];
  let mode: "commands" | "mail" | "login" | "silent" = "commands";

  /** Answers, or strikes; whether the conversation goes on as if all were well. */
  const reply = (stage: FaultStage, text: string): boolean => {
    const fault = options.faultAt(stage, to);
    if (fault === null) {
      socket.write(`${text}\r\n`);
      return true;
    }
    strike(fault, text);
    return false;
  };
  const strike = ({ does, text = "", everyMs = 1_000 }: Fault, wellText: string) => {
    if (does === "answer") socket.write(`${text}\r\n`);
    else if (does === "garbage") socket.write(Buffer.from(GARBAGE, "latin1"));
    else {
      mode = "silent";
      if (does === "drop") socket.destroy();
      if (does === "drip") drip(socket, `${wellText.replaceAll("\r\n", "; ")}${" ".repeat(1_000)}`, everyMs);
    }
  };
  const finishMail = (mail: string) => {
    mode = "commands";
    const fault = options.faultAt("answer", to);
    const bytes = Buffer.from(`${mail}\r\n`.replaceAll(/^\.\./gm, "."), "latin1");
    const name = fault === null || fault.keeps ? options.keep({ from, to }, bytes) : "";
    if (fault === null) socket.write(`250 2.0.0 Ok: queued as ${name}\r\n`);
    else strike(fault, `250 2.0.0 Ok: queued as ${name}`);
    to = [];
  };
  const upgrade = () => {
    const secure = new TLSSocket(plain, { isServer: true, ...(options.tls && { secureContext: options.tls }) });
    plain.removeListener("data", listen);
    attach(secure);
    input = "";
  };
  const logIn = (line: string) => {
    mode = "commands";
    const [user, pass] = Buffer.from(line, "base64").toString().split("\u0000").slice(1);
    const ok = user === options.login?.user && pass === options.login?.pass;
    reply("login", ok ? "235 2.7.0 Ok" : `535 5.7.8 no login for ${user} with ${pass}`);
  };
  const commands: readonly (readonly [RegExp, (match: RegExpExecArray) => void])[] = [
    [/^EHLO/i, () => void reply("ehlo", helloOf(options, socket instanceof TLSSocket))],
    [
      /^STARTTLS/i,
      () =>
        void (reply("starttls", options.tls ? "220 2.0.0 Go ahead" : "502 5.5.1 no TLS") && options.tls && upgrade()),
    ],
    [/^AUTH PLAIN (.+)/i, ([, secret = ""]) => logIn(secret)],
    [
      /^MAIL FROM:<(.*?)>/i,
      ([, address = ""]) => {
        options.onMail();
        from = address;
        to = [];
        reply("sender", "250 2.1.0 Ok");
      },
    ],
    [
      /^RCPT TO:<(.*?)>/i,
      ([, address = ""]) => {
        to.push(address);
        if (!reply("recipient", "250 2.1.5 Ok")) to.pop();
      },
    ],
    [
      /^DATA/i,
      () => {
        if (to.length === 0) socket.write("554 5.5.1 no valid recipients\r\n");
        else if (reply("data", "354 go on")) mode = "mail";
      },
    ],
    [/^(?:RSET|NOOP)/i, () => void socket.write("250 2.0.0 Ok\r\n")],
    [/^QUIT/i, () => void socket.end("221 2.0.0 Bye\r\n")],
    [/^/, () => void socket.write("502 5.5.2 what?\r\n")],
  ];
  const obey = (line: string) => {
    options.onCommand(line);
    for (const [pattern, run] of commands) {
      const match = pattern.exec(line);
      if (match !== null) return run(match);
    }
  };
  /** Takes the next line, or the whole mail, off the input; whether there was one. */
  const step = (): boolean => {
    if (mode === "silent" || socket.destroyed) return false;
    const end = mode === "mail" ? END_OF_MAIL : "\r\n";
    const at = input.indexOf(end);
    if (at < 0) return false;
    const taken = input.slice(0, at);
    input = input.slice(at + end.length);
    if (mode === "mail") finishMail(taken);
    else obey(taken);
    return true;
  };
  const listen = (chunk: Buffer) => {
    const fault = mode === "mail" ? options.faultAt("mail", to) : null;
    if (fault !== null) {
      socket.pause();
      return strike(fault, "");
    }
    input += chunk.toString("latin1");
    while (step());
  };
  const attach = (next: Socket) => {
    socket = next;
    next.on("data", listen).on("error", () => next.destroy());
  };

  attach(plain);
  reply("greeting", "220 faulty.test ESMTP");
}

function helloOf({ extensions, tls, login }: DialogueOptions, secure: boolean): string {
  const lines = [
    "faulty.test",
    ...extensions,
    ...(tls && !secure ? ["STARTTLS"] : []),
    ...(login ? ["AUTH PLAIN"] : []),
  ];
  return lines.map((line, at) => `250${at === lines.length - 1 ? " " : "-"}${line}`).join("\r\n");
}

/** Sends the text byte by byte, for as long as the client listens. */
function drip(socket: Socket, text: string, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at >= text.length) clearInterval(timer);
    else socket.write(text.charAt(at++));
  }, everyMs);
  socket.once("close", () => clearInterval(timer));
}
