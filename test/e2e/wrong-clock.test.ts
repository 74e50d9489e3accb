/** The real program under a clock that is wrong, as libfaketime shows it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { sampleInvite } from "../../src/demo/sample-invite.ts";
import { MIGRATED } from "../support/database.ts";
import { freePort } from "../support/free-port.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { FAR, startSurroundings } from "../support/surroundings.ts";

const LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
const skip = existsSync(LIBRARY) ? false : "needs libfaketime, which is not installed here";

/** Hours of which a clock is ahead, as environment of a program. */
function clockAt(offset: string): Record<string, string> {
  return { LD_PRELOAD: LIBRARY, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
}

const { api, mail, settings, close } = await startSurroundings();
after(close);

test("a daemon whose clock was set back eight hours goes on, and says so", { skip }, async () => {
  const database = await createTestDatabase(MIGRATED);
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  const port = String(await freePort());
  const env = settings(database.url, { SYNC_SCHEDULE: "*/2 * * * * *", HTTP_PORT: port });
  await runProgram(["sync"], env);

  const daemon = startProgram(["run"], { ...env, ...clockAt("-8h") });
  await daemon.logged("clock.skewed", ({ against }) => against === "database");
  await daemon.logged("clock.skewed", ({ against }) => against === "api");
  await daemon.logged("sync.completed");
  await daemon.logged("sync.completed");
  const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
  const { reasons } = (await ready.json()) as { reasons: { name: string; message: string }[] };
  const status = await runProgram(["status"], { ...env, ...clockAt("-8h") });
  daemon.child.kill("SIGTERM");
  await daemon.ended;
  await database.drop();

  assert.equal(ready.status, 503);
  assert.deepEqual([...new Set(reasons.map(({ name }) => name))], ["clock_skewed"]);
  assert.match(
    reasons[0]?.message ?? "",
    /^This machine's clock is (8 hours|7 hours 59 minutes) behind the database's: /,
  );
  assert.equal(status.code, 1);
  assert.match(status.stdout, /clocks\n {2}WRONG +This machine's clock is .* behind the database's/);
  assert.equal(daemon.stderr().match(/"event":"clock\.skewed"/g)?.length, 2);
});

test("a clock that is set while the daemon runs, far ahead and back again, costs a line each and stops nothing", {
  skip,
}, async (t) => {
  const database = await createTestDatabase(MIGRATED);
  const folder = await mkdtemp(join(tmpdir(), "invitewatch-clock-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "offset");
  await writeFile(file, "+0");
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  const clock = { LD_PRELOAD: LIBRARY, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: "1" };
  const env = settings(database.url, { SYNC_SCHEDULE: "*/2 * * * * *", DIGEST_SCHEDULE: "off" });
  const daemon = startProgram(["run"], { ...env, ...clock, FAKETIME_DONT_FAKE_MONOTONIC: "1" });
  await daemon.logged("notification.delivered");

  await writeFile(file, "+60d");
  const ahead = await daemon.logged("clock.jumped");
  await daemon.logged("sync.completed");
  await writeFile(file, "-8h");
  const back = await daemon.logged("clock.jumped");
  api.invites.put(sampleInvite(FAR, 2));
  await daemon.logged("sync.completed", ({ listed }) => listed === 2);
  await daemon.logged("notification.delivered");
  daemon.child.kill("SIGTERM");
  const code = await daemon.ended;
  await database.drop();

  assert.equal(code, 0);
  assert.ok(Math.abs(Number(ahead.byMs) - 60 * 86_400_000) < 60_000, `${ahead.byMs}`);
  assert.ok(Math.abs(Number(back.byMs) + 60 * 86_400_000 + 8 * 3_600_000) < 60_000, `${back.byMs}`);
  const lines = daemon.stderr();
  assert.equal(lines.match(/"event":"clock\.jumped"/g)?.length, 2);
  assert.doesNotMatch(lines, /TimeoutOverflowWarning/);
  assert.ok(lines.split("\n").length < 100, lines);
});

test("one sync under a clock two days ahead leaves the later ones complete, and is shown for what it is", {
  skip,
}, async () => {
  const database = await createTestDatabase(MIGRATED);
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  const env = settings(database.url);

  await runProgram(["sync"], { ...env, ...clockAt("+2d") });
  const between = await runProgram(["status"], env);
  api.invites.put(sampleInvite(FAR, 2));
  const later = await runProgram(["sync"], env);
  const status = await runProgram(["status"], env);
  const syncs = await runProgram(["syncs", "--json"], env);
  await database.drop();

  assert.equal(between.code, 1);
  assert.match(between.stdout, /last complete sync .*taken under a wrong clock, LATE/);
  assert.deepEqual([later.code, later.stdout], [0, "default: complete\n"], later.stderr);
  assert.equal(status.code, 0, status.stdout);
  const told = JSON.parse(syncs.stdout).syncs.map((sync: { outcome: string; reason: string }) => [
    sync.outcome,
    sync.reason,
  ]);
  assert.deepEqual(told, [
    ["complete", "taken under a wrong clock"],
    ["complete", null],
  ]);
});

test("`sync` on a host ten minutes ahead of the database delivers at once, and says that the clocks differ", {
  skip,
}, async () => {
  const database = await createTestDatabase(MIGRATED);
  api.invites.replaceAll([sampleInvite(FAR, 1)]);
  const received = (await mail.parsed()).length;
  const begun = performance.now();

  const { code, stdout, stderr } = await runProgram(["sync"], { ...settings(database.url), ...clockAt("+10m") });
  await database.drop();

  assert.deepEqual([code, stdout], [0, "default: complete\n"], stderr);
  assert.equal((await mail.parsed()).length, received + 1);
  assert.ok(performance.now() - begun < 60_000);
  assert.match(stderr, /"event":"clock\.skewed"/);
});
