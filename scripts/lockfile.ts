/** Checks that the lockfile pins what every package holds, and that nothing is installed from elsewhere than the registry. */
import { readFileSync } from "node:fs";

type Entry = {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
};

/** Weaker ones can be forged. */
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/;

const ours = (name: string) => new URL(`../${name}`, import.meta.url);
const read = (file: string | URL) => JSON.parse(readFileSync(file, "utf8"));
const { packages } = read(process.argv[2] ?? ours("package-lock.json")) as { packages: Record<string, Entry> };
const { allowScripts } = read(ours("package.json")) as { allowScripts: Record<string, boolean> };

const faults = Object.entries(packages)
  .filter(([path]) => path !== "")
  .flatMap(([path, entry]) => faultsOf(entry, path).map((fault) => `${path}: ${fault}`));
for (const fault of faults) process.stderr.write(`${fault}\n`);
if (faults.length > 0) {
  process.stderr.write(
    "The lockfile does not pin every package. What it lacks: npm view NAME@VERSION dist.integrity\n",
  );
  process.exitCode = 1;
}

function faultsOf({ version, integrity, resolved, link, hasInstallScript }: Entry, path: string): readonly string[] {
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  const faults: string[] = [];
  if (link === true) faults.push("a link to a folder");
  if (!INTEGRITY.test(integrity ?? "")) faults.push("no sha512 integrity");
  if (resolved !== undefined) faults.push("names where it comes from, as packages do that are not the registry's");
  if (!/^\d+\.\d+\.\d+/.test(version ?? "")) faults.push("no exact version");
  if (hasInstallScript === true && !(name in allowScripts)) {
    faults.push("an install script that allowScripts in package.json neither allows nor denies");
  }
  return faults;
}
