import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import pg from "pg";
import { sampleInvite } from "../../src/demo/sample-invite.ts";
import { noPgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { FAR, startSurroundings } from "../support/surroundings.ts";

const { api, settings, close } = await startSurroundings();
after(close);

const READING = [
  ["status"],
  ["invites"],
  ["history"],
  ["history", "--format", "ndjson"],
  ["syncs"],
  ["gaps"],
  ["notifications"],
  ["silences"],
  ["verify"],
  ["check"],
];

const POOLERS = [
  { how: "that refuses startup options", ignored: [], query: "" },
  { how: "that drops startup options", ignored: ["ignore_startup_parameters = options"], query: "" },
  { how: "and a schema of one's own", ignored: [], query: "?schema=Invite%20watch" },
];

for (const { how, ignored, query } of POOLERS) {
  describe(`a pooler in transaction mode ${how}`, { skip: noPgBouncer }, () => {
    test("serves syncs, deliveries, a daemon that is killed, and whatever comes after it", async (t) => {
      const database = await createTestDatabase();
      const pooler = await startPgBouncer(database.url, ignored);
      t.after(async () => {
        await pooler.stop();
        await database.drop();
      });
      const env = settings(`${pooler.url}${query}`, { SYNC_SCHEDULE: "* * * * * *" });
      api.invites.replaceAll([sampleInvite(FAR, 1)]);

      const synced = await runProgram(["sync"], env);
      const killed = startProgram(["run"], env);
      await killed.logged("sync.completed");
      api.invites.put(sampleInvite(FAR, 2));
      await killed.logged("notification.delivered");
      killed.child.kill("SIGKILL");
      await killed.ended;
      const read = [];
      for (const args of READING) {
        const { code, stderr } = await runProgram(args, env);
        // Which ends with 1 where the daemon has been gone for two of its intervals.
        read.push([...args, args[0] === "status" && stderr === "" ? 0 : code]);
      }
      api.invites.put(sampleInvite(FAR, 3));
      const again = startProgram(["run"], env);
      await again.logged("notification.delivered");
      again.child.kill("SIGTERM");
      const ended = await again.ended;

      assert.equal(synced.code, 0, synced.stderr);
      assert.deepEqual(
        read,
        READING.map((args) => [...args, 0]),
      );
      assert.equal(ended, 0, again.stderr());
      assert.deepEqual(await leftBehind(database.url), []);
      assert.doesNotMatch(`${killed.stderr()}${again.stderr()}`, /"level":"(warn|error)"/);
    });
  });
}

/** Locks of sessions, settings and statements that outlived their transaction. */
async function leftBehind(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(`
      SELECT locktype, mode FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND locktype = 'advisory' AND state LIKE 'idle%'`);
    return rows;
  } finally {
    await client.end();
  }
}
