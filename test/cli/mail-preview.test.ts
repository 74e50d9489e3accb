import assert from "node:assert/strict";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { simpleParser } from "mailparser";
import { runCommand } from "./command.ts";

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "mail-preview-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("every kind of mail is written in each form, without any configuration, and the page shows all of them", async (t) => {
  const folder = join(folderFor(t), "out");

  const { code, stdout } = await runCommand(["mail", "preview", "--out", folder]);

  assert.equal(code, 0);
  assert.match(stdout, /^36 mails are in .*; open .*index\.html in a browser\.\n$/);
  const files = readdirSync(folder);
  const names = files.filter((file) => file.endsWith(".eml")).map((file) => file.slice(0, -4));
  for (const name of names) assert.ok(files.includes(`${name}.html`) && files.includes(`${name}.txt`), name);
  for (const name of ["invite.received", "invite.withdrawn-hostile", "inventory", "summary", "several"]) {
    assert.match(readFileSync(join(folder, `${name}.ics`), "utf8"), /^BEGIN:VCALENDAR\r\n/);
  }
  const page = readFileSync(join(folder, "index.html"), "utf8");
  for (const name of names) assert.ok(page.includes(`<iframe src="${name}.html" width="320"`), name);
  assert.doesNotMatch(page, /<script|onerror=/);
});

test("the previewed mail is the composed one, with every kind that there is", async (t) => {
  const folder = folderFor(t);
  await runCommand(["mail", "preview", "--out", folder]);

  const emls = readdirSync(folder).filter((file) => file.endsWith(".eml"));
  const parsed = await Promise.all(emls.map((file) => simpleParser(readFileSync(join(folder, file)))));

  assert.deepEqual([...new Set(parsed.map(({ headers }) => headers.get("x-invitewatch-kind")))].sort(), [
    "digest",
    "inventory",
    "invite.changed",
    "invite.expired",
    "invite.expiring",
    "invite.received",
    "invite.returned",
    "invite.status_changed",
    "invite.unrecognised",
    "invite.withdrawn",
    "summary",
    "test",
    "watch.blind",
    "watch.recovered",
  ]);
  for (const { from, bcc, text } of parsed) {
    assert.equal(from?.text, '"Invitewatch" <invitewatch@example.com>');
    assert.equal(bcc, undefined);
    assert.ok(text);
  }
});

test("what is configured is used: the sender and the time zone; no mail links to a page that does not exist", async (t) => {
  const folder = folderFor(t);
  const env = {
    SMTP_URL: "smtp://127.0.0.1:1",
    MAIL_FROM: "Watcher <watcher@example.org>",
    PUBLIC_URL: "https://invites.example.org/",
  };

  await runCommand(["mail", "preview", "--out", folder], { env, timezone: "Asia/Tokyo" });

  const mail = await simpleParser(readFileSync(join(folder, "invite.received.eml")));
  assert.equal(mail.from?.text, '"Watcher" <watcher@example.org>');
  assert.match(mail.text ?? "", /UTC\+9/);
  for (const file of readdirSync(folder)) {
    assert.doesNotMatch(readFileSync(join(folder, file), "latin1"), /List-Unsubscribe|invites\.example\.org/, file);
  }
});

test("a folder with something else in it is left alone; one of an earlier preview is written anew", async (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, "thesis.txt"), "my only copy");

  const refused = await runCommand(["mail", "preview", "--out", folder]);
  rmSync(join(folder, "thesis.txt"));
  const first = await runCommand(["mail", "preview", "--out", folder]);
  const second = await runCommand(["mail", "preview", "--out", folder]);

  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /is not empty and holds no earlier preview: name another with --out/);
  assert.deepEqual([first.code, second.code], [0, 0]);
});

test("a link or a second name that somebody put into the folder is replaced, and what it leads to stays", async (t) => {
  const outer = folderFor(t);
  const folder = join(outer, "out");
  const precious = join(outer, "precious");
  writeFileSync(precious, "my only copy");
  await runCommand(["mail", "preview", "--out", folder]);
  for (const name of ["index.html", ".invitewatch-preview", "invite.received.eml"]) {
    rmSync(join(folder, name));
    symlinkSync(precious, join(folder, name));
  }
  rmSync(join(folder, "several.txt"));
  linkSync(precious, join(folder, "several.txt"));

  const { code } = await runCommand(["mail", "preview", "--out", folder]);

  assert.equal(code, 0);
  assert.equal(readFileSync(precious, "utf8"), "my only copy");
  for (const name of readdirSync(folder)) assert.ok(lstatSync(join(folder, name)).isFile(), name);
});

test("a folder that is a link, or that everybody can write into, is refused", async (t) => {
  const outer = folderFor(t);
  const [real, link, open] = ["real", "link", "open"].map((name) => join(outer, name)) as [string, string, string];
  mkdirSync(real);
  symlinkSync(real, link);
  mkdirSync(open);
  chmodSync(open, 0o777);

  const throughLink = await runCommand(["mail", "preview", "--out", link]);
  const intoOpen = await runCommand(["mail", "preview", "--out", open]);

  assert.deepEqual([throughLink.code, intoOpen.code], [2, 2]);
  assert.match(throughLink.stderr, /link is a link: name the folder that it leads to/);
  assert.match(intoOpen.stderr, /can be written by everybody: name a folder of your own/);
  assert.deepEqual([...readdirSync(real), ...readdirSync(open)], []);
});

test("a new folder is its owner's alone", { skip: process.platform === "win32" && "there are no modes" }, async (t) => {
  const folder = join(folderFor(t), "new");

  await runCommand(["mail", "preview", "--out", folder]);

  assert.equal(lstatSync(folder).mode & 0o777, 0o700);
});
