import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { MAILED_TYPES } from "../../src/config/event-types.ts";

const MAIN = fileURLToPath(new URL("../../src/demo/main.ts", import.meta.url));
const PATIENCE_MS = 180_000;

type Played = { readonly code: number; readonly stdout: string; readonly stderr: string };

let folder: string;
let played: Played;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "invitewatch-demo-"));
  played = await playOnce(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

/** The demo at speed, to its end, in a folder of its own. */
function playOnce(cwd: string): Promise<Played> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: PATIENCE_MS, maxBuffer: 16 * 1024 * 1024 };
    execFile(process.execPath, [MAIN, "--once"], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** What is printed of the mails: kinds and recipients. */
function mails(): readonly string[] {
  return [...played.stdout.matchAll(/^ {2}Mail {5}(\S+), to (\S+)$/gm)].map(([, kind, to]) => `${kind} ${to}`);
}

test("played at speed, the demo brings what its story says, and nothing else", () => {
  assert.equal(played.stderr, "");
  assert.equal(played.code, 0);
});

test("mails of every kind land in the mailbox, to everybody but the one who is refused", () => {
  const kinds = new Set(mails().map((mail) => mail.split(" ")[0]));
  const people = new Set(mails().map((mail) => mail.split(" ")[1]));

  for (const type of MAILED_TYPES.filter((type) => type !== "watch.baseline")) assert.ok(kinds.has(type), type);
  for (const overview of ["inventory", "summary", "digest"]) assert.ok(kinds.has(overview), overview);
  assert.deepEqual([...people].sort(), ["lead@example.com", "legal@example.com", "ops@example.com"]);
});

test("the mails show what they are there to show", () => {
  const text = played.stdout.replaceAll(/\s*\n\s*│?\s*/g, " ");

  for (const said of [
    "Please look twice",
    "Last chance, ends in 1 hour",
    "has changed: end",
    "has changed: roles",
    "was accepted",
    "was rejected",
    "could not be delivered",
    "status went back and forth: 3 changes",
    "because of the limit of mails per hour",
    "because of quiet hours",
    "invitations-cancelled.ics",
  ]) {
    assert.ok(text.includes(said), said);
  }
});

test("the history ends it, and nothing is left behind", async () => {
  const history = played.stdout.slice(played.stdout.indexOf("$ bin/invitewatch history"));
  for (const type of [...MAILED_TYPES, "notification.dead", "invite.acknowledged", "silence.created"]) {
    assert.ok(history.includes(` ${type} `), type);
  }
  assert.match(history, /Coverage: 9\d\.\d+ % of/);
  assert.deepEqual(await readdir(folder), []);
});
