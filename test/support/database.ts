/** A migrated database of its own for a test, and the ways to look into it. */
import { hash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { type Database, openDatabase } from "../../src/adapters/postgres/open.ts";
import { createQueue, type Queue } from "../../src/adapters/postgres/queue.ts";
import { createTestDatabase, type Template } from "./postgres.ts";

export type OpenedDatabase = Database & {
  readonly url: string;
  readonly queue: Queue;
  /** Every row of our tables and of the queue's jobs, as `table place version`: written anew, a row has another text. */
  rowVersions(): Promise<readonly string[]>;
};

/** What `migrate` makes of an empty database: another where the migrations are others, as on a server that is kept. */
export const MIGRATED: Template = { name: `migrated_${hashOfMigrations()}`, prepare };

function hashOfMigrations(): string {
  const cwd = fileURLToPath(new URL("../../prisma/migrations/", import.meta.url));
  const scripts = globSync("*/migration.sql", { cwd }).toSorted();
  return hash("sha256", scripts.map((path) => readFileSync(`${cwd}${path}`, "utf8")).join("\n"), "hex").slice(0, 8);
}

/** A clone of a migrated database, with the queue's tables. Closing it drops it. */
export async function openTestDatabase(): Promise<OpenedDatabase> {
  const { url, drop } = await createTestDatabase(MIGRATED);
  const database = await openDatabase(url, "command");
  const queue = createQueue(database, (error) => {
    throw error;
  });
  await queue.start();
  await keepJobs(database);
  return {
    ...database,
    url,
    queue,
    async rowVersions() {
      const tables = ["watch", "sync", "invite", "event", "notification", "pgboss.job"];
      const versions = (table: string) =>
        `SELECT concat_ws(' ', '${table}', tableoid, ctid, xmin) AS version FROM ${table}`;
      const rows = await database.prisma.$queryRawUnsafe<{ version: string }[]>(
        tables.map(versions).join(" UNION ALL "),
      );
      return rows.map(({ version }) => version);
    },
    async close() {
      await queue.stop(1_000);
      await database.close();
      await drop();
    },
  };
}

/** The queue goes by the real clock: jobs of the time in which tests play are older than it keeps any. */
async function keepJobs({ prisma }: Database): Promise<void> {
  await prisma.$executeRaw`UPDATE pgboss.queue SET retention_seconds = ${10 * 365 * 86_400}::int`;
}

async function prepare(url: string): Promise<void> {
  const database = await openDatabase(url, "command");
  await migrate(database);
  const queue = createQueue(database, (error) => {
    throw error;
  });
  await queue.start();
  await queue.stop(1_000);
  await database.close();
}
