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

test("the reference page and the JSON Schema are what the declarations say", () => {
  const { status, stderr } = reference("--check");

  assert.equal(stderr, "");
  assert.equal(status, 0);
});

test("what was written is up to date, and what was edited is stale", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "reference-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const page = join(folder, "docs/configuration.md");
  const schema = join(folder, "config.schema.json");

  const absent = reference("--check", folder);
  reference(folder);
  const fresh = reference("--check", folder);
  writeFileSync(page, readFileSync(page, "utf8").replace("30s", "31s"));
  const stalePage = reference("--check", folder);
  reference(folder);
  writeFileSync(schema, readFileSync(schema, "utf8").replace("watches", "watch"));
  const staleSchema = reference("--check", folder);

  assert.deepEqual(
    [absent, fresh, stalePage, staleSchema].map(({ status }) => status),
    [1, 0, 1, 1],
  );
  assert.match(stalePage.stderr, /configuration\.md is not .* Run: node scripts\/reference\.ts/);
  assert.match(staleSchema.stderr, /config\.schema\.json is not/);
});
