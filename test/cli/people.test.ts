import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { openDatabase } from "../../src/adapters/postgres/open.ts";
import { createQueue } from "../../src/adapters/postgres/queue.ts";
import { writeInvites } from "../../src/adapters/postgres/write.ts";
import { GENESIS_HASH } from "../../src/domain/chain.ts";
import { owe } from "../adapters/postgres/people-seed.ts";
import { invite } from "../adapters/postgres/read-seed.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { runCommand } from "./command.ts";

for (const name of ["ack", "silence", "silences", "unsilence", "explain", "notifications"]) {
  test(`the help of ${name} has examples, and needs neither configuration nor database`, async () => {
    const { code, stdout } = await runCommand([name, "--help"], { env: { DATABASE_URL: "nonsense" } });

    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`Examples:\n  \\$ invitewatch ${name}`));
  });
}

const ACTS = [
  ["ack", "i1"],
  ["silence", "--org", "acme", "--until", "2h", "--reason", "x"],
  ["silences"],
  ["unsilence", "a"],
  ["explain", "i1"],
  ["notifications", "retry", "--all-dead"],
  ["notifications", "discard", "abcdef", "--reason", "x"],
];

test("a database that was never migrated is told, with what to do", async () => {
  const { url, drop } = await createTestDatabase();

  for (const args of ACTS) {
    const { code, stdout, stderr } = await runCommand(args, { url });

    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(stderr, "The database is not set up for this version; run `invitewatch migrate`.\n");
  }
  await drop();
});

test("people act beside a daemon that works on the embedded database", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "people-"));
  const url = `pglite:${folder}`;
  const database = await openDatabase(url, "daemon");
  await migrate(database);
  const queue = createQueue(database, () => {});
  t.after(async () => {
    await queue.stop(1_000);
    await database.close();
    await rm(folder, { recursive: true });
  });
  const { promise: delivered, resolve } = Promise.withResolvers<string>();
  await queue.start();
  const workers = {
    sync: async () => ({ outcome: "complete", reason: null }),
    deliver: async (id: string) => resolve(id),
    digest: async () => {},
  };
  await queue.work(workers);
  await database.prisma.watch.create({ data: { name: "ops", headHash: GENESIS_HASH } });
  await writeInvites(database.prisma, [invite({ id: "abcdef01" })]);
  const run = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runCommand(args, { url });
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    return stdout;
  };

  const created = await run("silence", "--invite", "abcdef", "--until", "3d", "--reason", "waiting", "--by", "jo");
  const mail = await owe({ database }, { heldBy: "silence" });
  await run("ack", "abcdef");
  await run("unsilence", created.split(" ")[1] ?? "");

  assert.equal(await delivered, mail);
  assert.match(await run("notifications", "retry", mail), /is due now/);
  assert.match(await run("notifications", "discard", mail, "--reason", "told by phone"), /is discarded/);
  assert.match(await run("explain", "abcdef"), /\n {2}acknowledged {2}since 2026-11-22 20:10\n/);
  assert.equal(await run("silences"), "No silences.\n");
});
