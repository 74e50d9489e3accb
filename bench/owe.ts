/** Makes mails that are owed, as syncs make them: of one new invite each, to so many people that nobody's hour is full. */
import { openDatabase } from "../src/adapters/postgres/open.ts";
import { createQueue } from "../src/adapters/postgres/queue.ts";
import { createSyncStore } from "../src/adapters/postgres/sync-store.ts";
import type { Owing } from "./job.ts";
import { measure } from "./measure.ts";
import { invitations, recipients, record } from "./news.ts";

/** Half of what a recipient may get in an hour. */
const MAILS_EACH = 10;

await measure(async ({ databaseUrl, mails }: Owing) => {
  const database = await openDatabase(databaseUrl, "command");
  const queue = createQueue(database, (error) => {
    throw error;
  });
  await queue.start();
  const store = createSyncStore(database.prisma, queue.enqueueDeliveries);
  const people = recipients(Math.ceil(mails / MAILS_EACH));
  const invites = invitations(MAILS_EACH);

  return {
    // The baseline: its inventory mails are owed to nobody.
    warmUp: () => record([], [], store),
    async run() {
      for (let found = 1; found <= MAILS_EACH; found += 1) await record(invites.slice(0, found), people, store);
      return { mails: people.length * MAILS_EACH };
    },
    async close() {
      await queue.stop(1_000);
      await database.close();
    },
  };
});
