import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const RECORDER = new URL("loaded-modules.ts", import.meta.url).href;

/** What takes long to load: the database, the network, mail. */
const HEAVY = /^(@prisma|@electric-sql|prisma|pg|pg-boss|got|nodemailer|hono|ical\.js)(\/|$)/;

/** What every command may load. */
const LIGHT = ["commander", "canonicalize"];

const folder = mkdtempSync(join(tmpdir(), "invitewatch-start-"));
after(() => rmSync(folder, { recursive: true }));

/** Runs a command in a process of its own; which packages it loaded. */
function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const file = join(folder, "loaded");
  const { PATH = "" } = process.env;
  const { status, stderr } = spawnSync(process.execPath, ["--import", RECORDER, MAIN, ...args], {
    encoding: "utf8",
    env: { PATH, LOADED_MODULES: file, ...env },
  });
  const urls = readFileSync(file, "utf8").split("\n");
  const packages = urls.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  return { status, stderr, urls, packages: new Set(packages) };
}

test("what a command loads is seen", () => {
  const { packages } = start(["healthcheck"], { HTTP_PORT: "0", DATABASE_URL: "postgres://127.0.0.1:1/x" });

  assert.ok([...packages].some((name) => HEAVY.test(name)));
});

for (const args of [
  ["--help"],
  ["--version"],
  ["run", "--help"],
  ["sync", "--help"],
  ["mail", "test", "--help"],
  ["bogus"],
]) {
  test(`${args.join(" ")} is answered without what only the work needs, the configuration included`, () => {
    const { status, stderr, urls, packages } = start(args);

    assert.equal(status, args[0] === "bogus" ? 2 : 0, stderr);
    assert.deepEqual(
      [...packages].filter((name) => !LIGHT.includes(name)),
      [],
    );
    assert.ok(!urls.some((url) => url.includes("/generated/")));
  });
}

for (const args of [
  ["run"],
  ["sync"],
  ["check"],
  ["status"],
  ["history"],
  ["ack", "4f5f0c"],
  ["explain", "4f5f0c"],
  ["notifications", "show", "7c9e66"],
  ["mail", "test"],
  ["mail", "preview"],
  ["routes", "test"],
  ["migrate"],
  ["healthcheck"],
]) {
  test(`${args.join(" ")} tells of a wrong configuration before it loads anything heavy`, () => {
    const { status, stderr, packages } = start(args, { TIMEZONE: "Mars" });

    assert.equal(status, 2, stderr);
    assert.match(stderr, /TIMEZONE: found "Mars"/);
    assert.deepEqual(
      [...packages].filter((name) => HEAVY.test(name)),
      [],
    );
  });
}

test("healthcheck asks the daemon without the database's packages", () => {
  const { status, stderr, packages } = start(["healthcheck"], { HTTP_PORT: "9" });

  assert.equal(status, 1);
  assert.match(stderr, /^No daemon answers at http:\/\/127\.0\.0\.1:9\/healthz/);
  assert.deepEqual(
    [...packages].filter((name) => HEAVY.test(name)),
    [],
  );
});
