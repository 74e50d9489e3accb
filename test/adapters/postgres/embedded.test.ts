import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { type Embedded, openEmbedded } from "../../../src/adapters/postgres/embedded.ts";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import { openDatabase } from "../../../src/adapters/postgres/open.ts";
import { createQueue } from "../../../src/adapters/postgres/queue.ts";
import { HOUR } from "../../support/durations.ts";
import { openLab } from "../../support/lab.ts";

let root: string;
/** A folder with a database in which there is one note; copied, for making one takes long. */
let template: string;
/** A daemon's database, for tests that only visit it. */
let owned: { readonly folder: string; readonly owner: Embedded };
before(async () => {
  root = await mkdtemp(join(tmpdir(), "embedded-"));
  template = join(root, "template");
  const embedded = await openEmbedded(template, "daemon");
  await query(embedded, "CREATE TABLE note AS SELECT 'kept' AS text");
  await embedded.close();
  const folder = await folderWithNote();
  owned = { folder, owner: await openEmbedded(folder, "daemon") };
});
after(async () => {
  await owned.owner.close();
  await rm(root, { recursive: true, force: true });
});

let folders = 0;

async function folderWithNote(): Promise<string> {
  folders += 1;
  const folder = join(root, `folder-${folders}`);
  await cp(template, folder, { recursive: true });
  return folder;
}

/** Opens the folder until the test ends. */
async function open(t: TestContext, folder: string, role: "daemon" | "command"): Promise<Embedded> {
  const embedded = await openEmbedded(folder, role);
  t.after(embedded.close);
  return embedded;
}

