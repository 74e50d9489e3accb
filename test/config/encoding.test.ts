import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "encoding-"));
});
after(() => rmSync(folder, { recursive: true }));

function fileOf(bytes: Buffer): string {
  const path = join(folder, `${Math.random()}`);
  writeFileSync(path, bytes);
  return path;
}

const YAML = "timezone: Europe/Berlin # für alle\n";
const UTF_16 = [
  ["with a byte order mark", Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(YAML, "utf16le")])],
  ["without one", Buffer.from(YAML, "utf16le")],
  ["big-endian", Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(YAML, "utf16le").swap16()])],
] as const;

for (const [how, bytes] of UTF_16) {
  test(`a file in UTF-16 ${how} is told as such, be it the configuration or a secret`, () => {
    for (const variable of ["INVITEWATCH_CONFIG", "HTTP_TOKEN_FILE"]) {
      assert.throws(
        () => loadConfig({ [variable]: fileOf(bytes) }),
        /: (found .*\. )?The file is in UTF-16\. Save it as UTF-8\.$/,
      );
    }
  });
}

test("a file in another encoding is told as such", () => {
  const path = fileOf(Buffer.from(YAML, "latin1"));

  assert.throws(() => loadConfig({ INVITEWATCH_CONFIG: path }), /The file is not in UTF-8\. Save it as UTF-8\./);
});

test("UTF-8 may have a byte order mark", () => {
  const path = fileOf(Buffer.from(`\uFEFF${YAML}`));

  assert.equal(loadConfig({ INVITEWATCH_CONFIG: path }).timezone, "Europe/Berlin");
});
