import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { demoCredentials, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import { sampleInvite } from "../../src/demo/sample-invite.ts";
import { MIGRATED } from "../support/database.ts";
import { startFaultyRelay } from "../support/faulty-relay.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startProgram } from "../support/program.ts";

const FAR = { status: "pending", expires_on: "2099-01-01T00:00:00Z", invited_on: "2026-01-01T00:00:00Z" } as const;

test("a daemon that starts with another password tries the mail server at once, and all mail leaves", async (t) => {
  const relay = await startFaultyRelay({ login: { user: "mailer", pass: "right-password" } });
  const api = await startCloudflareStandIn({ accepted: demoCredentials, rateLimit: null });
  const database = await createTestDatabase(MIGRATED);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  t.after(async () => {
    await client.end();
    await relay.close();
    await api.close();
    await database.drop();
  });
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  const env = {
    CLOUDFLARE_API_TOKEN: demoCredentials.token,
    CLOUDFLARE_BASE_URL: api.url,
    DATABASE_URL: database.url,
    MAIL_FROM: "invites@example.com",
    MAIL_TO: "ops@example.com, lead@example.com",
    HTTP_PORT: "0",
    DIGEST_SCHEDULE: "off",
  };
  const wrong = startProgram(["run"], { ...env, SMTP_URL: relay.url.replace("right", "wrong") });
  await wrong.logged("notification.retry_scheduled");
  await wrong.logged("notification.retry_scheduled");
  wrong.child.kill("SIGTERM");
  await wrong.ended;
  // As after many failures.
  await client.query("UPDATE relay SET failures = 6, next_probe_at = now() + interval '1 hour'");
  await client.query("UPDATE notification SET next_attempt_at = now() + interval '1 hour'");

  const right = startProgram(["run"], { ...env, SMTP_URL: relay.url });
  await right.logged("daemon.started");
  const both = relay.whenAccepted(2).then(() => true);
  const left = await Promise.race([both, new Promise((resolve) => setTimeout(resolve, 20_000, false))]);
  right.child.kill("SIGTERM");
  await right.ended;

  assert.ok(left, right.stderr());
  assert.match(right.stderr(), /"event":"mail_server\.tried"/);
});