async function query({ connection }: Embedded, sql: string): Promise<pg.QueryResult["rows"]> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A process of its own, what it prints, and its sudden death. */
function startProgram(t: TestContext, name: string, folder: string) {
  const program = fileURLToPath(new URL(`../../support/${name}`, import.meta.url));
  const child = spawn(process.execPath, [program, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const kill = async () => {
    if (child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  t.after(kill);
  return { nextLine: async () => String((await lines.next()).value), kill };
}

describe("what was written to the embedded database", () => {
  test("is there after a restart", async (t) => {
    const folder = await folderWithNote();
    const first = await openEmbedded(folder, "daemon");
    await query(first, "INSERT INTO note VALUES ('second')");
    await first.close();

    const second = await open(t, folder, "daemon");

    assert.deepEqual(await query(second, "SELECT text FROM note"), [{ text: "kept" }, { text: "second" }]);
  });

  test("is there after kill -9 in the middle of writes, all of it and nothing by halves", async (t) => {
    const folder = await folderWithNote();
    const writer = startProgram(t, "embedded-writer.ts", folder);
    let said = 0;
    while (said < 50) said = Number(await writer.nextLine());
    await writer.kill();

    const embedded = await open(t, folder, "daemon");

    const [tally] = await query(
      embedded,
      "SELECT count(*)::int AS rows, max(n) AS last, min(length(filler)) AS shortest FROM tally",
    );
    assert.ok(tally.last >= said, `${said} were committed, ${tally.last} are there`);
    assert.deepEqual(tally, { rows: tally.last, last: tally.last, shortest: 2000 });
    assert.deepEqual(await query(embedded, "SELECT text FROM note"), [{ text: "kept" }]);
  });
});

describe("a second process on the folder", () => {
  test("reads and writes beside the first as its guest", async (t) => {
    const guest = startProgram(t, "embedded-guest.ts", owned.folder);

    assert.deepEqual(JSON.parse(await guest.nextLine()), [{ text: "kept" }]);
  });

  test("leaves nothing and holds up nobody when it is killed inside a transaction", async (t) => {
    const guest = startProgram(t, "embedded-guest.ts", owned.folder);
    await guest.nextLine();
    assert.equal(await guest.nextLine(), "inside");
    const waiting = query(owned.owner, "SELECT text FROM note");

    await guest.kill();

    assert.deepEqual(await waiting, [{ text: "kept" }]);
  });

  test("is refused in one sentence where both are daemons", async () => {
    const { folder, owner } = owned;

    await assert.rejects(openEmbedded(folder, "daemon"), {
      name: "DatabaseError",
      message: `Another invitewatch daemon is already running on pglite:${folder}; stop it first, or give both a Postgres server.`,
      permanent: true,
    });

    assert.deepEqual(await query(owner, "SELECT text FROM note"), [{ text: "kept" }]);
  });

  test("waits for a command to end where it is a daemon", async (t) => {
    const folder = await folderWithNote();
    const command = await openEmbedded(folder, "command");
    const daemon = open(t, folder, "daemon");
    await query(command, "INSERT INTO note VALUES ('by the command')");

    await command.close();

    assert.equal((await query(await daemon, "SELECT text FROM note")).length, 2);
  });
});

describe("the folder", () => {
  test("may have a path that is too long for a socket", async (t) => {
    const folder = join(root, "long".repeat(40), "path".repeat(40));
    await cp(template, folder, { recursive: true });

    const owner = await open(t, folder, "daemon");
    const guest = await open(t, folder, "command");

    assert.ok(folder.length > 108);
    assert.deepEqual(await query(guest, "SELECT text FROM note"), [{ text: "kept" }]);
    assert.deepEqual(guest.connection, owner.connection);
  });

  test("is its owner's alone, and so is the socket", async () => {
    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    assert.equal(await mode(template), "700");
    assert.equal(await mode(join(owned.folder, ".s.PGSQL.5432")), "600");
  });

  test("that cannot be made is one sentence", async () => {
    const file = join(root, "file");
    await writeFile(file, "");

    await assert.rejects(openEmbedded(join(file, "data"), "command"), {
      name: "DatabaseError",
      message: `The folder ${join(file, "data")} of the embedded database cannot be made (ENOTDIR); check the path and its rights.`,
    });
  });

  const ANOTHER_USER = 65_534;
  const asRoot = process.getuid?.() === 0 ? false : "only root can give a folder to another user";
  const refusal = (path: string, role: "daemon" | "command" | "reader" = "command") =>
    openEmbedded(path, role).then(
      ({ close }) => close().then(() => "opened"),
      (error: Error & { permanent?: boolean }) => `${error.message}${error.permanent ? "" : " (waited for)"}`,
    );

  test("is closed to others where it is ours", async (t) => {
    const folder = await folderWithNote();
    await chmod(folder, 0o755);
    await open(t, folder, "command");

    assert.equal((await stat(folder)).mode & 0o777, 0o700);
  });

  test("is not closed to others where it holds other things", async () => {
    const folder = join(root, "shared");
    await mkdir(folder);
    await writeFile(join(folder, "of-somebody"), "");
    await chmod(folder, 0o755);

    assert.match(
      await refusal(folder),
      /holds other things, and other users may look into it; name a folder of its own/,
    );
    assert.equal((await stat(folder)).mode & 0o777, 0o755);
    assert.deepEqual(await readdir(folder), ["of-somebody"]);
  });

  test("that is a link is refused, whoever made it", async () => {
    const link = join(root, "link");
    await symlink(await folderWithNote(), link);

    for (const role of ["daemon", "command", "reader"] as const) {
      assert.match(await refusal(link, role), /is a symbolic link.*; name the folder itself\.$/);
    }
  });

  test("that belongs to another user is refused", { skip: asRoot }, async () => {
    const folder = await folderWithNote();
    await chown(folder, ANOTHER_USER, ANOTHER_USER);

    for (const role of ["daemon", "command", "reader"] as const) {
      assert.match(
        await refusal(folder, role),
        /belongs to another user \(uid 65534, and this is 0\); run as that one/,
      );
    }
  });

  test("that cannot be written to is one sentence, and not waited for", async () => {
    for (const name of ["lock", "owner"]) {
      const folder = join(root, `unwritable-${name}`);
      await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
      await chmod(folder, 0o700);

      assert.match(
        await refusal(folder, "daemon"),
        /^(The lock .* cannot be taken; is the folder writable|The embedded database in .* does not start; is the folder intact and writable\?)/,
      );
      assert.doesNotMatch(await refusal(folder, "daemon"), /waited for/);
    }
  });

  describe("of a socket whose path would be too long", () => {
    const longFolder = async (name: string) => {
      const folder = join(root, "long".repeat(40), name);
      await cp(template, folder, { recursive: true });
      return folder;
    };

    test("is ours alone, has a name that nobody can guess, and is gone afterwards", async () => {
      const folders = [];
      for (const name of ["a", "b"]) {
        const { connection, close } = await openEmbedded(await longFolder(name), "daemon");
        assert.equal((await stat(connection.host)).mode & 0o777, 0o700);
        folders.push(connection.host);
        await close();
        assert.equal(existsSync(connection.host), false);
      }
      assert.notEqual(folders[0], folders[1]);
    });

    test("is not taken over from another user, by whom it may have been made", { skip: asRoot }, async (t) => {
      const folder = await longFolder("c");
      const lure = await mkdtemp(join(tmpdir(), "lure-"));
      t.after(() => rm(lure, { recursive: true }));
      await chown(lure, ANOTHER_USER, ANOTHER_USER);
      await writeFile(join(folder, "socket"), lure);

      const owner = await open(t, folder, "daemon");

      assert.notEqual(owner.connection.host, lure);
      assert.equal(await readFile(join(folder, "socket"), "utf8"), owner.connection.host);
      assert.deepEqual(await query(owner, "SELECT text FROM note"), [{ text: "kept" }]);
    });
  });

  test("is not made by a command that only reads", async () => {
    const folder = join(root, "nowhere");

    await assert.rejects(openEmbedded(folder, "reader"), {
      name: "DatabaseError",
      message: /^There is no database in /,
    });

    assert.equal(existsSync(folder), false);
  });
});

test("a watch is migrated, synced and queued on the embedded database as on a server", async (t) => {
  const opened = await openDatabase(`pglite:${await folderWithNote()}`, "daemon");
  await opened.prisma.$executeRaw`DROP TABLE note`;
  await migrate(opened);
  const queue = createQueue(opened, (error) => {
    throw error;
  });
  await queue.start();
  const lab = await openLab({ database: { ...opened, url: "", queue, rowVersions: async () => [] } });
  t.after(async () => {
    await lab.close();
    await queue.stop(1_000);
    await opened.close();
  });
  const invite = lab.invite({ expires_on: lab.inMs(5 * HOUR), organization_name: "Ünï\u{1F600}" });

  const { notifications } = await lab.sync();
  lab.pass(HOUR);
  lab.api.invites.accept(invite.id);
  const second = await lab.sync();

  assert.equal((await lab.known()).get(invite.id)?.status, "accepted");
  assert.deepEqual(
    (await lab.history()).map((event) => event.type),
    ["watch.baseline", "invite.received", "invite.expiring", "invite.changed", "invite.status_changed"],
  );
  assert.equal(await lab.brokenChain(), null);
  const jobs = await opened.prisma.$queryRaw<{ data: unknown }[]>`SELECT data FROM pgboss.job WHERE name = 'deliver'`;
  const owed = [...notifications, ...second.notifications].map(({ id }) => ({ data: { notificationId: id } }));
  assert.deepEqual(jobs, owed);
});
