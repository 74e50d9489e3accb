import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { demoCredentials, type StandIn, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import { refusals } from "../../src/demo/cloudflare-answers.ts";
import { sampleInvite } from "../../src/demo/sample-invite.ts";
import { MIGRATED } from "../support/database.ts";
import { type MailServer, startMailServer } from "../support/mail-server.ts";
import { createTestDatabase, startPostgres } from "../support/postgres.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { startRelay } from "../support/tcp-relay.ts";

let api: StandIn;
let mail: MailServer;
let folder: string;

before(async () => {
  api = await startCloudflareStandIn({ accepted: demoCredentials, rateLimit: null });
  mail = await startMailServer();
  folder = await mkdtemp(join(tmpdir(), "invitewatch-e2e-"));
});

after(async () => {
  await api.close();
  await mail.close();
  await rm(folder, { recursive: true, force: true });
});

const FAR = { status: "pending", expires_on: "2099-01-01T00:00:00Z", invited_on: "2098-01-01T00:00:00Z" } as const;

function settings(changes: Record<string, string> = {}): Record<string, string> {
  return {
    CLOUDFLARE_API_TOKEN: demoCredentials.token,
    CLOUDFLARE_BASE_URL: api.url,
    DATABASE_URL: `pglite:${join(folder, "data")}`,
    SMTP_URL: mail.url,
    MAIL_FROM: "invitewatch <invites@example.com>",
    MAIL_TO: "ops@example.com",
    SYNC_SCHEDULE: "* * * * * *",
    SYNC_JITTER: "0s",
    HTTP_PORT: "0",
    ...changes,
  };
}

test("the daemon finds, records and mails; commands read beside it; SIGTERM ends it with 0", async () => {
  api.invites.replaceAll([sampleInvite({ ...FAR, organization_name: "Acme" }, 1)]);
  const daemon = startProgram(["run"], settings());

  const baseline = await daemon.logged("sync.completed");
  const delivered = await daemon.logged("notification.delivered");
  api.invites.put(sampleInvite({ ...FAR, organization_name: "Globex" }, 2));
  const second = await daemon.logged("notification.delivered");
  const history = await runProgram(["history", "--format", "ndjson"], settings());
  const verified = await runProgram(["verify"], settings());
  const rival = await runProgram(["run"], settings());
  const stoppedAt = Date.now();
  daemon.child.kill("SIGTERM");
  const code = await daemon.ended;

  assert.equal(code, 0, daemon.stderr());
  assert.ok(Date.now() - stoppedAt < 10_000);
  assert.deepEqual(Object.keys(baseline.events as object), ["watch.baseline", "invite.received"]);
  assert.equal(delivered.kind, "inventory");
  assert.equal(second.kind, "invite.received");
  assert.equal(history.code, 0, history.stderr);
  const types = history.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).type);
  assert.deepEqual(types, ["watch.baseline", "invite.received", "invite.received"]);
  assert.equal(verified.code, 0, verified.stderr);
  assert.equal(rival.code, 1);
  assert.match(rival.stderr, /Another invitewatch daemon is already running/);
  const mails = await mail.parsed();
  assert.deepEqual(
    mails.map(({ messageId }) => messageId),
    [`<${delivered.messageId}>`, `<${second.messageId}>`],
  );
});

test("kill -9 loses nothing: the next start goes on where the embedded database stood", async () => {
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  const env = settings({ DATABASE_URL: `pglite:${join(folder, "killed")}` });
  const killed = startProgram(["run"], env);
  await killed.logged("notification.delivered");
  killed.child.kill("SIGKILL");
  await killed.ended;

  api.invites.put(sampleInvite(FAR, 2));
  const restarted = startProgram(["run"], env);
  const sync = await restarted.logged("sync.completed", (line) => line.listed === 2);
  restarted.child.kill("SIGTERM");
  await restarted.ended;
  const history = await runProgram(["history", "--format", "ndjson"], env);

  assert.deepEqual(sync.events, { "invite.received": 1 });
  assert.equal(history.stdout.trim().split("\n").length, 3, history.stderr);
});

test("two daemons on one Postgres run each due sync once", async () => {
  api.invites.replaceAll([]);
  const database = await createTestDatabase();
  const env = settings({ DATABASE_URL: database.url, SYNC_SCHEDULE: "*/2 * * * * *" });
  const replicas = [startProgram(["run"], env), startProgram(["run"], env)];

  await Promise.all(replicas.map((replica) => replica.logged("daemon.started")));
  await Promise.race(replicas.map((replica) => replica.logged("sync.completed")));
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  for (const replica of replicas) replica.child.kill("SIGTERM");
  const codes = await Promise.all(replicas.map((replica) => replica.ended));
  const syncs = await runProgram(["syncs", "--json"], env);
  await database.drop();

  assert.deepEqual(codes, [0, 0]);
  assert.equal(syncs.code, 0, syncs.stderr);
  const starts = JSON.parse(syncs.stdout).syncs.map((sync: { startedAt: string }) => Date.parse(sync.startedAt));
  const slots = starts.map((start: number) => Math.floor(start / 2_000));
  // The sync at the start is beside the schedule and may share a slot's two seconds.
  assert.ok(slots.length >= 3, `only ${slots.length} syncs`);
  assert.ok(slots.length - new Set(slots).size <= 1, `a slot ran twice: ${starts}`);
});

