/** A real SMTP server that keeps what it accepts. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

export type MailServer = {
  readonly url: string;
  readonly port: number;
  /** The mails so far, each as it came over the wire. */
  readonly raw: readonly string[];
  parsed(): Promise<readonly ParsedMail[]>;
  close(): Promise<void>;
};

/** @param login what the server asks for; it takes anybody's mail where none is given */
export async function startMailServer(
  options: { port?: number; login?: { user: string; pass: string } } = {},
): Promise<MailServer> {
  const raw: string[] = [];
  const { login } = options;
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    authOptional: login === undefined,
    allowInsecureAuth: true,
    onAuth(auth, _session, done) {
      if (auth.username === login?.user && auth.password === login?.pass) done(null, { user: auth.username });
      else done(new Error(`no login for ${auth.username} with ${auth.password}`));
    },
    onData(stream, _session, done) {
      text(stream).then((mail) => {
        raw.push(mail);
        done();
      }, done);
    },
  });
  server.on("error", () => {});
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    raw,
    parsed: () => Promise.all(raw.map((mail) => simpleParser(mail))),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
