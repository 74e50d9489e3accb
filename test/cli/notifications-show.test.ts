import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Prisma } from "../../src/generated/prisma/client.ts";
import { owe } from "../adapters/postgres/people-seed.ts";
import { at, invite, received, type Seeded, seededDatabase } from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

/** Not UTF-8: whoever takes the bytes for text changes them. */
const MIME = Buffer.from([0x53, 0x75, 0x62, 0x3a, 0x20, 0xe4, 0xff, 0x00, 0x0d, 0x0a]);
const DIGEST = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const DIGEST_MESSAGE_ID = `${"5f0c14a2".repeat(8)}@example.com`;
const SUMMARY = "50aa0000-0000-4000-8000-000000000000";
const COVERED = ["c0000001-0000-4000-8000-000000000000", "c0000002-0000-4000-8000-000000000000"] as const;
const HELD = "4e1d0000-0000-4000-8000-000000000000";
const BEHIND = "be414d00-0000-4000-8000-000000000000";
const INVENTORY = "14ae4708-0000-4000-8000-000000000000";

let seeded: Seeded;

before(async () => {
  seeded = await seededDatabase("ops", "b");
  const hostile = invite({ organizationName: "Acme\u001b[31m\u202e GmbH" });
  await seeded.invites(hostile);
  const expiring = { threshold: "24h", expiresAt: at("08:00", 29).toISOString(), covers: [] };
  await seeded.events("ops", [
    received(hostile, at("08:05")),
    { type: "invite.expiring", inviteId: "i1", occurredAt: at("08:05"), data: expiring },
  ]);
  const many = Array.from({ length: 23 }, (_, index) => invite({ watch: "b", id: `many-${index}` }));
  await seeded.events(
    "b",
    many.map((one) => received(one)),
  );
  await oweDigest();
  await owe(seeded, {
    id: SUMMARY,
    watchName: null,
    kind: "summary",
    eventSeqs: [],
    state: "dead",
    reason: "refused for good",
    error: "550 5.1.1 no such user",
    attempts: 1,
    createdAt: at("12:00"),
  });
  const covered = { state: "cancelled", coveredBy: SUMMARY, reason: `covered by ${SUMMARY}` };
  await owe(seeded, { id: COVERED[0], ...covered, heldBy: "quiet-hours", createdAt: at("10:00") });
  await owe(seeded, { id: COVERED[1], ...covered, kind: "invite.expiring", eventSeqs: [1, 2], createdAt: at("11:00") });
  await owe(seeded, {
    id: HELD,
    heldBy: "quiet-hours",
    reason: "quiet hours until 2026-11-23T07:00:00.000Z",
    nextAttemptAt: at("07:00", 23),
  });
  await owe(seeded, { id: BEHIND, waitsForRelay: true, error: "connection refused", attempts: 1 });
  await owe(seeded, {
    id: INVENTORY,
    watchName: "b",
    kind: "inventory",
    eventSeqs: many.map((_, index) => index + 1),
    nextAttemptAt: at("20:00"),
  });
});

after(() => seeded.close());

/** One that the mail server put off once, and then took. */
async function oweDigest(): Promise<void> {
  await owe(seeded, {
    id: DIGEST,
    messageId: DIGEST_MESSAGE_ID,
    watchName: null,
    kind: "digest",
    rules: ["digest"],
    eventSeqs: [],
    subject: "Digest: 3 invitations are pending, the first of them ends tomorrow at eight in the morning",
    state: "delivered",
    createdAt: at("09:00"),
    releasedAt: at("09:00"),
    attempts: 2,
    lastAttemptAt: at("09:01"),
    deliveredAt: at("09:01"),
    response: "250 2.0.0 Ok: queued as 4XyZ",
    mime: new Uint8Array(MIME),
  });
  const tried: Pick<Prisma.AttemptUncheckedCreateInput, "notificationId" | "way"> = {
    notificationId: DIGEST,
    way: "smtp",
  };
  await seeded.database.prisma.attempt.createMany({
    data: [
      {
        ...tried,
        number: 1,
        startedAt: at("09:00"),
        durationMs: 130,
        stage: "recipient",
        outcome: "failed",
        cause: "temporary",
        code: 451,
        enhancedCode: "4.7.1",
        said: "451 4.7.1 try again later",
      },
      {
        ...tried,
        number: 2,
        startedAt: at("09:01"),
        durationMs: 2_040,
        stage: "answer",
        outcome: "accepted",
        code: 250,
        enhancedCode: "2.0.0",
        queueId: "4XyZ",
        said: "250 2.0.0 Ok: queued as 4XyZ",
      },
    ],
  });
}

function show(args: readonly string[], columns = 80) {
  return runCommand(["notifications", "show", ...args], { url: seeded.url, columns });
}

