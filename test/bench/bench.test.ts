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

  const { stdout } = await run(process.execPath, [
    program,
    "--only",
    "sync",
    "--sizes",
    "200",
    "--runs",
    "1",
    "--out",
    out,
  ]);

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

test("owed mails are delivered by the daemon's workers and by a bare pool", async (t) => {
  const out = join(await emptyFolder(t), "results.json");
  const args = ["--only", "delivery", "--mails", "50", "--runs", "1", "--out", out];

  const { stdout } = await run(process.execPath, [program, ...args]);

  const { delivery, bars } = JSON.parse(await readFile(out, "utf8"));
  assert.equal(delivery.mails, 50);
  assert.ok(Math.abs(delivery.oursToPool - delivery.poolMs / delivery.oursMs) < 1e-9);
  assert.deepEqual(
    bars.map(({ bound, limit, reached }: { bound: string; limit: number; reached: boolean | null }) => [
      bound,
      limit,
      reached,
    ]),
    [["≥", 0.5, null]],
  );
  assert.match(stdout, /50 mails: ours .* its speed/);
});

test("mails are followed from an invite's appearance to their acceptance", async (t) => {
  const out = join(await emptyFolder(t), "results.json");

  await run(process.execPath, [program, "--only", "latency", "--samples", "3", "--out", out]);

  const { latency } = JSON.parse(await readFile(out, "utf8"));
  assert.equal(latency.samples, 3);
  assert.ok(latency.p99 >= latency.median && latency.median > 0 && latency.floorMedian > 0);
});

test("one sync as a whole process stands beside a script, at a short list and at a long one", async (t) => {
  const out = join(await emptyFolder(t), "results.json");

  const { stdout } = await run(process.execPath, [program, "--only", "processes", "--runs", "1", "--out", out]);

  const { processes } = JSON.parse(await readFile(out, "utf8"));
  assert.deepEqual(
    processes.map(({ invites }: { invites: number }) => invites),
    [20, 1_000],
  );
  for (const { cases } of processes) {
    for (const { oursMs, scriptMs, oursToScript } of Object.values<Record<string, number>>(cases)) {
      assert.ok(Math.abs(Number(oursToScript) - Number(oursMs) / Number(scriptMs)) < 1e-9);
    }
  }
  assert.match(stdout, /20 invites: all new ours .*; unchanged ours/);
});

test("a stage that there is not is refused with those that there are", async () => {
  const refused = run(process.execPath, [program, "--only", "speed"]);

  await assert.rejects(refused, /--only takes one of sync, processes, alerts, delivery, latency, not "speed"/);
});

test("sizes that are no numbers are refused before anything is started", async () => {
  const refused = run(process.execPath, [program, "--sizes", "many"]);

  await assert.rejects(refused, /--sizes takes whole numbers, separated by commas, not "many"/);
});

test("an interrupted benchmark ends without results", async (t) => {
  const folder = await emptyFolder(t);
  const args = [program, "--only", "sync", "--sizes", "200", "--runs", "1", "--out", join(folder, "results.json")];
  const bench = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(bench, "exit");
  for await (const line of createInterface({ input: bench.stderr })) {
    if (line.includes("round 1")) bench.kill("SIGINT");
  }

  const [code] = await ended;

  assert.equal(code, 130);
  assert.deepEqual(await readdir(folder), []);
});
