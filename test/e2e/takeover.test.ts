import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { SMTPServer } from "smtp-server";
import { demoCredentials, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import { sampleInvite } from "../../src/demo/sample-invite.ts";
import { MIGRATED } from "../support/database.ts";
import { startMailServer } from "../support/mail-server.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { runProgram, startProgram } from "../support/program.ts";

/** Less than the 20 s after which a missing heartbeat is noticed: a busy machine needs most of it to start a process. */
const AT_ONCE_MS = 18_000;

/** An API that takes the request and never answers. */
async function startSilentApi(t: TestContext) {
  const server = createServer(() => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const asked = once(server, "request");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function startApi(t: TestContext) {
  const api = await startCloudflareStandIn({ accepted: demoCredentials, rateLimit: null });
  t.after(api.close);
  return api;
}

async function startMail(t: TestContext) {
  const mail = await startMailServer();
  t.after(mail.close);
  return mail;
}

/** A mail server that takes the first mail and never says what became of it. */
async function startSilentMailServer(t: TestContext) {
  const events = new EventEmitter();
  const server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    onData: (stream) => stream.resume().once("end", () => events.emit("held")),
  });
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  t.after(() => server.close());
  return { url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, held: once(events, "held") };
}

function settings(databaseUrl: string, apiUrl: string, smtpUrl: string): Record<string, string> {
  return {
    CLOUDFLARE_API_TOKEN: demoCredentials.token,
    CLOUDFLARE_BASE_URL: apiUrl,
    DATABASE_URL: databaseUrl,
    SMTP_URL: smtpUrl,
    MAIL_FROM: "invites@example.com",
    MAIL_TO: "ops@example.com",
    HTTP_PORT: "0",
  };
}

const databases = {
  async Postgres(t: TestContext) {
    const database = await createTestDatabase(MIGRATED);
    t.after(database.drop);
    return database.url;
  },
  async "the embedded database"(t: TestContext) {
    const folder = await mkdtemp(join(tmpdir(), "invitewatch-takeover-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    return `pglite:${join(folder, "data")}`;
  },
};

for (const [name, open] of Object.entries(databases)) {
  test(`the sync of a killed daemon is taken over at once by the next one, on ${name}`, async (t) => {
    const url = await open(t);
    const [silent, api, mail] = await Promise.all([startSilentApi(t), startApi(t), startMail(t)]);
    const daemon = startProgram(["run"], settings(url, silent.url, mail.url));
    await silent.asked;
    daemon.child.kill("SIGKILL");
    await daemon.ended;
    const killedAt = performance.now();

    const next = await runProgram(["sync"], settings(url, api.url, mail.url));

    const tookMs = performance.now() - killedAt;
    assert.equal(next.stdout, "default: complete\n", next.stderr);
    assert.ok(tookMs < AT_ONCE_MS, `it took ${Math.round(tookMs)} ms`);
  });
}

test("a mail that a killed daemon was sending is sent at once by the next sync", async (t) => {
  const url = await databases.Postgres(t);
  const [api, silent, mail] = await Promise.all([startApi(t), startSilentMailServer(t), startMail(t)]);
  api.invites.put(sampleInvite({ invited_on: "2098-01-01T00:00:00Z", expires_on: "2099-01-01T00:00:00Z" }, 1));
  const daemon = startProgram(["run"], settings(url, api.url, silent.url));
  await silent.held;
  daemon.child.kill("SIGKILL");
  await daemon.ended;
  const killedAt = performance.now();

  const next = await runProgram(["sync"], settings(url, api.url, mail.url));

  const tookMs = performance.now() - killedAt;
  assert.equal(next.stdout, "default: complete\n", next.stderr);
  assert.equal(mail.raw.length, 1);
  assert.ok(tookMs < AT_ONCE_MS, `it took ${Math.round(tookMs)} ms`);
});
