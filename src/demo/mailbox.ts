/** A local mailbox to look into: MailDev takes mail over SMTP and shows it on a web page. Nothing is sent on. */
import { EventEmitter, on } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { parseHeaders } from "./mail-headers.ts";
import type { MailDevReport, MailDevSetup } from "./maildev-worker.ts";
import type { ReceivedMail } from "./received-mail.ts";

export type Mailbox = {
  readonly smtpUrl: string;
  readonly webUrl: string;
  /** Oldest first; at most the latest 1,000. */
  messages(): readonly ReceivedMail[];
  /** The first mail that matches, received already or still to come; rejects on abort and on `close`. */
  waitForMail(matches: (mail: ReceivedMail) => boolean, signal?: AbortSignal): Promise<ReceivedMail>;
  close(): Promise<void>;
};

// A demo left running for days must fill neither memory nor disk.
const maxMails = 1000;

export type MailboxOptions = {
  /** Preferred ones: where one is taken, or none is given, any free one is used. */
  readonly smtpPort?: number;
  readonly webPort?: number;
  /** Addresses that are refused for good, as those of people who left. */
  readonly refused?: readonly string[];
};

/** A running mailbox on 127.0.0.1; on other ports where one that is asked for is taken. */
export async function startMailbox({ refused = [], smtpPort = 0, webPort = 0 }: MailboxOptions = {}): Promise<Mailbox> {
  return openMailbox({ refused, smtpPort, webPort }).catch((error: Error) => {
    // Whether a port is free is known only once it is taken.
    if (!isPortTaken(error.cause)) throw error;
    return openMailbox({ refused, smtpPort: 0, webPort: 0 });
  });
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

async function openMailbox(options: Omit<MailDevSetup, "directory" | "maxMails">): Promise<Mailbox> {
  const directory = await mkdtemp(join(tmpdir(), "invitewatch-mailbox-"));
  const setup: MailDevSetup = { directory, maxMails, ...options };
  // In a thread of its own MailDev can neither write to this program's output nor hold up its event loop.
  const worker = new Worker(new URL("./maildev-worker.ts", import.meta.url), {
    workerData: setup,
    stdout: true,
    stderr: true,
  });
  const mails: ReceivedMail[] = [];
  const arrivals = new EventEmitter().setMaxListeners(0);
  const close = async (): Promise<void> => {
    arrivals.emit("close");
    await worker.terminate();
    await rm(directory, { recursive: true, force: true });
  };

  const started = new Promise<Extract<MailDevReport, { kind: "started" }>>((resolve, reject) => {
    worker.once("error", reject);
    worker.on("message", (report: MailDevReport) => {
      if (report.kind === "started") return resolve(report);
      const mail = { ...report.mail, headers: parseHeaders(report.mail.raw) };
      mails.push(mail);
      if (mails.length > maxMails) mails.shift();
      arrivals.emit("mail", mail);
    });
  });
  const { smtpPort, webPort } = await started.catch(async (error: unknown) => {
    await close();
    throw new Error("MailDev did not start", { cause: error });
  });
  // From here on a crash of MailDev is one of the whole program: nobody would see the mails otherwise.
  worker.removeAllListeners("error");

  return {
    smtpUrl: `smtp://127.0.0.1:${smtpPort}`,
    webUrl: `http://127.0.0.1:${webPort}/`,
    messages: () => [...mails],
    async waitForMail(matches, signal) {
      const received = mails.find(matches);
      if (received !== undefined) return received;
      for await (const [mail] of on(arrivals, "mail", { close: ["close"], ...(signal && { signal }) })) {
        if (matches(mail)) return mail;
      }
      throw new Error("The mailbox was closed");
    },
    close,
  };
}