async function json(id: string) {
  const { code, stdout, stderr } = await show([id, "--json"]);
  assert.deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

test("a mail is shown with every attempt at it, though it is about no invitation, on 80 columns", async () => {
  const { code, stdout, stderr } = await show([DIGEST.slice(0, 6)]);

  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(
    stdout,
    `The mail to lead@example.com
  id            ${DIGEST}
  Message-ID
  <${DIGEST_MESSAGE_ID}>
  kind          digest
  watch         several
  state         delivered
  created       2026-11-22 09:00
  released      2026-11-22 09:00
  chosen by     digest
  subject       Digest: 3 invitations are pending, the first of them ends
                tomorrow at eight in the morning
  attempts      2, the last at 2026-11-22 09:01
  attempt 1     2026-11-22 09:00, 0.1 s: failed (temporary) at recipient: 451
                4.7.1 try again later
  attempt 2     2026-11-22 09:01, 2.0 s: accepted: 250 2.0.0 Ok: queued as 4XyZ
  answer        250 2.0.0 Ok: queued as 4XyZ
  delivered     2026-11-22 09:01

It is an overview, and tells no event by itself.

Times are in UTC.
`,
  );
});

test("a mail that was retried after its first attempt was not released after that", async () => {
  const id = await owe(seeded, { attempts: 1, createdAt: at("07:05"), releasedAt: at("07:11") });
  const tried = { number: 1, durationMs: 130, way: "smtp", stage: "connect", outcome: "failed", said: "refused" };
  await seeded.database.prisma.attempt.create({ data: { notificationId: id, startedAt: at("07:08"), ...tried } });

  const { stdout } = await show([id]);

  assert.match(stdout, /\n {2}created +2026-11-22 07:05\n {2}retried +2026-11-22 07:11\n/);
});

test("a mail that never left is not said to have been released", async () => {
  const id = await owe(seeded, { attempts: 0, createdAt: at("07:05"), releasedAt: at("06:11") });

  const { stdout } = await show([id]);

  assert.doesNotMatch(stdout, /released|retried/);
});

test("on 160 columns nothing of the same mail has to be wrapped", async () => {
  const { stdout } = await show([DIGEST], 160);

  for (const line of [
    `  Message-ID    <${DIGEST_MESSAGE_ID}>`,
    "  subject       Digest: 3 invitations are pending, the first of them ends tomorrow at eight in the morning",
    "  attempt 1     2026-11-22 09:00, 0.1 s: failed (temporary) at recipient: 451 4.7.1 try again later",
  ]) {
    assert.ok(stdout.includes(`\n${line}\n`), `${line}\nis not in\n${stdout}`);
  }
});

for (const text of [DIGEST_MESSAGE_ID, `<${DIGEST_MESSAGE_ID}>`, DIGEST.toUpperCase()]) {
  test(`${text} finds the mail`, async () => {
    assert.equal((await json(text)).notification.id, DIGEST);
  });
}

test("a mail in place of others says which, and tells what those were to tell", async () => {
  const { stdout } = await show([SUMMARY]);

  assert.match(stdout, /\n {2}state {9}dead\n(?:.*\n)* {2}reason {8}refused for good\n/);
  assert.match(stdout, /\n {2}error {9}550 5\.1\.1 no such user\n/);
  assert.ok(
    stdout.endsWith(`
It tells
  ops/1  invite.received  “Acme\\u{1b}[31m\\u{202e} GmbH” invites
    ops@example.com as Administrator, until 2026-11-29 08:00
  ops/2  invite.expiring  “Acme\\u{1b}[31m\\u{202e} GmbH” ends 2026-11-29 08:00
    (24h)

It tells in place of
  mail c0000001  2026-11-22 10:00  invite.received, held for quiet-hours
  mail c0000002  2026-11-22 11:00  invite.expiring

Times are in UTC.
`),
    stdout,
  );
});

test("a mail that another tells in its place says which", async () => {
  const { stdout } = await show([COVERED[0]]);

  assert.match(stdout, /\n {2}state {9}cancelled\n/);
  assert.match(stdout, /\n {2}told by {7}mail 50aa0000, in its place\n {2}attempts {6}none\n/);
});

for (const [what, id, lines] of [
  [
    "held",
    HELD,
    /held for {6}quiet-hours\n {2}reason {8}quiet hours until 2026-11-23 07:00\n {2}attempts {6}none\n {2}next attempt {2}2026-11-23 07:00 \(in 10h50m\)\n/,
  ],
  [
    "behind a mail server that is down",
    BEHIND,
    /reason {8}waits for the mail server: connection refused\n {2}attempts {6}1\n {2}next attempt {2}now\n/,
  ],
  ["due", INVENTORY, /chosen by {5}default\n {2}attempts {6}none\n {2}next attempt {2}now\n/],
] as const) {
  test(`a mail that is ${what} says what it waits for`, async () => {
    assert.match((await show([id])).stdout, lines);
  });
}

test("of many events twenty are told and the others counted", async () => {
  const { stdout } = await show([INVENTORY], 160);

  const told = stdout.split("\n").filter((line) => line.startsWith("  b/"));
  assert.equal(told.length, 20);
  assert.match(told[0] ?? "", /^ {2}b\/1 {2}invite\.received {2}“Acme GmbH” invites ops@example\.com /);
  assert.match(stdout, /\n {2}b\/20 .*\n {2}and 3 more: --json has them all\n/);
  assert.equal((await json(INVENTORY)).events.length, 23);
});

test("no line is wider than a terminal of 40 columns but for the ids, which are whole", async () => {
  for (const id of [DIGEST, SUMMARY, HELD, INVENTORY]) {
    const { stdout } = await show([id], 40);

    const wide = stdout.split("\n").filter((line) => line.length > 40);
    assert.ok(stdout.includes(`\n  ${id}\n`));
    assert.deepEqual(
      wide.filter((line) => !/^ {2}<\S+>$/.test(line)),
      [],
    );
  }
});

test("as JSON it is the mail as lists have it and more, its attempts, and the events that it tells", async () => {
  const list = await runCommand(["notifications", "--kind", "digest", "--json"], { url: seeded.url });

  const { notification, deliveryAttempts, events } = await json(DIGEST);

  const [listed] = JSON.parse(list.stdout).notifications;
  assert.deepEqual(notification, {
    ...listed,
    syncId: null,
    rules: ["digest"],
    heldBy: null,
    coveredBy: null,
    releasedAt: "2026-11-22T09:00:00.000Z",
    usefulUntil: null,
    nextAttemptAt: null,
    lastAttemptAt: "2026-11-22T09:01:00.000Z",
    covers: [],
  });
  assert.deepEqual(
    deliveryAttempts.map(({ number, startedAt, outcome, code }: Record<string, unknown>) => [
      number,
      startedAt,
      outcome,
      code,
    ]),
    [
      [1, "2026-11-22T09:00:00.000Z", "failed", 451],
      [2, "2026-11-22T09:01:00.000Z", "accepted", 250],
    ],
  );
  assert.deepEqual(events, []);
});

test("as JSON a mail in place of others has their ids and their events, each once and as the history has it", async () => {
  const history = await runCommand(["history", "--watch", "ops", "--order", "asc", "--json"], { url: seeded.url });

  const { notification, events } = await json(SUMMARY);

  assert.deepEqual(notification.covers, COVERED);
  assert.deepEqual(events, JSON.parse(history.stdout).events);
});

test("the mail itself is written byte for byte", async () => {
  const { code, bytes, stderr } = await show([`<${DIGEST_MESSAGE_ID}>`, "--mime"]);

  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(bytes, MIME);
});

test("a mail that was not attempted is not written yet", async () => {
  const { code, stdout, stderr } = await show([HELD, "--mime"]);

  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(
    stderr,
    `Mail ${HELD} to lead@example.com (invite.received) is not written yet: that is done just before its first attempt, and there was none.\n`,
  );
});

for (const args of [[], ["--json"], ["--mime"]]) {
  test(`a beginning that several mails have is refused with the list of them ${args.join("")}`, async () => {
    const { code, stdout, stderr } = await show(["c00000", ...args]);

    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(
      stderr,
      "Several mails begin with “c00000”; give more of the id:\n" +
        `  ${COVERED[1]}  2026-11-22 11:00 to lead@example.com: cancelled\n` +
        `  ${COVERED[0]}  2026-11-22 10:00 to lead@example.com: cancelled\n`,
    );
  });
}

for (const [text, more] of [
  ["ffffff", ""],
  ["fff", " The beginning of an id takes at least 6 characters."],
  [`x${DIGEST_MESSAGE_ID}`, ""],
] as const) {
  test(`${text} is no mail`, async () => {
    const { code, stdout, stderr } = await show([text]);

    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(stderr, `There is no mail “${text}”.${more} See \`invitewatch notifications\` for the ids.\n`);
  });
}

for (const [args, sentence] of [
  [[], /^Missing required argument 'id'\./i],
  [[DIGEST, "--mime", "--json"], /^Option '--mime' cannot be used with option '--json'\./],
  [[DIGEST, "--mime", "--format", "table"], /^Option '--mime' cannot be used with option '--format <format>'\./],
  [[DIGEST, "--format", "csv"], /Allowed choices are table, json\./],
] as const) {
  test(`show ${args.join(" ")} is wrong usage`, async () => {
    const { code, stdout, stderr } = await show(args);

    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, sentence);
  });
}

test("its help has examples, and the help of notifications names it", async () => {
  const own = await show(["--help"]);
  const above = await runCommand(["notifications", "--help"], { url: seeded.url });

  assert.deepEqual([own.code, above.code], [0, 0]);
  assert.match(own.stdout, /Examples:\n {2}\$ invitewatch notifications show /);
  assert.match(above.stdout, /\nEvery attempt at a mail is told by `invitewatch notifications show`/);
});
