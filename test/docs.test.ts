/** What the documents point to is there: files by their links, and tests by the names that they are quoted by. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DOCUMENTS = ["README.md", "CHANGELOG.md", ...(await markdownBelow("docs"))];

async function markdownBelow(folder: string): Promise<string[]> {
  const names = await readdir(join(ROOT, folder), { recursive: true });
  return names.filter((name) => name.endsWith(".md")).map((name) => join(folder, name));
}

for (const document of DOCUMENTS) {
  test(`every file that ${document} links to is there`, async () => {
    const text = await readFile(join(ROOT, document), "utf8");
    const targets = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(
      ([, target = ""]) => target,
    );

    const missing = targets.filter((target) => !existsSync(join(ROOT, dirname(document), target)));

    assert.deepEqual(missing, []);
  });
}

test("every test that the guarantees quote is in the file that they name", async () => {
  const text = await readFile(join(ROOT, "docs/guarantees.md"), "utf8");
  const items = text.split(/\n(?=- |\n|#)/);

  const quoted = items.flatMap((item) => {
    const file = /\]\(\.\.\/(test\/[^)]+\.test\.ts)\):/.exec(item)?.[1];
    if (file === undefined) return [];
    return [...item.replaceAll(/\s+/g, " ").matchAll(/_([^_]+)_/g)].map(([, name = ""]) => ({ file, name }));
  });
  const missing: string[] = [];
  for (const { file, name } of quoted) {
    const source = await readFile(join(ROOT, file), "utf8");
    const parts = name.split("…").map((part) => part.trim());
    const isThere = (part: string) => isIn(source, part) || part.split(": ").every((words) => isIn(source, words));
    if (!parts.every(isThere)) missing.push(`${file}: ${name}`);
  }

  assert.ok(quoted.length > 30);
  assert.deepEqual(missing, []);
});

/** Titles are made of templates too: of one such as `where ${what}` the fixed words have to be there. */
function isIn(source: string, name: string): boolean {
  if (source.includes(name)) return true;
  const titles = [...source.matchAll(/\b(?:test|describe)\(\s*`([^`]+)`/g)].map(([, title = ""]) => title);
  return titles.some((title) =>
    new RegExp(
      `^${title
        .split(/\$\{[^}]*\}/)
        .map(RegExp.escape)
        .join("(.+)")}$`,
    ).test(name),
  );
}
