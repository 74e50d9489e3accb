/**
 * Shows that the tests can fail: `npm run test:mutations [-- PART-OF-A-NAME]`.
 *
 * Each mutation breaks a promise in a copy of the program, and the tests that hold it must turn red. Exit code 1 where
 * a broken program passes, where a mutation fits the program no more, or where the tests fail without any. A mutation is
 * left out where a program that its tests need is not installed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { run } from "node:test";
import { globalSetup, globalTeardown } from "../test/support/global-setup.ts";
import { type Copy, copyProgram, type Mutation } from "./mutation.ts";
import { MUTATIONS } from "./mutation-table.ts";

const TEST_TIMEOUT_MS = 60_000;

const wanted = process.argv[2] ?? "";
const chosen = MUTATIONS.filter(({ name }) => name.includes(wanted));
const copy = await copyProgram();
// One database server for all the runs.
await globalSetup();
try {
  const { noticed, leftOut } = await tryAll(copy, chosen);
  say(`${noticed} of ${chosen.length} mutations were noticed${leftOut === 0 ? "" : `, ${leftOut} left out`}`);
  process.exitCode = noticed > 0 && noticed + leftOut === chosen.length ? 0 : 1;
} finally {
  await globalTeardown();
  await copy.remove();
}

type Tried = { readonly noticed: number; readonly leftOut: number };

/** None is noticed where the tests fail by themselves. */
async function tryAll({ folder, broken }: Copy, mutations: readonly Mutation[]): Promise<Tried> {
  const { wrong, skipped } = await asItIs(folder, mutations);
  for (const line of wrong) say(`unbroken: ${line}`);
  let [noticed, leftOut] = [0, 0];
  if (wrong.length > 0) return { noticed, leftOut };
  for (const mutation of mutations) {
    const skips = namedIn(mutation.tests).filter((one) => skipped.has(one));
    if (skips.length > 0) {
      say(`left out  ${mutation.name}: skipped here: ${skips.join("; ")}`);
      leftOut += 1;
      continue;
    }
    const missed = await broken(mutation, () => missedBy(mutation, folder));
    if (missed === null) say(`STALE     ${mutation.name}: its text is not once in ${mutation.file}`);
    else if (missed.length > 0) say(`SURVIVED  ${mutation.name}: ${missed.join("; ")}`);
    else say(`noticed   ${mutation.name}`);
    if (missed?.length === 0) noticed += 1;
  }
  return { noticed, leftOut };
}

type AsItIs = {
  /** Tests that do not pass, or do not exist. */
  readonly wrong: readonly string[];
  /** Tests that need a program which is not installed. */
  readonly skipped: ReadonlySet<string>;
};

async function asItIs(folder: string, mutations: readonly Mutation[]): Promise<AsItIs> {
  const tests = mutations.flatMap((mutation) => namedIn(mutation.tests));
  const { passed, skipped } = await runTests(folder, tests);
  const failing = tests.filter((one) => !passed.has(one) && !skipped.has(one));
  const wrong = failing.map((one) => `does not pass, or is not there: ${one}`);
  const points = new Set(mutations.flatMap(({ faults }) => faults?.only ?? []));
  for (const point of points) {
    if ((await runFaults(folder, point)).code !== 0) wrong.push(`the fault suite fails at ${point}`);
  }
  return { wrong: [...new Set(wrong)], skipped };
}

/** What should have noticed the mutation and did not. */
async function missedBy(mutation: Mutation, folder: string): Promise<string[]> {
  const tests = namedIn(mutation.tests);
  const { failed } = await runTests(folder, tests);
  const missed = tests.filter((one) => !failed.has(one)).map((one) => `not red: ${one}`);
  if (mutation.faults === undefined) return missed;
  const { only, says } = mutation.faults;
  const { code, said } = await runFaults(folder, only);
  return code === 1 && says.test(said) ? missed : [...missed, `the fault suite ended with ${code} and said: ${said}`];
}

/** As `file: name`. */
function namedIn(tests: Mutation["tests"]): string[] {
  return Object.entries(tests).flatMap(([file, names]) => names.map((name) => `${file}: ${name}`));
}

type Ran = Readonly<Record<"passed" | "failed" | "skipped", ReadonlySet<string>>>;

/** Runs the tests; one that cannot even be loaded neither passes nor fails. @param tests as `file: name` */
async function runTests(folder: string, tests: readonly string[]): Promise<Ran> {
  const [passed, failed, skipped] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const files = [...new Set(tests.map((one) => join(folder, one.slice(0, one.indexOf(": ")))))];
  const names = [...new Set(tests.map((one) => one.slice(one.indexOf(": ") + 2)))];
  const stream = run({
    cwd: folder,
    files,
    concurrency: 1,
    timeout: TEST_TIMEOUT_MS,
    forceExit: true,
    testNamePatterns: names.map((name) => new RegExp(`(^| )${RegExp.escape(name)}$`)),
  });
  const nameOf = ({ name, file = "" }: { name: string; file?: string }) => `${file.slice(folder.length + 1)}: ${name}`;
  stream.on("test:pass", (data) => void (data.skip === undefined ? passed : skipped).add(nameOf(data)));
  stream.on("test:fail", (data) => void failed.add(nameOf(data)));
  stream.resume();
  await once(stream, "end");
  return { passed, failed, skipped };
}

async function runFaults(
  folder: string,
  only: string,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const suite = spawn(process.execPath, [join(folder, "test/faults/main.ts"), "--kill-only", "--only", only], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [said] = await Promise.all([text(suite.stdout), once(suite, "close")]);
  return { code: suite.exitCode, said };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
