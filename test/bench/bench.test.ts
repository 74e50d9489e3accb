import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const program = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));
const run = promisify(execFile);

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "invitewatch-bench-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test("the benchmark measures every program in every case, prints them and writes them down", async (t) => {
  const out = join(await emptyFolder(t), "results.json");

  const { stdout } = await run(process.execPath, [program, "--sizes", "200", "--runs", "1", "--out", out]);

  const results = JSON.parse(await readFile(out, "utf8"));
  assert.deepEqual(Object.keys(results), ["measuredAt", "node", "postgres", "cpus", "sizes", "bars"]);
  assert.deepEqual(
    results.sizes.map(({ invites, rounds }: { invites: number; rounds: number }) => [invites, rounds]),
    [[200, 1]],
  );
  for (const kind of ["cold", "unchanged", "changed"]) {
    const { programs, oursToFloor, naiveToOurs } = results.sizes[0].cases[kind];
    for (const name of ["ours", "floor", "naive"]) {
      assert.ok(programs[name].ms > 0 && programs[name].peakMb > 0, `${kind}: ${name}`);
    }
    assert.ok(Math.abs(oursToFloor - programs.ours.ms / programs.floor.ms) < 1e-9);
    assert.ok(Math.abs(naiveToOurs - programs.naive.ms / programs.ours.ms) < 1e-9);
  }
  assert.ok(results.bars.every(({ reached }: { reached: boolean | null }) => reached === null));
  assert.match(stdout, /ours\/floor/);
  assert.match(stdout, /1 % changed/);
  assert.match(stdout, /not measured/);
});

test("sizes that are no numbers are refused before anything is started", async () => {
  const refused = run(process.execPath, [program, "--sizes", "many"]);

  await assert.rejects(refused, /--sizes takes whole numbers, separated by commas, not "many"/);
});

test("an interrupted benchmark ends without results", async (t) => {
  const folder = await emptyFolder(t);
  const args = [program, "--sizes", "200", "--runs", "1", "--out", join(folder, "results.json")];
  const bench = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(bench, "exit");
  for await (const line of createInterface({ input: bench.stderr })) {
    if (line.includes("round 1")) bench.kill("SIGINT");
  }

  const [code] = await ended;

  assert.equal(code, 130);
  assert.deepEqual(await readdir(folder), []);
});
