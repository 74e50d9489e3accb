import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { type TestContext, test } from "node:test";
import { runCommand } from "../cli/command.ts";

const ATTACK = "\u001b]0;root\u0007\u001b[2J\u009b31m\u202e\u2028x\u200b\u007f\u0000";
const OBEYED = /(?!\r?\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const mail = { SMTP_URL: "smtp://127.0.0.1:1", MAIL_FROM: "a@b.example", MAIL_TO: "a@b.example" };

for (const [what, args, env] of [
  ["an unknown command", [ATTACK], {}],
  ["an unknown option", ["status", `--${ATTACK}`], {}],
  ["a choice that does not exist", ["status", "--format", ATTACK], {}],
  ["a time that is none", ["history", "--since", ATTACK], {}],
  ["a file that does not exist", ["verify", `/tmp/${ATTACK.replaceAll("\0", "")}`], {}],
  ["an address that is none", ["mail", "test", "--to", ATTACK], mail],
  ["a setting that is wrong", ["status"], { MAIL_TO: ATTACK, TIMEZONE: ATTACK, SYNC_SCHEDULE: ATTACK }],
  ["a variable of a similar name", ["status"], { [`MAIL_TO${ATTACK.at(-3)}`]: "x" }],
  [
    "a configuration file that does not exist",
    ["status"],
    { INVITEWATCH_CONFIG: `/tmp/${ATTACK.replaceAll("\0", "")}` },
  ],
] as const) {
  test(`the terminal obeys nothing in the error about ${what}`, async () => {
    const { stdout, stderr } = await runCommand(args, { env });

    assert.doesNotMatch(stdout + stderr, OBEYED);
  });
}

test("an error is a sentence of bounded length, whatever it quotes", async () => {
  for (const args of [
    ["status", "x".repeat(100_000)],
    ["verify", "x".repeat(100_000)],
  ]) {
    const { stderr } = await runCommand(args);

    assert.ok(stderr.length < 2_200, `${stderr.length}`);
  }
});

test("the terminal obeys nothing in the database's own words", async (t) => {
  const port = await listening(t, postgresThatSays(`refused ${ATTACK.replaceAll("\0", "")}\r\nsecond line`));
  const env = { DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/x?sslmode=disable` };

  for (const args of [["status"], ["migrate"], ["check"], ["history", "--json"]]) {
    for (const level of ["info", "debug"]) {
      const { code, stdout, stderr } = await runCommand(args, { env: { ...env, LOG_LEVEL: level } });

      assert.equal(code, 1, args.join(" "));
      assert.match(stdout + stderr, /refused/);
      assert.doesNotMatch(stdout + stderr, OBEYED, args.join(" "));
    }
  }
});

test("the terminal obeys nothing in the mail server's own words", async (t) => {
  const server = createServer((socket) => socket.end(`554 go away ${ATTACK}\r\n`).on("error", () => {}));
  const port = await listening(t, server);

  for (const format of ["table", "json"]) {
    const args = ["mail", "test", "--to", "a@b.example", "--format", format];
    const { stdout, stderr } = await runCommand(args, { env: { ...mail, SMTP_URL: `smtp://127.0.0.1:${port}` } });

    assert.match(stdout, /go away/);
    assert.doesNotMatch(stdout + stderr, OBEYED);
  }
});

/** Answers everybody's start-up message with an error. @see https://www.postgresql.org/docs/current/protocol-message-formats.html */
function postgresThatSays(message: string): Server {
  const fields = Buffer.from(`SFATAL\0VFATAL\0CXX000\0M${message}\0\0`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(fields.length + 4);
  return createServer((socket) => {
    socket.on("error", () => {}).once("data", () => socket.end(Buffer.concat([Buffer.from("E"), length, fields])));
  });
}

async function listening(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
