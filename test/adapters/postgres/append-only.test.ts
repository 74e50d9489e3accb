import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { sampleInvite } from "../../../src/demo/sample-invite.ts";
import { type Lab, openLab } from "../../support/lab.ts";

let lab: Lab;
let client: pg.Client;
before(async () => {
  lab = await openLab();
  lab.api.invites.replaceAll([sampleInvite(), sampleInvite()]);
  await lab.sync();
  client = new pg.Client(lab.database.connection);
  await client.connect();
});
after(async () => {
  await client.end();
  await lab.close();
});

describe("the audit history refuses", () => {
  for (const [sql, operation] of [
    ["UPDATE event SET type = 'invite.rejected'", "UPDATE"],
    ["UPDATE event SET hash = hash", "UPDATE"],
    ["UPDATE event SET type = 'x' WHERE false", "UPDATE"],
    ["INSERT INTO event SELECT * FROM event ON CONFLICT (watch, seq) DO UPDATE SET data = '{}'", "UPDATE"],
    ["DELETE FROM event", "DELETE"],
    ["DELETE FROM event WHERE seq = 3", "DELETE"],
    ["TRUNCATE event", "TRUNCATE"],
    ["TRUNCATE watch CASCADE", "TRUNCATE"],
    ["TRUNCATE sync CASCADE", "TRUNCATE"],
    ["TRUNCATE attempt, notification, event", "TRUNCATE"],
    ["MERGE INTO event USING watch ON event.watch = watch.name WHEN MATCHED THEN DELETE", "DELETE"],
  ] as const) {
    test(sql, async () => {
      const history = await lab.history();

      const expected = { message: `events are append-only: ${operation} on "event" is refused`, code: "23001" };
      await assert.rejects(client.query(sql), expected);

      assert.deepEqual(await lab.history(), history);
      assert.ok(history.length >= 3);
    });
  }

  test("changes also in a session that turns ordinary triggers off", async () => {
    await client.query("SET session_replication_role = replica");
    for (const sql of ["UPDATE event SET type = 'x'", "DELETE FROM event", "TRUNCATE event"]) {
      await assert.rejects(client.query(sql), /append-only/);
    }
    await client.query("RESET session_replication_role");
  });

  test("to lose what it refers to: its watch and its sync", async () => {
    await assert.rejects(client.query("DELETE FROM watch"), /violates .*constraint/);
    await assert.rejects(client.query("DELETE FROM sync"), /violates .*constraint/);
    await assert.rejects(client.query("UPDATE watch SET name = 'renamed'"), /append-only/);
  });

  test("two events in one place of the chain", async () => {
    const copy =
      "INSERT INTO event SELECT watch, seq, gen_random_uuid(), type, invite_id, occurred_at, recorded_at, sync_id, data, prev_hash, hash FROM event LIMIT 1";

    await assert.rejects(client.query(copy), { constraint: "event_pkey" });
  });
});

test("the other tables let themselves be written", async () => {
  await client.query("UPDATE notification SET error = 'none'");
  await client.query("UPDATE invite SET extra = '{}'");
});
