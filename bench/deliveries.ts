/** invitewatch's own delivery: the daemon's workers take the jobs, release, render, freeze, send and write receipts. */
import { createLogger } from "../src/log.ts";
import { openRuntime, type Runtime } from "../src/wire.ts";
import { createWorkers } from "../src/workers.ts";
import { type MailJob, WARM_UP_MAILS } from "./job.ts";
import { measure } from "./measure.ts";
import { configFor } from "./setting.ts";

/** As the daemon's, but nobody reads it. */
const log = createLogger({
  level: "info",
  format: "json",
  redact: (text) => text,
  destination: { write: () => {} },
});

await measure(async ({ databaseUrl, warmUpUrl, smtpUrl, mails }: MailJob) => {
  const open = (url: string) => openRuntime(configFor({ databaseUrl: url, smtpUrl }), "daemon", log);
  const runtime = await open(databaseUrl);
  return {
    async warmUp() {
      const other = await open(warmUpUrl);
      await deliverAll(other, WARM_UP_MAILS);
      await other.close();
    },
    async run() {
      await deliverAll(runtime, mails);
      return { mails: await runtime.database.prisma.notification.count({ where: { state: "delivered" } }) };
    },
    close: () => runtime.close(),
  };
});

/** Works until so many deliveries have ended, whatever became of them. */
async function deliverAll(runtime: Runtime, count: number): Promise<void> {
  const done = Promise.withResolvers<void>();
  const workers = createWorkers(runtime, log, new AbortController().signal);
  let left = count;
  const deliver: typeof workers.deliver = async (...job) => {
    await workers.deliver(...job);
    left -= 1;
    if (left === 0) done.resolve();
  };
  await runtime.queue.work({ ...workers, deliver });
  await done.promise;
}
