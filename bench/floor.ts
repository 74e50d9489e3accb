/**
 * The least that reading the list can cost: got asks for the same pages one after the other, and they are parsed.
 *
 * In the cold case the invites are also inserted once, by one plain statement, into a table with the same columns.
 * Nothing is proved, compared or remembered.
 */
import pg from "pg";
import type { ApiInvite } from "../src/demo/sample-invite.ts";
import type { Job } from "./job.ts";
import { createListReader } from "./list.ts";
import { measure } from "./measure.ts";

await measure(async ({ case: kind, apiUrl, warmUpUrl, token, databaseUrl }: Job) => {
  const read = createListReader(token);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const work = async (baseUrl: string, table: string) => {
    const invites = await read(baseUrl);
    if (kind === "cold") await client.query(insertInto(table), [JSON.stringify(invites.map(columnsOf)), new Date()]);
    return { invites: invites.length, events: null };
  };

  for (const table of ["floor_warm_up", "floor_invite"]) {
    await client.query(`CREATE TABLE IF NOT EXISTS ${table} (LIKE invite INCLUDING DEFAULTS, PRIMARY KEY (watch, id))`);
  }
  await client.query("TRUNCATE floor_warm_up");
  return {
    warmUp: () => work(warmUpUrl, "floor_warm_up"),
    run: () => work(apiUrl, "floor_invite"),
    close: () => client.end(),
  };
});

function columnsOf(invite: ApiInvite): readonly unknown[] {
  return [
    invite.id,
    invite.status,
    invite.organization_id,
    invite.organization_name,
    invite.organization_is_enforcing_twofactor,
    invite.invited_member_id,
    invite.invited_member_email,
    invite.invited_by,
    invite.roles,
    invite.invited_on,
    invite.expires_on,
  ];
}

/** Takes all rows as one JSON array: faster than arrays of columns, json_to_recordset or a list of VALUES. */
function insertInto(table: string): string {
  return `
    INSERT INTO ${table}
    SELECT 'default', api->>0, api->>1, api->>1, api->>2, api->>3, (api->>4)::boolean, api->>5, api->>6, api->>7,
      ARRAY(SELECT jsonb_array_elements_text(api->8)), (api->>9)::timestamptz, (api->>10)::timestamptz,
      $2::timestamptz, $2::timestamptz, true, NULL, NULL, api->>0, NULL, '{}'
    FROM jsonb_array_elements($1::jsonb) AS rows (api)`;
}
