import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import {
  at,
  invite,
  notification,
  received,
  type Seeded,
  seededDatabase,
  sync,
} from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

const WELL = { putOff: 0, putOffError: null, relayDownSince: null, relayError: null, relayNextProbeAt: null };

let seeded: Seeded;

beforeEach(async () => {
  seeded = await seededDatabase("ops");
});

afterEach(() => seeded.close());

function status(...args: readonly string[]) {
  return runCommand(["status", ...args], { url: seeded.url });
}

test("a watch that is synced and owes nothing is well: exit 0", async () => {
  await seeded.syncs(sync(at("19:45")), sync(at("20:00")));
  await seeded.invites(invite());

  const { code, stdout } = await status();

  assert.equal(code, 0);
  assert.equal(
    stdout,
    [
      "ops",
      "  last complete sync   2026-11-22 20:00 (10m ago)",
      "  pending invitations  1",
      "  next to end          2026-11-29 08:00 (in 6d11h) “Acme GmbH”",
      "",
      "mail",
      "  owed                 nothing",
      "  given up             none",
      "",
      "Times are in UTC.",
      "",
    ].join("\n"),
  );
});

test("in JSON it is the watches, the mail and the digest", async () => {
  await seeded.syncs(sync(at("20:00")), sync(at("20:05"), { outcome: "failed", reason: "HTTP 502" }));
  await seeded.invites(invite());
  const [event] = await seeded.events("ops", [received()]);
  await seeded.notifications(notification({ state: "pending", createdAt: at("20:00") }));

  const { code, stdout } = await status("--json");

  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), {
    watches: [
      {
        watch: "ops",
        lastCompleteAt: "2026-11-22T20:00:00.000Z",
        late: false,
        lastSync: { startedAt: "2026-11-22T20:05:00.000Z", outcome: "failed", reason: "HTTP 502" },
        blindSince: null,
        gap: { watch: "ops", since: "2026-11-22T20:00:00.000Z", until: null, reason: "HTTP 502", syncs: 1 },
        pending: 1,
        nextExpiry: { inviteId: "i1", organizationName: "Acme GmbH", expiresAt: "2026-11-29T08:00:00.000Z" },
        head: { seq: 1, hash: event?.hash },
      },
    ],
    mail: { owed: 1, held: 0, overdue: 0, oldestOwedAt: "2026-11-22T20:00:00.000Z", dead: 0, ...WELL },
    digest: null,
    clocks: [],
  });
});

test("a last sync that fell short, and the gap that it opened, are on the screen", async () => {
  await seeded.syncs(sync(at("20:00")), sync(at("20:05"), { outcome: "failed", reason: "HTTP 502" }));

  const { stdout } = await status();

  assert.match(stdout, /\n {2}last sync +2026-11-22 20:05 \(5m ago\) failed: HTTP 502\n/);
  assert.match(stdout, /\n {2}gap +open since 2026-11-22 20:00 \(10m ago\): HTTP 502\n/);
});

test("a mail that waits on purpose is owed, and not overdue", async () => {
  await seeded.syncs(sync(at("20:00")));
  const held = { heldBy: "quiet-hours", nextAttemptAt: at("23:00") } as const;
  await seeded.notifications(notification({ ...held, state: "pending", attempts: 0, createdAt: at("12:00") }));

  const { code, stdout } = await status();

  assert.equal(code, 0);
  assert.match(stdout.replaceAll(/\s+/g, " "), / owed 1, .*, 1 held on purpose, 0 overdue /);
});

test("a mail that was held and let through a moment ago is not overdue, whenever it came to be owed", async () => {
  await seeded.syncs(sync(at("20:00")));
  const released = { heldBy: "quiet-hours", releasedAt: at("20:08"), nextAttemptAt: at("20:08") } as const;
  await seeded.notifications(notification({ ...released, state: "pending", createdAt: at("12:00") }));

  const { code, stdout } = await status();

  assert.equal(code, 0);
  assert.match(stdout.replaceAll(/\s+/g, " "), / owed 1, .*, 0 overdue /);
});

test("it exits 1 when a watch is blind, and says since when", async () => {
  await seeded.syncs(sync(at("20:00")));
  await seeded.database.prisma.watch.update({ where: { name: "ops" }, data: { blindSince: at("19:00") } });

  const { code, stdout } = await status();

  assert.equal(code, 1);
  assert.match(stdout, /\n {2}BLIND +since 2026-11-22 19:00/);
});

