import assert from "node:assert/strict";
import { test } from "node:test";
import { MIGRATED } from "../support/database.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startRelay } from "../support/relay.ts";
import { runCommand } from "./command.ts";

test("both mail servers are tried, one line each, and what is wrong makes it exit 1", async () => {
  const database = await createTestDatabase(MIGRATED);
  const second = await startRelay();

  const { code, stdout } = await runCommand(["check"], {
    url: database.url,
    env: {
      SMTP_URL: "smtp://127.0.0.1:1",
      MAIL_FROM: "invites@example.com",
      FALLBACK_SMTP_URL: second.url,
    },
  });
  await second.close();
  await database.drop();

  assert.equal(code, 1);
  const lines = stdout.split("\n").filter((line) => /mail server {2}/.test(line));
  assert.equal(lines.length, 2, stdout);
  assert.match(lines[0] ?? "", /^FIX {2}mail server +the mail server 127\.0\.0\.1:1 cannot be reached/);
  assert.match(lines[1] ?? "", /^OK {3}second mail server +127\.0\.0\.1:\d+ takes our connection$/);
});
