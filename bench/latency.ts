/**
 * From an invite's appearance in the API to the acceptance of its mail, in a daemon that is asked for a sync.
 *
 * Beside each sample: one read of the same list by got, and one mail of the same bytes by nodemailer.
 */
import { randomUUID } from "node:crypto";
import { createTransport } from "nodemailer";
import type { MailTransport } from "../src/app/ports.ts";
import { createLogger } from "../src/log.ts";
import { openRuntime, type Runtime } from "../src/wire.ts";
import { createWorkers } from "../src/workers.ts";
import { startApi } from "./children.ts";
import type { LatencyJob } from "./job.ts";
import { createListReader } from "./list.ts";
import { measure } from "./measure.ts";
import { FROM } from "./news.ts";
import { configFor } from "./setting.ts";

const WARM_UP_SAMPLES = 5;
/** On the list before the first that is measured. */
const INVITES = 20;
const log = createLogger({ level: "info", format: "json", redact: (text) => text, destination: { write: () => {} } });

await measure(async ({ databaseUrl, smtpUrl, samples: count }: LatencyJob) => {
  const api = startApi(new AbortController().signal);
  const { url: apiUrl, token } = await api.set({ kind: "fill", size: INVITES });
  const opened = await openRuntime(configFor({ databaseUrl, smtpUrl, apiUrl, token }), "daemon", log);
  const mailbox = createMailbox(opened.transport);
  // More mails than a person should get in an hour.
  const mail = { ...opened.mail, floodCap: Number.MAX_SAFE_INTEGER };
  const runtime: Runtime = { ...opened, mail, transport: mailbox.transport };
  await runtime.queue.work(createWorkers(runtime, log, new AbortController().signal));
  const floor = createFloor({ apiUrl, token, smtpUrl });
  const syncAndWait = async (): Promise<Accepted> => {
    const accepted = mailbox.next();
    await runtime.queue.requestSync("default", randomUUID());
    return accepted;
  };
  // The baseline, and its inventory mail.
  await syncAndWait();

  const sample = async () => {
    await api.set({ kind: "add" });
    const appearedAt = performance.now();
    const { at, mime } = await syncAndWait();
    return { latency: at - appearedAt, floor: await floor.take(mime) };
  };
  return {
    async warmUp() {
      for (let nth = 0; nth < WARM_UP_SAMPLES; nth += 1) await sample();
    },
    async run() {
      const samples: Awaited<ReturnType<typeof sample>>[] = [];
      for (let nth = 0; nth < count; nth += 1) samples.push(await sample());
      return { latencies: samples.map(({ latency }) => latency), floors: samples.map(({ floor: ms }) => ms) };
    },
    async close() {
      floor.close();
      await runtime.close();
      await api.close();
    },
  };
});

type Accepted = { readonly at: number; readonly mime: Buffer };

/** The transport, and the next mail that goes through it, with the instant of its acceptance. */
function createMailbox(transport: MailTransport) {
  let next = Promise.withResolvers<Accepted>();
  const send: MailTransport["send"] = async (mime, envelope) => {
    const outcome = await transport.send(mime, envelope);
    if (outcome.kind === "accepted") next.resolve({ at: performance.now(), mime });
    else next.reject(new Error(outcome.error));
    return outcome;
  };
  return {
    transport: { ...transport, send },
    next(): Promise<Accepted> {
      next = Promise.withResolvers<Accepted>();
      return next.promise;
    },
  };
}

type Places = { readonly apiUrl: string; readonly token: string; readonly smtpUrl: string };

function createFloor({ apiUrl, token, smtpUrl }: Places) {
  const read = createListReader(token);
  const { hostname: host, port } = new URL(smtpUrl);
  const transport = createTransport({ pool: true, maxConnections: 1, host, port: Number(port), ignoreTLS: true });
  return {
    async take(raw: Buffer): Promise<number> {
      const startedAt = performance.now();
      await read(apiUrl);
      await transport.sendMail({ envelope: { from: FROM, to: ["ops@example.com"] }, raw });
      return performance.now() - startedAt;
    },
    close: () => transport.close(),
  };
}
