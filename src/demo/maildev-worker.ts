/** The thread in which MailDev runs: starts it, then reports each mail to the thread that started this one. */
import { readFile } from "node:fs/promises";
import { parentPort, workerData } from "node:worker_threads";
import { MailDev } from "maildev";
import type { SMTPServer } from "smtp-server";
import type { ReceivedMail } from "./received-mail.ts";

/** Where MailDev keeps its mail and how many, whom it refuses, and its ports; port 0 lets the system choose. */
export type MailDevSetup = {
  readonly directory: string;
  readonly maxMails: number;
  readonly refused: readonly string[];
  readonly smtpPort: number;
  readonly webPort: number;
};

export type MailDevReport =
  | { readonly kind: "started"; readonly smtpPort: number; readonly webPort: number }
  | { readonly kind: "mail"; readonly mail: Omit<ReceivedMail, "headers"> };

const setup = workerData as MailDevSetup;
const report = (message: MailDevReport): void => parentPort?.postMessage(message);

const { smtp, api, storage } = await new MailDev({
  ip: "127.0.0.1",
  smtp: setup.smtpPort,
  webIp: "127.0.0.1",
  web: setup.webPort,
  mailDirectory: setup.directory,
  maxEmails: setup.maxMails,
  silent: true,
}).start();

type Email = Awaited<ReturnType<typeof storage.getAll>>[number];

smtp.on("new", async (email: Email) => {
  report({
    kind: "mail",
    mail: {
      subject: email.subject,
      from: email.from[0]?.address ?? "",
      to: email.to.map(({ address }) => address),
      recipients: email.envelope.to.map(({ address }) => address),
      text: email.text ?? "",
      html: email.html ?? "",
      attachments: email.attachments.map(({ filename, contentType }) => ({ filename, contentType })),
      raw: await readFile(email.source, "utf8"),
    },
  });
});
// MailDev takes mail for anybody; the server inside it asks for every recipient.
const { smtp: server } = smtp as unknown as { readonly smtp: Pick<SMTPServer, "onRcptTo"> };
server.onRcptTo = ({ address }, _session, done) => {
  if (!setup.refused.includes(address)) return done();
  done(Object.assign(new Error("5.1.1 nobody here has that address"), { responseCode: 550 }));
};
// MailDev has no page for a client that takes anything, such as curl: such a one is taken for a browser.
api?.server.server.prependListener("request", ({ url, headers }) => {
  if (url === "/" && (headers.accept ?? "*/*").includes("*/*")) headers.accept = "text/html";
});
report({ kind: "started", smtpPort: smtp.getPort(), webPort: api?.getPort() ?? 0 });
