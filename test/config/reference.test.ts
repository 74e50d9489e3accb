import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../scripts/reference.ts", import.meta.url));

function reference(...args: readonly string[]) {
  return spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8" });
}

test("the reference page is what the settings say", () => {
  const { status, stderr } = reference("--check");

  assert.equal(stderr, "");
  assert.equal(status, 0);
});

test("a page that was written is up to date, and one that was edited is stale", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "reference-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const page = join(folder, "configuration.md");

  const absent = reference("--check", page);
  reference(page);
  const fresh = reference("--check", page);
  writeFileSync(page, readFileSync(page, "utf8").replace("30s", "31s"));
  const stale = reference("--check", page);

  assert.deepEqual([absent.status, fresh.status, stale.status], [1, 0, 1]);
  assert.match(stale.stderr, /Run: node scripts\/reference\.ts/);
});
