/**
 * What a careful person writes in an afternoon, to be run by cron: reads the pages, selects what is known, compares,
 * writes the difference with one INSERT and mails what is new. It is measured beside invitewatch as a whole process.
 *
 * It proves nothing about the list, keeps no history, retries nothing, and loses the mail if it is killed in between.
 */
import { createTransport } from "nodemailer";
import pg from "pg";

type Listed = {
  readonly id: string;
  readonly status: string;
  readonly organization_name: string;
  readonly expires_on: string;
};

const { CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN, DATABASE_URL, SMTP_URL, MAIL_FROM, MAIL_TO } = process.env;

const client = new pg.Client({ connectionString: DATABASE_URL });
await client.connect();
await client.query("CREATE TABLE IF NOT EXISTS seen (id text PRIMARY KEY, status text, name text, expires_on text)");
const { rows: known } = await client.query<Listed>("SELECT id, status, expires_on FROM seen");
const listed = await readList();

const before = new Map(known.map((invite) => [invite.id, invite]));
const changed = listed.filter(({ id, status, expires_on: expiresOn }) => {
  const old = before.get(id);
  return old?.status !== status || old.expires_on !== expiresOn;
});
if (changed.length > 0) {
  await client.query(
    `INSERT INTO seen SELECT row->>'id', row->>'status', row->>'organization_name', row->>'expires_on'
    FROM jsonb_array_elements($1::jsonb) AS row
    ON CONFLICT (id) DO UPDATE SET status = excluded.status, name = excluded.name, expires_on = excluded.expires_on`,
    [JSON.stringify(changed)],
  );
  await mail(changed);
}
await client.end();
process.stdout.write(`${listed.length} invitations, ${changed.length} new or changed\n`);

async function readList(): Promise<readonly Listed[]> {
  const invites: Listed[] = [];
  for (let page = 1, total = 1; invites.length < total; page += 1) {
    const response = await fetch(`${CLOUDFLARE_BASE_URL}/user/invites?page=${page}&per_page=50`, {
      headers: { authorization: `Bearer ${CLOUDFLARE_API_TOKEN}` },
    });
    const body = (await response.json()) as {
      readonly success: boolean;
      readonly result: readonly Listed[];
      readonly result_info: { readonly total_count: number };
    };
    if (!body.success) throw new Error(`page ${page}: HTTP ${response.status}`);
    invites.push(...body.result);
    total = body.result_info.total_count;
  }
  return invites;
}

async function mail(invites: readonly Listed[]): Promise<void> {
  const transport = createTransport(SMTP_URL);
  const lines = invites.map((one) => `${one.organization_name}: ${one.status}, ends ${one.expires_on}`);
  const subject = `${invites.length} invitations are new or changed`;
  await transport.sendMail({ from: MAIL_FROM, to: MAIL_TO, subject, text: lines.join("\n") });
  transport.close();
}
