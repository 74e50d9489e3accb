import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { owe } from "../adapters/postgres/people-seed.ts";
import { at, invite, received, type Seeded, seededDatabase } from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

let seeded: Seeded;
let ids: Readonly<Record<"held" | "failed" | "behind" | "repeated" | "dead", string>>;

before(async () => {
  seeded = await seededDatabase("ops");
  const known = invite({ id: "unique0123456789" });
  await seeded.invites(invite(), known, invite({ id: "defe366f01" }), invite({ id: "defe366f02" }));
  await seeded.events("ops", [received(invite()), received(known)], at("08:05"));
  ids = {
    held: await owe(seeded, {
      createdAt: at("08:01"),
      heldBy: "silence",
      reason: "the silence 1: moving",
      nextAttemptAt: at("07:00", 23),
    }),
    failed: await owe(seeded, { createdAt: at("08:02"), attempts: 2, error: "451 later", nextAttemptAt: at("21:00") }),
    behind: await owe(seeded, {
      createdAt: at("08:03"),
      attempts: 1,
      error: "connection refused",
      waitsForRelay: true,
      nextAttemptAt: at("21:00"),
    }),
    repeated: await owe(seeded, {
      createdAt: at("08:04"),
      state: "delivered",
      reason: "it may be a repeat",
      recipient: "Jo@example.com",
      kind: "digest",
    }),
    dead: await owe(seeded, {
      createdAt: at("08:05"),
      state: "dead",
      eventSeqs: [2],
      reason: "refused for good",
      error: "550 gone",
    }),
  };
});

after(() => seeded.close());

/** Until the test ends. */
async function relayDown(t: TestContext): Promise<void> {
  const { relay } = seeded.database.prisma;
  const down = { downSince: at("07:00"), failures: 3, nextProbeAt: at("20:22"), error: "421 closing" };
  await relay.create({ data: { name: "smtp", ...down } });
  t.after(() => relay.delete({ where: { name: "smtp" } }));
}

function run(...args: readonly string[]) {
  return runCommand(["notifications", ...args], { url: seeded.url, columns: 200 });
}

async function idsOf(...args: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await run(...args, "--json");
  assert.equal(stderr, "");
  return JSON.parse(stdout).notifications.map(({ id }: { id: string }) => id);
}

test("the remark says why a mail waits or was given up, and that a delivered one may be a repeat", async () => {
  const { code, stdout } = await run("--order", "asc");

  const remarks = Object.values(ids).map((id) => stdout.split("\n").find((line) => line.includes(id)) ?? "");
  assert.equal(code, 0);
  assert.match(remarks[0] ?? "", /held until 2026-11-23 07:00: the silence 1: moving/);
  assert.match(remarks[1] ?? "", /next attempt 2026-11-22 21:00: 451 later/);
  assert.match(remarks[2] ?? "", /waits for the mail server: connection refused/);
  assert.match(remarks[3] ?? "", /it may be a repeat/);
  assert.match(remarks[4] ?? "", /refused for good: 550 gone/);
});

test("who discarded a mail does not seem to have said what the mail server said", async () => {
  const reason = "discarded by anna: lead has left";
  await owe(seeded, {
    state: "cancelled",
    reason,
    error: "550 no",
    eventSeqs: [],
    recipient: "left@example.com",
    createdAt: at("08:00"),
  });

  const { stdout } = await run("--recipient", "left@example.com");

  assert.match(stdout, / discarded by anna: lead has left; last error: 550 no /);
});

test("where id, subject and remark do not fit beside the others, each has lines of its own", async () => {
  const subject = "Acme invites you";
  const id = await owe(seeded, {
    state: "dead",
    reason: "refused",
    subject,
    eventSeqs: [],
    recipient: "a@example.com",
    createdAt: at("08:00"),
  });

  const { stdout } = await runCommand(["notifications", "--recipient", "a@example.com"], { url: seeded.url });

  assert.ok(stdout.includes(`\n  ${id}\n  Acme invites you\n  refused\n`), stdout);
});

for (const down of [false, true]) {
  test(`a mail behind the mail server ${down ? "that is down " : ""}waits for the same on the screen, in JSON and in CSV`, async (t) => {
    if (down) await relayDown(t);

    const [screen, json, csv] = await Promise.all([run(), run("--json"), run("--format", "csv")]);

    const behind = JSON.parse(json.stdout).notifications.find(({ id }: { id: string }) => id === ids.behind);
    const [said, shown] = down
      ? [
          "waits for the mail server, down since 2026-11-22T07:00:00.000Z: 421 closing; the next probe is due at 2026-11-22T20:22:00.000Z",
          "waits for the mail server, down since 2026-11-22 07:00: 421 closing; the next probe is due at 2026-11-22 20:22",
        ]
      : ["waits for the mail server: connection refused", "waits for the mail server: connection refused"];
    assert.deepEqual([behind.reason, behind.error], [said, down ? "421 closing" : "connection refused"]);
    assert.ok(csv.stdout.includes(said), csv.stdout);
    assert.ok(screen.stdout.replaceAll(/\s+/g, " ").includes(shown), screen.stdout);
  });
}

