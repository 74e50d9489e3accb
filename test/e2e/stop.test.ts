import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { demoCredentials, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import { sampleInvite } from "../../src/demo/sample-invite.ts";
import { MIGRATED } from "../support/database.ts";
import { startFaultyRelay } from "../support/faulty-relay.ts";
import type { FaultStage } from "../support/faulty-relay-dialogue.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { type Program, runProgram, startProgram } from "../support/program.ts";
import { createSockets } from "../support/sockets.ts";
import { startRelay } from "../support/tcp-relay.ts";
import { startReceiver } from "../support/webhook-receiver.ts";

const WITHIN_MS = 10_000;
const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const LOGIN = { user: "mailer", pass: "s3cret-pass" };

/** Environment of a daemon with one pending invitation to mail about, on a database of its own. */
async function settings(
  t: TestContext,
  changes: Record<string, string>,
  invite: Partial<Parameters<typeof sampleInvite>[0]> = {},
): Promise<Record<string, string>> {
  const api = await startCloudflareStandIn({ accepted: demoCredentials, rateLimit: null });
  api.invites.replaceAll([
    sampleInvite(
      { status: "pending", expires_on: "2099-01-01T00:00:00Z", invited_on: "2026-01-01T00:00:00Z", ...invite },
      1,
    ),
  ]);
  const database = await createTestDatabase(MIGRATED);
  t.after(async () => {
    await api.close();
    await database.drop();
  });
  return {
    CLOUDFLARE_API_TOKEN: demoCredentials.token,
    CLOUDFLARE_BASE_URL: api.url,
    DATABASE_URL: database.url,
    MAIL_FROM: "invitewatch <invites@example.com>",
    MAIL_TO: "ops@example.com",
    HTTP_PORT: "0",
    DIGEST_SCHEDULE: "off",
    ...changes,
  };
}

/** Tells the daemon to stop. @returns its exit code, and how long it took */
async function stop(daemon: Program): Promise<{ readonly code: number | NodeJS.Signals; readonly tookMs: number }> {
  const startedMs = performance.now();
  daemon.child.kill("SIGTERM");
  const code = await daemon.ended;
  return { code, tookMs: performance.now() - startedMs };
}

type Row = { readonly state: string; readonly attempts: number; readonly messageId: string; readonly error: string };

async function mailIn(env: Record<string, string>): Promise<Row> {
  const { stdout, stderr } = await runProgram(["notifications", "--json"], env);
  const [mail] = JSON.parse(stdout || stderr).notifications;
  return mail as Row;
}

for (const [stage, said, error] of [
  ["login", /^AUTH/, /was not waited for, as invitewatch was told to stop/],
  ["data", /^DATA/, /was not waited for, as invitewatch was told to stop/],
  ["answer", /^DATA/, /may have taken it, so that the next attempt may be a repeat: invitewatch was told to stop/],
] as const satisfies readonly (readonly [FaultStage, RegExp, RegExp])[]) {
  test(`SIGTERM while the mail server hangs at its ${stage}: gone in time, and the next daemon sends the mail`, async (t) => {
    const relay = await startFaultyRelay({ login: LOGIN });
    t.after(relay.close);
    relay.script({ at: stage, does: "hang", times: 1 });
    const env = await settings(t, { SMTP_URL: relay.url });
    const hangs = relay.whenSaid(said);
    const daemon = startProgram(["run"], env);
    await hangs;

    const { code, tookMs } = await stop(daemon);
    const mail = await mailIn(env);
    const next = startProgram(["run"], env);
    const delivered = await next.logged("notification.delivered");
    await stop(next);

    assert.equal(code, 0, daemon.stderr());
    assert.ok(tookMs < WITHIN_MS, `it took ${tookMs} ms`);
    assert.deepEqual([mail.state, mail.attempts], ["pending", 1]);
    assert.match(mail.error, error);
    assert.doesNotMatch(daemon.stderr(), /mail_server\.down|"level":"error"/);
    assert.equal(delivered.messageId, mail.messageId);
    assert.deepEqual(
      relay.accepted.map(({ messageId }) => messageId),
      [mail.messageId],
    );
  });
}

test("SIGTERM while a mail server says nothing, in plain or within TLS: gone in time", async (t) => {
  for (const scheme of ["smtp", "smtps"]) {
    const sockets = createSockets();
    const server = createServer((socket) => sockets.keep(socket).resume());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => {
      sockets.destroy();
      server.close();
    });
    const connected = once(server, "connection");
    const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const daemon = startProgram(["run"], await settings(t, { SMTP_URL: url }));
    await connected;

    const { code, tookMs } = await stop(daemon);

    assert.equal(code, 0, daemon.stderr());
    assert.ok(tookMs < WITHIN_MS, `${scheme}: it took ${tookMs} ms`);
  }
});

test("SIGTERM while the database says nothing: gone in time, with a word about what is left", async (t) => {
  const mail = await startFaultyRelay();
  t.after(mail.close);
  const env = await settings(t, { SMTP_URL: mail.url });
  const line = await startRelay(new URL(env.DATABASE_URL ?? ""));
  t.after(line.close);
  const daemon = startProgram(["run"], { ...env, DATABASE_URL: line.url });
  await daemon.logged("notification.delivered");
  line.vanish();

  const { code, tookMs } = await stop(daemon);

  assert.equal(code, 1);
  assert.match(
    daemon.stderr(),
    /^Not all work came to its end in time after the signal to stop; the next start goes on/m,
  );
  assert.ok(tookMs < WITHIN_MS, `it took ${tookMs} ms`);
});

test("SIGTERM while the webhook says nothing: gone in time, and the mail stays owed", async (t) => {
  const receiver = await startReceiver();
  t.after(receiver.close);
  const posted = new Promise<void>((resolve) => receiver.answer(() => resolve()));
  const soon = new Date(Date.now() + 40 * 60_000).toISOString();
  const env = await settings(
    t,
    { SMTP_URL: "smtp://127.0.0.1:1", FALLBACK_WEBHOOK_URL: receiver.url, FALLBACK_WEBHOOK_SECRET: SECRET },
    { expires_on: soon },
  );
  const daemon = startProgram(["run"], env);
  await posted;

  const { code, tookMs } = await stop(daemon);
  const mail = await mailIn(env);

  assert.equal(code, 0, daemon.stderr());
  assert.ok(tookMs < WITHIN_MS, `it took ${tookMs} ms`);
  assert.equal(mail.state, "pending");
  assert.equal(mail.attempts, 2);
  assert.match(daemon.stderr(), /"way":"fallback-webhook".*was not waited for: the attempt was stopped/);
});
