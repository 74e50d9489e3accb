/** What a run of the suite has around the program: the API, a mail server, a database that one can look into. */
import { Client, type ClientConfig } from "pg";
import { type StandIn, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import { createTestDatabase, type Template } from "../support/postgres.ts";
import { openPostOffice, type PostOffice } from "./post-office.ts";

/** The API and a mail server, until the stack is disposed of. */
export async function openStandIns(
  stack: AsyncDisposableStack,
): Promise<{ readonly api: StandIn; readonly office: PostOffice }> {
  const api = await startCloudflareStandIn({ rateLimit: null });
  stack.defer(() => api.close());
  const office = await openPostOffice();
  stack.defer(() => office.close());
  return { api, office };
}

/**
 * A database of the run's own, and a connection that the program knows nothing of.
 *
 * @param template what it is made from; undefined for one that is empty
 * @param how the connection is configured
 */
export async function openRunDatabase(
  stack: AsyncDisposableStack,
  template: Template | undefined,
  how: ClientConfig = {},
): Promise<{ readonly url: string; readonly client: Client }> {
  const { url, drop } = await createTestDatabase(template);
  stack.defer(drop);
  const client = new Client({ connectionString: url, application_name: "faults", ...how });
  await client.connect();
  stack.defer(() => client.end());
  return { url, client };
}