test("`sync` exits 1 and says why where the API refuses, and the mail server is away", async () => {
  const database = await createTestDatabase(MIGRATED);
  const env = settings({ DATABASE_URL: database.url, SMTP_URL: "smtp://127.0.0.1:1" });
  api.invites.replaceAll([sampleInvite(FAR, 1)]);

  const unmailed = await runProgram(["sync"], env);
  api.invites.put(sampleInvite(FAR, 2));
  const waiting = await runProgram(["sync"], env);
  api.fail({ kind: "answer", answer: refusals.tokenUnknown });
  const refused = await runProgram(["sync"], env);
  api.clearFailures();
  const delivered = await runProgram(["sync"], { ...env, SMTP_URL: mail.url });
  await database.drop();

  assert.equal(unmailed.code, 1);
  assert.match(unmailed.stdout, /default: complete\nmail to ops@example\.com: still owed: .*cannot be reached/);
  assert.equal(unmailed.stderr.match(/"level":"error",[^\n]*"event":"mail_server\.down"/g)?.length, 1);
  assert.equal(waiting.code, 1);
  // Neither is tried before the mail server's next turn.
  const why = "the mail server 127\\.0\\.0\\.1:1 cannot be reached .*";
  const waits = `waits for the mail server, down since [-0-9]+ [0-9:]+ \\(UTC\\): ${why}`;
  assert.match(waiting.stdout, new RegExp(`^default: complete\n2 mails to ops@example\\.com: still owed: ${waits}\n$`));
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /default: failed: .*403.*9109/);
  assert.equal(delivered.stdout.split("\n")[0], "default: complete");
});

test("no credential is ever written: not by a log, an error or --help, in any encoding", async () => {
  const secrets = { token: "cfut_Secret+Token/with=signs", pass: "p@ss:w/rd+%" };
  const forms = Object.values(secrets).flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString("base64"),
    Buffer.from(secret).toString("base64url"),
  ]);
  const database = await createTestDatabase(MIGRATED);
  const guarded = await startMailServer({ login: { user: "mailer", pass: "another" } });
  const env = settings({
    CLOUDFLARE_API_TOKEN: secrets.token,
    SMTP_URL: `smtp://mailer:${encodeURIComponent(secrets.pass)}@127.0.0.1:${guarded.port}`,
    DATABASE_URL: database.url,
    LOG_LEVEL: "debug",
  });
  const echo = forms.join(" ");
  api.fail({
    kind: "answer",
    answer: { status: 403, body: { success: false, errors: [{ code: 9109, message: echo }] } },
  });

  const outputs = [];
  for (const args of [
    ["sync"],
    ["sync", "--dry-run"],
    ["check"],
    ["run", "--help"],
    ["history", "--since", secrets.token],
  ]) {
    outputs.push(await runProgram(args, env));
  }
  api.clearFailures();
  await guarded.close();
  await database.drop();

  for (const { stdout, stderr } of outputs) {
    for (const form of forms) assert.ok(!`${stdout}${stderr}`.includes(form), `${form} in:\n${stdout}${stderr}`);
  }
});

test("everything that is wrong with the configuration is said at once, with exit code 2", async () => {
  const env = {
    CLOUDFLARE_API_TOKEN: "x",
    CLOUDFLARE_EMAIL: "a@b.example",
    SYNC_SCHEDULE: "99 * * * *",
    TIMEZONE: "Mars/Base",
    MAIL_TO: "nobody",
  };

  const { code, stderr } = await runProgram(["run"], env);

  assert.equal(code, 2);
  for (const key of ["SYNC_SCHEDULE", "TIMEZONE", "MAIL_TO", "CLOUDFLARE_EMAIL"]) assert.match(stderr, new RegExp(key));
});

test("the daemon waits for a database that is away, and goes on when it is there", async () => {
  const daemon = startProgram(["run"], settings({ DATABASE_URL: "postgres://u:secretpass@127.0.0.1:1/x" }));

  const line = await daemon.logged("database.unavailable");
  daemon.child.kill("SIGTERM");
  const code = await daemon.ended;

  assert.equal(code, 0);
  assert.match(JSON.stringify(line), /cannot be reached \(ECONNREFUSED\)/);
  assert.doesNotMatch(daemon.stderr(), /secretpass/);
});

test("SIGTERM while the API hangs gives the sync back: exit 0 in time, and no failed sync is made up", async () => {
  const database = await createTestDatabase(MIGRATED);
  const env = settings({ DATABASE_URL: database.url });
  api.fail({ kind: "stall" });
  const daemon = startProgram(["run"], env);

  await api.requests.next();
  const stoppedAt = Date.now();
  daemon.child.kill("SIGTERM");
  const code = await daemon.ended;
  api.clearFailures();
  const syncs = await runProgram(["syncs", "--format", "ndjson"], env);
  await database.drop();

  assert.equal(code, 0, daemon.stderr());
  assert.ok(Date.now() - stoppedAt < 10_000);
  assert.equal(syncs.stdout, "");
});

test("a Postgres that goes away and comes back is waited for: the daemon stays up and goes on", async () => {
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  const server = await startPostgres();
  const relay = await startRelay(new URL(server.url));
  const daemon = startProgram(["run"], settings({ DATABASE_URL: relay.url }));
  await daemon.logged("sync.completed");

  relay.cut();
  await daemon.logged("queue.failed");
  api.invites.put(sampleInvite(FAR, 2));
  await relay.mend();
  const sync = await daemon.logged("sync.completed", (line) => line.listed === 2);
  daemon.child.kill("SIGTERM");
  const code = await daemon.ended;
  await relay.close();
  await server.stop();

  assert.equal(code, 0, daemon.stderr());
  assert.deepEqual(sync.events, { "invite.received": 1 });
});
