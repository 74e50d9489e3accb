/** A real SMTP server that answers as a test tells it to, and keeps what it was given. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";

/** What one transaction brought: the bytes as they came over the wire, and for whom. */
export type Transaction = { readonly from: string; readonly to: string; readonly mail: string };

export type Relay = {
  readonly url: string;
  readonly port: number;
  /** Every transaction whose mail came in whole, accepted or not. */
  readonly transactions: readonly Transaction[];
  /** Recipients that were named, accepted or not. */
  readonly recipients: readonly string[];
  /** Answers the next transaction with this code instead of accepting it, at its recipient or after its mail. */
  refuse(at: "RCPT" | "DATA", code: number, message: string): void;
  /** Leaves the next mail without an answer; resolves once it came in whole. */
  hang(): Promise<void>;
  close(): Promise<void>;
};

type Refusal = { readonly at: "RCPT" | "DATA"; readonly error: Error };

/** @param port of an earlier one that was closed; any free one by default */
export async function startRelay(port = 0): Promise<Relay> {
  const transactions: Transaction[] = [];
  const recipients: string[] = [];
  const refusals: Refusal[] = [];
  let hung: (() => void) | null = null;
  const refusal = (at: Refusal["at"]) => (refusals[0]?.at === at ? refusals.shift()?.error : undefined);

  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    authOptional: true,
    closeTimeout: 50,
    onRcptTo(address, _session, done) {
      recipients.push(address.address);
      done(refusal("RCPT"));
    },
    onData(stream, { envelope }, done) {
      text(stream).then((mail) => {
        const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
        transactions.push({ from, to: envelope.rcptTo.map(({ address }) => address).join(), mail });
        if (hung === null) done(refusal("DATA"));
        else hung();
      }, done);
    },
  });
  server.on("error", () => {});
  server.listen(port, "127.0.0.1");
  await once(server.server, "listening");
  const { port: bound } = server.server.address() as AddressInfo;
  return {
    port: bound,
    url: `smtp://127.0.0.1:${bound}`,
    transactions,
    recipients,
    refuse(at, responseCode, message) {
      refusals.push({ at, error: Object.assign(new Error(message), { responseCode }) });
    },
    hang: () =>
      new Promise((resolve) => {
        hung = () => {
          hung = null;
          resolve();
        };
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
