import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { SMTPServer } from "smtp-server";
import { demoCredentials, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import { sampleInvite } from "../../src/demo/sample-invite.ts";
import { MIGRATED } from "../support/database.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startProgram } from "../support/program.ts";

const FAR = { status: "pending", expires_on: "2099-01-01T00:00:00Z", invited_on: "2026-01-01T00:00:00Z" } as const;

/** A server that takes every mail, and answers so many of the first only when it is told to. */
async function serve(t: TestContext, slow: number) {
  const held = Promise.withResolvers<void>();
  const messageIds: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    closeTimeout: 50,
    onData(stream, _session, done) {
      void text(stream).then(async (mail) => {
        messageIds.push(/^Message-ID:\s*<(.*?)>/im.exec(mail)?.[1] ?? "");
        if (messageIds.length <= slow) await held.promise;
        done();
      });
    },
  });
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const url = `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return { url, messageIds, answer: () => held.resolve() };
}

test("mails that the mail server is slow to answer keep no other mail waiting, and are sent once", async (t) => {
  // As many as take jobs from the queue at a time.
  const mail = await serve(t, 2);
  const api = await startCloudflareStandIn({ accepted: demoCredentials, rateLimit: null });
  const database = await createTestDatabase(MIGRATED);
  t.after(async () => {
    await api.close();
    await database.drop();
  });
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  const daemon = startProgram(["run"], {
    CLOUDFLARE_API_TOKEN: demoCredentials.token,
    CLOUDFLARE_BASE_URL: api.url,
    DATABASE_URL: database.url,
    SMTP_URL: mail.url,
    MAIL_FROM: "invites@example.com",
    MAIL_TO: "ops@example.com",
    SYNC_SCHEDULE: "* * * * * *",
    SYNC_JITTER: "0s",
    HTTP_PORT: "0",
    DIGEST_SCHEDULE: "off",
  });
  const owed = [await daemon.logged("notification.owed")];
  for (const number of [2, 3]) {
    api.invites.put(sampleInvite(FAR, number));
    owed.push(await daemon.logged("notification.owed"));
  }

  const other = await daemon.logged("notification.delivered");
  mail.answer();
  const slow = [await daemon.logged("notification.delivered"), await daemon.logged("notification.delivered")];
  daemon.child.kill("SIGTERM");
  await daemon.ended;

  assert.equal(other.notificationId, owed[2]?.notificationId);
  assert.deepEqual(new Set([other, ...slow].map(({ messageId }) => messageId)), new Set(mail.messageIds));
  assert.equal(mail.messageIds.length, 3);
});
