import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Database, openDatabase } from "../../../src/adapters/postgres/open.ts";
import { type Presence, showPresence } from "../../../src/adapters/postgres/queue-presence.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const HEARING = { onNotice: () => {}, onError: () => {} };

/** What was opened last is closed first. */
function closing(t: TestContext): (close: () => Promise<unknown>) => void {
  const closers: (() => Promise<unknown>)[] = [];
  t.after(async () => {
    for (const close of closers.reverse()) await close();
  });
  return (close) => void closers.push(close);
}

type Later = ReturnType<typeof closing>;

async function onPostgres(later: Later): Promise<Database> {
  const { url, drop } = await createTestDatabase();
  later(drop);
  return opened(later, url);
}

async function onFolder(later: Later): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), "invitewatch-presence-"));
  later(() => rm(folder, { recursive: true, force: true }));
  return opened(later, `pglite:${folder}`);
}

async function opened(later: Later, url: string): Promise<Database> {
  const database = await openDatabase(url, "command");
  later(database.close);
  return database;
}

async function show(database: Database, id: string): Promise<Presence> {
  const presence = await showPresence(database, id, HEARING);
  assert.ok(presence !== null);
  return presence;
}

for (const [name, open] of Object.entries({ Postgres: onPostgres, "the embedded database": onFolder })) {
  test(`a process is known to be gone when it is, and not before, on ${name}`, async (t) => {
    const later = closing(t);
    const database = await open(later);
    const [first, second] = [randomUUID(), randomUUID()];
    const left = await show(database, first);
    const stays = await show(database, second);
    later(stays.close);
    const before = await stays.gone([first, second]);

    await left.close();
    const after = await stays.gone([first, second]);

    assert.deepEqual(before, []);
    assert.deepEqual(after, [first]);
  });
}

test("a process whose session was cut is not taken for dead", async (t) => {
  const later = closing(t);
  const database = await onPostgres(later);
  const [cut, other] = [randomUUID(), randomUUID()];
  const process = await show(database, cut);
  later(process.close);
  const observer = await show(database, other);
  later(observer.close);

  await database.sql.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE $1", [
    `%${cut}`,
  ]);

  assert.deepEqual(await observer.gone([cut]), []);
});