test("it exits 1 when the last complete sync is older than two intervals", async () => {
  await seeded.syncs(sync(at("19:30")));

  const { code, stdout } = await status();

  assert.equal(code, 1);
  assert.match(stdout, /last complete sync +2026-11-22 19:30 \(40m ago\), LATE\n/);
});

test("it exits 1 when no sync was ever complete", async () => {
  await seeded.syncs(sync(at("20:00"), { outcome: "failed", reason: "HTTP 401" }));

  const { code, stdout } = await status();

  assert.equal(code, 1);
  assert.match(stdout, /last complete sync +never, LATE\n/);
});

test("it exits 1 when a mail is owed for more than half an hour", async () => {
  await seeded.syncs(sync(at("20:00")));
  await seeded.notifications(notification({ state: "pending", createdAt: at("19:39") }));

  const { code, stdout } = await status();

  assert.equal(code, 1);
  assert.match(stdout, /owed +1, oldest since 2026-11-22 19:39 \(31m ago\), 1 overdue\n/);
});

test("it exits 1 when a mail was given up", async () => {
  await seeded.syncs(sync(at("20:00")));
  await seeded.notifications(notification({ state: "dead" }));

  const { code, stdout } = await status();

  assert.equal(code, 1);
  assert.match(
    stdout.replaceAll(/\s+/g, " "),
    / given up 1: `invitewatch notifications --state dead` lists them, `invitewatch notifications retry --all-dead` has them sent again, `invitewatch notifications discard ID --reason TEXT` drops them /,
  );
});

test("the command that it offers for mails that were given up does work", async () => {
  await seeded.notifications(notification({ state: "dead" }));
  const { stdout } = await status();
  const [, offered = ""] = stdout.replaceAll(/\s+/g, " ").match(/`invitewatch ([^`]*)` has them sent again/) ?? [];

  const retried = await runCommand(offered.split(" "), { url: seeded.url });

  assert.deepEqual([retried.code, retried.stderr], [0, ""]);
  assert.match(retried.stdout, /is due now/);
});

async function relayDown(nextProbeAt: Date): Promise<void> {
  const down = { downSince: at("19:00"), failures: 3, nextProbeAt, error: "connection refused" };
  await seeded.database.prisma.relay.create({ data: { name: "smtp", ...down } });
}

test("a mail server that is down is named with its error and since when", async () => {
  await seeded.syncs(sync(at("20:00")));
  await relayDown(at("20:15"));

  const screen = await status();
  const { mail } = JSON.parse((await status("--json")).stdout);

  assert.match(
    screen.stdout,
    /\n {2}mail server +down since 2026-11-22 19:00 \(1h10m ago\): connection\n {23}refused\n/,
  );
  assert.equal(mail.relayDownSince, "2026-11-22T19:00:00.000Z");
  assert.equal(mail.relayError, "connection refused");
});

test("it says how many mails the mail server puts off, and why the latest", async () => {
  const putOff = { state: "pending", attempts: 1, nextAttemptAt: at("20:30") } as const;
  await seeded.notifications(
    notification({ ...putOff, releasedAt: at("19:50"), error: "451 an earlier one" }),
    notification({ ...putOff, releasedAt: at("19:55"), error: "451 come back later" }),
    notification({ state: "pending", createdAt: at("20:05") }),
  );
  await seeded.database.prisma.$executeRaw`UPDATE notification SET last_attempt_at = released_at`;

  const { stdout } = await status();
  const { mail } = JSON.parse((await status("--json")).stdout);

  assert.match(stdout, /\n {2}put off +2, the latest: 451 come back later\n/);
  assert.deepEqual([mail.putOff, mail.putOffError], [2, "451 come back later"]);
});

for (const [nextProbeAt, when] of [
  [at("20:22"), "2026-11-22 20:22 (in 12m)"],
  [at("20:09"), "now"],
] as const) {
  test(`it says that a mail server that is down is tried ${when}, and how to have it tried now`, async () => {
    await seeded.notifications(notification({ state: "pending", createdAt: at("19:00") }));
    await relayDown(nextProbeAt);

    const { stdout } = await status();
    const { mail } = JSON.parse((await status("--json")).stdout);

    const hurry = "`invitewatch notifications retry ID` of any owed mail tries now";
    assert.ok(stdout.replaceAll(/\s+/g, " ").includes(`: connection refused next try ${when}; ${hurry} `), stdout);
    assert.equal(mail.relayNextProbeAt, nextProbeAt.toISOString());
  });
}

test("where no mail is due that might try the mail server, no time is promised", async () => {
  await relayDown(at("20:22"));

  const { stdout } = await status();

  assert.match(stdout, /refused\n {23}the next mail that is due tries it\n/);
});
