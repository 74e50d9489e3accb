import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { demoCredentials, type StandIn, startCloudflareStandIn } from "../../../src/demo/cloudflare.ts";
import { sampleInvite } from "../../../src/demo/sample-invite.ts";
import { type MailServer, startMailServer } from "../../support/mail-server.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { runProgram } from "../../support/program.ts";

const suffix = randomBytes(4).toString("hex");
const [OWNER, PLAIN] = [`iw_owner_${suffix}`, `iw_plain_${suffix}`];
const FAR = { status: "pending", expires_on: "2099-01-01T00:00:00Z", invited_on: "2098-01-01T00:00:00Z" } as const;

let database: TestDatabase;
let admin: pg.Client;
let plain: pg.Client;
let api: StandIn;
let mail: MailServer;

before(async () => {
  database = await createTestDatabase();
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  for (const role of [OWNER, PLAIN]) await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
  const { rows } = await admin.query("SELECT current_database() AS name");
  await admin.query(`GRANT CREATE ON DATABASE ${pg.escapeIdentifier(rows[0].name)} TO ${OWNER}`);
  await admin.query(`GRANT CREATE ON SCHEMA public TO ${OWNER}`);
  api = await startCloudflareStandIn({ accepted: demoCredentials, rateLimit: null });
  mail = await startMailServer();
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
});

after(async () => {
  await plain?.end();
  for (const role of [PLAIN, OWNER]) await admin.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
  await admin.end();
  await database.drop();
  await api.close();
  await mail.close();
});

function as(role: string): string {
  return Object.assign(new URL(database.url), { username: role, password: "x" }).href;
}

/** As the daemon runs: it knows the plain user alone. */
function settings(changes: Record<string, string> = {}): Record<string, string> {
  return {
    CLOUDFLARE_API_TOKEN: demoCredentials.token,
    CLOUDFLARE_BASE_URL: api.url,
    DATABASE_URL: as(PLAIN),
    SMTP_URL: mail.url,
    MAIL_FROM: "invites@example.com",
    MAIL_TO: "ops@example.com",
    HTTP_PORT: "0",
    ...changes,
  };
}

