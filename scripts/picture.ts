/**
 * Draws the folders of src and who imports whom into docs/architecture.md.
 *
 * Usage: node scripts/picture.ts [--check]. With --check nothing is written, and a stale picture exits 1.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cruise } from "dependency-cruiser";

type Cruise = {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
};

const root = fileURLToPath(new URL("..", import.meta.url));
const document = fileURLToPath(new URL("../docs/architecture.md", import.meta.url));
const PICTURE = /(<!-- picture -->\n)[\s\S]*?(<!-- \/picture -->)/;

const { output } = await cruise(["src"], { parser: "swc", baseDir: root, includeOnly: { path: "^src/" } });
const { modules } = output as Cruise;
const arrows = new Set(
  modules
    .flatMap(({ source, dependencies }) =>
      dependencies.map(({ resolved }) => [roomOf(source), roomOf(resolved)] as const),
    )
    .flatMap(([from, to]) => (from === to || isTrivial(from) || isTrivial(to) ? [] : `  ${from} --> ${to}`)),
);
const text = readFileSync(document, "utf8");
const drawn = text.replace(PICTURE, `$1\n\`\`\`mermaid\nflowchart TD\n${[...arrows].sort().join("\n")}\n\`\`\`\n\n$2`);
if (!process.argv.includes("--check")) writeFileSync(document, drawn);
else if (drawn !== text) {
  process.stderr.write("docs/architecture.md shows an older picture; run: npm run docs:picture\n");
  process.exitCode = 1;
}

/** The folder, two deep for the adapters; files beside the folders are the daemon's. */
function roomOf(path: string): string {
  const [, first = "", second = "", third] = path.split("/");
  if (first === "adapters" && third !== undefined) return `${first}/${second}`;
  return second === "" ? "daemon" : first;
}

/** Development alone, and what is generated. */
function isTrivial(room: string): boolean {
  return room === "demo" || room === "generated";
}
