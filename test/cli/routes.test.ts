import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runCommand } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "routes-"));
after(() => rmSync(folder, { recursive: true }));

const CONFIG = `
mail: { from: iw@example.com, to: ops@example.com }
watches:
  - { name: ops, apiToken: token-a, to: [ops@example.com, lead@example.com] }
  - { name: billing, apiToken: token-b }
routes:
  - { match: { watch: ops, organization: "Acme*" }, to: legal@example.com, also: true }
  - { match: { role: "*Admin*", inviter: "*@acme.example" }, to: security@example.com }
  - { match: { type: "watch.*" }, to: oncall@example.com }
`;

/** The database's address is one that nobody answers at: nothing is contacted. */
function routes(args: readonly string[], yaml = CONFIG) {
  const path = join(folder, "config.yaml");
  writeFileSync(path, yaml);
  return runCommand(["routes", "test", ...args], {
    url: "postgres://u:p@127.0.0.1:1/db",
    env: { INVITEWATCH_CONFIG: path },
    columns: 120,
  });
}

async function told(args: readonly string[]): Promise<readonly string[]> {
  const { code, stdout } = await routes([...args, "--json"]);
  assert.equal(code, 0);
  const answer: { routes: { recipients: { recipient: string; rules: string[] }[] }[] } = JSON.parse(stdout);
  return answer.routes.flatMap(({ recipients }) => recipients.map(({ recipient, rules }) => `${recipient} ${rules}`));
}

test("without options there is a row for each watch and each type that is mailed", async () => {
  const { code, stdout, stderr } = await routes([]);

  const rows = stdout.split("\n").filter((line) => line.includes("@"));
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(rows.length, 22);
  assert.match(stdout, /^ops +invite\.received +ops@example\.com \(default\), lead@example\.com \(default\)$/m);
  assert.match(stdout, /^billing +watch\.blind +oncall@example\.com \(routes\[2\]\)$/m);
  assert.match(stdout, /How an invitation ended is told to those who were told of it before/);
});

test("a route that is beside the default adds its people to the watch's own", async () => {
  const recipients = await told(["--watch", "ops", "--org", "ACME Labs", "--type", "invite.received"]);

  assert.deepEqual(recipients, ["ops@example.com default", "lead@example.com default", "legal@example.com routes[0]"]);
});

test("a route that is not beside the default takes its place", async () => {
  const asked = ["--watch", "billing", "--inviter", "eve@acme.example", "--role", "Member", "--role", "Super Admin"];

  const recipients = await told([...asked, "--type", "invite.expiring"]);

  assert.deepEqual(recipients, ["security@example.com routes[1]"]);
});

test("what is not asked for is unknown, and no route that asks for it matches", async () => {
  const recipients = await told(["--watch", "ops", "--role", "Administrator", "--type", "invite.received"]);

  assert.deepEqual(recipients, ["ops@example.com default", "lead@example.com default"]);
});

test("types are given by patterns too", async () => {
  const { stdout } = await routes([
    "--watch",
    "ops",
    "--type",
    "watch.*",
    "--type",
    "!watch.baseline",
    "--format",
    "csv",
  ]);

  assert.deepEqual(
    stdout.split("\r\n").map((line) => line.split(",").slice(0, 2).join(" ")),
    ['"watch" "type"', '"ops" "watch.blind"', '"ops" "watch.recovered"', ""],
  );
});

test("on a narrow terminal the people stand below their row, and none is cut off", async () => {
  const { stdout } = await runCommand(["routes", "test", "--type", "invite.received"], {
    env: { CLOUDFLARE_API_TOKEN: "token-0123", MAIL_TO: "a-rather-long-name@a-rather-long-domain.example" },
    columns: 60,
  });

  assert.equal(
    stdout,
    "WATCH    TYPE\ndefault  invite.received\n  a-rather-long-name@a-rather-long-domain.example (default)\n",
  );
});

for (const [sentence, args, message] of [
  ["a watch that is not configured", ["--watch", "dev"], /no watch named dev; configured: ops, billing\./],
  ["a type that there is not", ["--type", "invite.expird"], /did you mean invite\.expired\?/],
  ["a type of which no mail is sent", ["--type", "silence.created"], /No mail is sent of such events/],
] as const) {
  test(`${sentence} is wrong usage`, async () => {
    const { code, stdout, stderr } = await routes(args);

    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, message);
  });
}

test("without any watch it says what is missing", async () => {
  const { code, stderr } = await runCommand(["routes", "test"]);

  assert.equal(code, 2);
  assert.match(stderr, /No watch is configured\..*CLOUDFLARE_API_TOKEN/);
});

test("a configuration that is wrong is told with file and line, and exits 2", async () => {
  const { code, stderr } = await routes([], "timezone: Mars\nroutes: 1");

  assert.equal(code, 2);
  assert.match(
    stderr,
    /config\.yaml:1: timezone: found "Mars".*\n.*config\.yaml:2: routes: found 1\. It is not a list/,
  );
});

test("the help has examples, and needs no configuration", async () => {
  const { code, stdout } = await runCommand(["routes", "test", "--help"], { env: { DATABASE_URL: "nonsense" } });

  assert.equal(code, 0);
  assert.match(stdout, /Examples:\n {2}\$ invitewatch routes test/);
});