describe("with a user that owns the tables and one that runs the program", () => {
  test("the owner's user makes them, and the plain one syncs, delivers and decides", async () => {
    const migrated = await runProgram(["migrate"], settings({ DATABASE_DIRECT_URL: as(OWNER) }));
    const synced = await runProgram(["sync"], settings());
    api.invites.replaceAll([sampleInvite(FAR, 1), sampleInvite(FAR, 2)]);
    const again = await runProgram(["sync"], settings());
    const verified = await runProgram(["verify"], settings());
    const silenced = await runProgram(["silence", "--org", "Acme", "--until", "2d", "--reason", "test"], settings());
    const checked = await runProgram(["check"], settings());

    assert.equal(migrated.code, 0, migrated.stderr);
    assert.deepEqual([synced.code, again.code], [0, 0], synced.stderr + again.stderr);
    assert.equal(mail.raw.length, 2);
    assert.equal(verified.code, 0, verified.stdout);
    assert.equal(silenced.code, 0, silenced.stderr);
    assert.match(checked.stdout, new RegExp(`OK +history +the user ${PLAIN} can add to it, and not alter it`));
  });

  test("migrating again changes nothing, and takes back what was granted beyond that", async () => {
    await admin.query(`GRANT ALL ON event TO ${PLAIN}`);

    const { code, stderr } = await runProgram(["migrate"], settings({ DATABASE_DIRECT_URL: as(OWNER) }));
    const { rows } = await admin.query(
      `SELECT string_agg(privilege_type, ' ' ORDER BY privilege_type) AS rights
      FROM information_schema.table_privileges WHERE table_name = 'event' AND grantee = '${PLAIN}'`,
    );

    assert.equal(code, 0, stderr);
    assert.deepEqual(rows, [{ rights: "INSERT SELECT" }]);
  });

  for (const sql of [
    "UPDATE event SET type = 'x'",
    "DELETE FROM event",
    "TRUNCATE event",
    "INSERT INTO event SELECT * FROM event ON CONFLICT (watch, seq) DO UPDATE SET data = '{}'",
    "MERGE INTO event USING watch ON event.watch = watch.name WHEN MATCHED THEN DELETE",
    "ALTER TABLE event DISABLE TRIGGER ALL",
    "ALTER TABLE event DISABLE TRIGGER event_append_only",
    "ALTER TABLE event DROP COLUMN data",
    "ALTER TABLE event RENAME TO gone",
    "ALTER TABLE event OWNER TO current_user",
    "DROP TRIGGER event_append_only ON event",
    "DROP TABLE event CASCADE",
    "DROP SCHEMA public CASCADE",
    "DROP FUNCTION refuse_event_change() CASCADE",
    "CREATE OR REPLACE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
    "CREATE RULE r AS ON UPDATE TO event DO INSTEAD NOTHING",
    "CREATE TRIGGER t BEFORE INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_change()",
    "SET session_replication_role = replica",
    `SET ROLE ${OWNER}`,
    "TRUNCATE sync CASCADE",
    "UPDATE sync SET events = 0",
    "DELETE FROM watch",
    "DELETE FROM sync WHERE events > 0",
    "GRANT ALL ON event TO current_user",
    "UPDATE _prisma_migrations SET finished_at = NULL",
  ]) {
    test(`the plain user is refused: ${sql}`, async () => {
      plain ??= await connectPlain();
      const { rows: history } = await admin.query("SELECT * FROM event ORDER BY watch, seq");

      await plain.query("BEGIN");
      const outcome = await plain.query(sql).then(
        () => "done",
        (error) => String(error.code),
      );
      await plain.query("COMMIT");

      // GRANT without the right to it is a warning and grants nothing.
      if (!sql.startsWith("GRANT")) assert.match(outcome, /^(42501|23503|23001|2BP01)$/);
      const { rows } = await admin.query("SELECT * FROM event ORDER BY watch, seq");
      assert.deepEqual(rows, history);
      const { rows: rights } = await admin.query(`SELECT has_table_privilege('${PLAIN}', 'event', 'UPDATE') AS may`);
      assert.deepEqual(rights, [{ may: false }]);
    });
  }

  test("what is wrong with the owner's connection is told of the setting that names it", async () => {
    const wrong: readonly [url: string, said: RegExp][] = [
      [as(OWNER).replace(/\/[^/]*$/, "/nowhere"), /^The database named in DATABASE_DIRECT_URL does not exist/],
      ["postgres://iw@127.0.0.1:1/x", /cannot be reached.* is DATABASE_DIRECT_URL right\?/],
      [`${as(OWNER)}?sslmode=require&sslrootcert=/nowhere`, /sslrootcert in DATABASE_DIRECT_URL/],
      [`${as(OWNER)}?sslmode=require`, /has no TLS, and sslmode in DATABASE_DIRECT_URL asks for it/],
    ];
    for (const [url, said] of wrong) {
      for (const command of ["migrate", "check"]) {
        const { code, stdout, stderr } = await runProgram([command], settings({ DATABASE_DIRECT_URL: url }));

        assert.equal(code, 1);
        assert.match((command === "check" ? /^FIX {2}database +(.*)$/m.exec(stdout)?.[1] : stderr) ?? stdout, said);
      }
    }
  });

  test("check says of an owner and of a superuser that they could alter the history", async () => {
    const owner = await runProgram(["check"], settings({ DATABASE_URL: as(OWNER) }));
    const superuser = await runProgram(["check"], settings({ DATABASE_URL: database.url }));

    assert.match(owner.stdout, /OK +history +the user iw_owner_\w+ could alter it, since it owns the table;/);
    assert.match(superuser.stdout, /OK +history +the user \w+ could alter it, since it is a superuser;/);
  });
});

async function connectPlain(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: as(PLAIN) });
  await client.connect();
  return client;
}
