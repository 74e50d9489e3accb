/** The process that stands in for the relay: takes every mail at once and keeps none. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import type { MailServerAnswer } from "./job.ts";

let taken = 0;
const server = new SMTPServer({
  disabledCommands: ["STARTTLS"],
  disableReverseLookup: true,
  authOptional: true,
  onData(stream, _session, done) {
    stream.resume().once("end", () => {
      taken += 1;
      done();
    });
  },
});
server.on("error", () => {});
server.listen(0, "127.0.0.1");
const listening = once(server.server, "listening");

process.on("message", async () => {
  await listening;
  const { port } = server.server.address() as AddressInfo;
  process.send?.({ url: `smtp://127.0.0.1:${port}`, taken } satisfies MailServerAnswer);
  taken = 0;
});
process.once("disconnect", () => process.exit());
