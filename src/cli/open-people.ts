/** Opens the database for a command by which people act on alerts or ask about one. */
import { requireMigrated } from "../adapters/postgres/migrate.ts";
import { type Database, openDatabase } from "../adapters/postgres/open.ts";
import { createPeopleStore } from "../adapters/postgres/people-store.ts";
import { createQueue } from "../adapters/postgres/queue.ts";
import { readStory } from "../adapters/postgres/read-explain.ts";
import { readMailStory, readMime } from "../adapters/postgres/read-mails.ts";
import { listSilences, type SilenceFilter } from "../adapters/postgres/read-silences.ts";
import type { MailStory, Story } from "../app/explain.ts";
import type { PeopleStore } from "../app/people.ts";
import type { Listing, Paging } from "../app/queries.ts";
import type { Invite } from "../domain/invite.ts";
import type { Silence } from "../domain/silence.ts";

/** `deliver`: writes, and puts deliveries into the queue. */
export type Purpose = "read" | "write" | "deliver";

export type People = PeopleStore & {
  silences(filter: SilenceFilter, paging: Paging): Listing<Silence>;
  story(invite: Invite): Promise<Story>;
  mailStory(id: string): Promise<MailStory>;
  /** The bytes that are kept of the mail; null before they are made. */
  mime(id: string): Promise<Uint8Array | null>;
};

const STOP_GRACE_MS = 1_000;

/** @throws DatabaseError also where the database is not set up for this version */
export async function openPeople(
  url: string,
  purpose: Purpose,
): Promise<{ readonly people: People; close(): Promise<void> }> {
  const database = await openDatabase(url, purpose === "read" ? "reader" : "command");
  try {
    if (purpose !== "read") database.requireWritable();
    await requireMigrated(database);
    const queue = purpose === "deliver" ? await startQueue(database) : null;
    return {
      people: {
        ...createPeopleStore(database, queue?.enqueueDeliveries ?? refuse),
        silences: (filter, paging) => listSilences(database, filter, paging),
        story: (invite) => readStory(database, invite),
        mailStory: (id) => readMailStory(database, id),
        mime: (id) => readMime(database, id),
      },
      async close() {
        await queue?.stop(STOP_GRACE_MS);
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function startQueue(database: Database) {
  const queue = createQueue(database, () => {});
  await queue.start();
  return queue;
}

async function refuse(): Promise<never> {
  throw new Error("the database was opened without its queue");
}
