/** nodemailer's own pool, with as many connections, sends the bytes that invitewatch composed and kept. No receipts. */
import { createTransport } from "nodemailer";
import pg from "pg";
import { type MailJob, WARM_UP_MAILS } from "./job.ts";
import { measure } from "./measure.ts";
import { FROM } from "./news.ts";

const CONNECTIONS = 4;

type Row = { readonly recipient: string; readonly mime: Buffer };

await measure(async ({ databaseUrl, smtpUrl }: MailJob) => {
  const { hostname: host, port } = new URL(smtpUrl);
  const pool = { pool: true, maxConnections: CONNECTIONS, maxMessages: Number.POSITIVE_INFINITY } as const;
  const transport = createTransport({ ...pool, host, port: Number(port), ignoreTLS: true });
  const rows = await readMails(databaseUrl);
  const sendAll = (mails: readonly Row[]) =>
    Promise.all(
      mails.map(({ recipient: to, mime: raw }) => transport.sendMail({ envelope: { from: FROM, to: [to] }, raw })),
    );

  return {
    warmUp: () => sendAll(Array.from({ length: WARM_UP_MAILS }, (_, nth) => rows[nth % rows.length] ?? []).flat()),
    run: async () => ({ mails: (await sendAll(rows)).length }),
    close: async () => transport.close(),
  };
});

async function readMails(databaseUrl: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<Row>("SELECT recipient, mime FROM notification WHERE mime IS NOT NULL");
  await client.end();
  return rows;
}