for (const command of ["show", "explain"] as const) {
  test(`a mail that waits behind the mail server is told by ${command} with what is known of that by now`, async (t) => {
    await relayDown(t);
    const args = command === "show" ? ["notifications", "show", ids.behind] : ["explain", "i1"];

    const [screen, json] = await Promise.all([
      runCommand(args, { url: seeded.url }),
      runCommand([...args, "--json"], { url: seeded.url }),
    ]);

    const answer = JSON.parse(json.stdout);
    const mail = answer.notification ?? answer.notifications.find(({ id }: { id: string }) => id === ids.behind);
    assert.deepEqual([mail.error, mail.nextAttemptAt], ["421 closing", "2026-11-22T20:22:00.000Z"]);
    assert.match(
      screen.stdout.replaceAll(/\s+/g, " "),
      / down since 2026-11-22 07:00: 421 closing; the next probe is due at 2026-11-22 20:22 .*next attempt 2026-11-22 20:22 \(in 12m\) /,
    );
    assert.ok(!screen.stdout.includes("connection refused"));
  });
}

test("mails are found by recipient, kind and time", async () => {
  assert.deepEqual(await idsOf("--recipient", "jo@example.com"), [ids.repeated]);
  assert.deepEqual(await idsOf("--kind", "digest"), [ids.repeated]);
  assert.deepEqual(await idsOf("--since", "2026-11-22T08:02:00Z", "--until", "2026-11-22T08:04:00Z"), [
    ids.behind,
    ids.failed,
  ]);
  assert.deepEqual(await idsOf("--state", "dead", "--kind", "digest"), []);
  const states = ["--state", "dead", "--state", "delivered"];
  assert.deepEqual(await idsOf(...states, "--since", "2026-11-22T08:03:30Z"), [ids.dead, ids.repeated]);
});

for (const command of ["notifications", "history"] as const) {
  const found = async (text: string) => {
    const { code, stdout, stderr } = await runCommand([command, "--invite", text, "--json"], { url: seeded.url });
    assert.deepEqual([code, stderr], [0, ""]);
    return JSON.parse(stdout)[command === "history" ? "events" : "notifications"].length;
  };

  test(`${command} of an invitation are found by its id or the beginning of it`, async () => {
    assert.deepEqual([await found("unique0123456789"), await found("unique"), await found("defe366f02")], [1, 1, 0]);
  });

  for (const [text, sentence] of [
    ["nothing", /^There is no invitation “nothing”\. See `invitewatch invites --all` for the ids\.\n$/],
    ["defe3", /^There is no invitation “defe3”\. The beginning of an id takes at least 6 characters\./],
    [
      "defe366f",
      /^Several invitations begin with “defe366f”; give more of the id:\n {2}defe366f01 .*\n {2}defe366f02 /,
    ],
  ] as const) {
    for (const format of ["table", "json", "csv"]) {
      test(`${command} --invite ${text} as ${format} is refused in the words of explain`, async () => {
        const args = [command, "--invite", text, "--format", format];

        const { code, stdout, stderr } = await runCommand(args, { url: seeded.url });
        const explained = await runCommand(["explain", text], { url: seeded.url });

        assert.deepEqual([code, stdout], [1, ""]);
        assert.match(stderr, sentence);
        assert.equal(stderr, explained.stderr);
      });
    }
  }
}

for (const [args, sentence] of [
  [["--kind", "invite"], /argument 'invite' is invalid\. It takes one of invite\.received, .*digest, summary, test\./],
  [
    ["--state", "lost"],
    /argument 'lost' is invalid\. Allowed choices are pending, sending, delivered, dead, cancelled\./,
  ],
  [["--since", "soon"], /^--since cannot be "soon"/],
  [["resend"], /too many arguments|unknown command/i],
] as const) {
  test(`notifications ${args.join(" ")} is wrong usage`, async () => {
    const { code, stdout, stderr } = await run(...args);

    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, sentence);
  });
}

test("what people decided about mails is told by the history in a sentence", async () => {
  const given = { by: "invitewatch", reason: "refused", notificationId: ids.dead, recipient: "lead@example.com" };
  const died = { type: "notification.dead", inviteId: null, occurredAt: at("09:00"), data: given } as const;
  await seeded.events("ops", [died], at("09:00"));
  await run("retry", ids.dead, "--by", "jo");
  await run("discard", ids.dead, ids.failed, "--reason", "told by phone", "--by", "kim");

  const { stdout } = await runCommand(["history"], { url: seeded.url, columns: 200 });

  const [dead, failed] = [ids.dead, ids.failed].map((id) => id.slice(0, 8));
  for (const line of [
    `notification.dead       mail ${dead} to lead@example.com was given up: refused`,
    `notification.retried    jo had 1 mail (${dead}) tried again`,
    `notification.discarded  kim discarded 2 mails (${failed}, ${dead}): told by phone`,
  ]) {
    assert.ok(stdout.includes(`  ${line}\n`), `${line}\nis not in\n${stdout}`);
  }
});
