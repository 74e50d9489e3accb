import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram } from "../support/program.ts";

const MAIN = fileURLToPath(new URL("../../src/demo/main.ts", import.meta.url));

async function folderWithHistory(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "invitewatch-demo-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "data", "pgdata"), { recursive: true });
  await writeFile(join(folder, "data", "pgdata", "of-somebody"), "");
  return folder;
}

test("the demo keeps its data apart, where the commands of a second terminal find it", async (t) => {
  const cwd = await folderWithHistory(t);
  const demo = spawn(process.execPath, [MAIN], { cwd, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => demo.kill("SIGKILL"));
  const lines = createInterface({ input: demo.stdout })[Symbol.asyncIterator]();
  const printed = async (shape: RegExp): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) assert.fail(`the demo ended without printing ${shape}`);
      const [, found] = shape.exec(value) ?? [];
      if (found !== undefined) return found;
    }
  };

  const DATABASE_URL = await printed(/^ {2}export DATABASE_URL='(.*)'$/);
  // Sent once the first sync is recorded: the story begins now, whatever the time.
  const inventory = await printed(/^ +mail to ops@example\.com: (.*)$/);
  const { stdout, stderr } = await runProgram(["invites"], { DATABASE_URL });
  demo.kill("SIGINT");
  const [code] = await once(demo, "exit");

  assert.match(inventory, /^\[demo\] Now watching: [23] pending invitations/);
  assert.equal(stderr, "");
  assert.match(stdout, /pending/);
  assert.equal(code, 0);
  assert.deepEqual(await readdir(cwd), ["data"]);
  assert.ok(existsSync(join(cwd, "data", "pgdata", "of-somebody")));
});

test("where there is no other database, commands of a second terminal find the demo's by themselves, and say so", async (t) => {
  const cwd = await mkdtemp(join(tmpdir(), "invitewatch-demo-"));
  t.after(() => rm(cwd, { recursive: true, force: true }));
  const demo = spawn(process.execPath, [MAIN], { cwd, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => demo.kill("SIGKILL"));
  let printed = "";
  for await (const line of createInterface({ input: demo.stdout })) {
    printed += `${line}\n`;
    if (/^\s+mail to/.test(line)) break;
  }

  const { stdout, stderr } = await runProgram(["history"], {}, { cwd });
  demo.kill("SIGINT");
  await once(demo, "exit");

  assert.doesNotMatch(printed, /DATABASE_URL/);
  assert.match(stdout, /watch\.baseline/);
  assert.equal(stderr, "DATABASE_URL is not set; this is the demo that runs in this folder.\n");
});

test("the demo touches no folder that is not its own", async (t) => {
  const cwd = await folderWithHistory(t);
  await mkdir(join(cwd, "demo-data"));
  await writeFile(join(cwd, "demo-data", "of-somebody"), "");
  const demo = spawn(process.execPath, [MAIN, "--once"], { cwd, stdio: ["ignore", "ignore", "pipe"] });

  const [said] = await once(demo.stderr.setEncoding("utf8"), "data");
  const [code] = await once(demo, "exit");

  assert.match(said, /demo-data holds something that is not the demo's\. Move it away/);
  assert.equal(code, 1);
  assert.deepEqual(await readdir(join(cwd, "demo-data")), ["of-somebody"]);
});
