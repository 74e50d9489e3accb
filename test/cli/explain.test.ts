import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { inviteJson } from "../../src/domain/invite.ts";
import { owe, suppress } from "../adapters/postgres/people-seed.ts";
import {
  at,
  changedStatus,
  invite,
  received,
  type Seeded,
  seededDatabase,
  sync,
} from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

const HOSTILE = "Acme\u001b[31m\u202e GmbH";
const acme = invite({
  id: "abcdef01",
  organizationName: HOSTILE,
  cautions: ["the inviter's domain was not seen before"],
  alertedLeadMs: null,
});
const CONFIGURED = {
  CLOUDFLARE_API_TOKEN: "token-of-this-test",
  SMTP_URL: "smtp://127.0.0.1:2525",
  MAIL_FROM: "invites@example.com",
  MAIL_TO: "lead@example.com",
};

let seeded: Seeded;
/** Of the delivered mail, the held one, the summary and the one that it covers. */
let mails: { readonly told: string; readonly held: string; readonly summary: string; readonly covered: string };
const heldBy = randomUUID();

before(async () => {
  seeded = await seededDatabase("default", "b");
  const own = { ...acme, watch: "default" };
  await seeded.invites(own, invite({ id: "shared00", watch: "default" }), invite({ id: "shared00", watch: "b" }));
  const first = sync(at("08:05"), { watch: "default" });
  await seeded.syncs(first);
  await seeded.events("default", [received(own)], at("08:05"));
  const changes = { organizationName: { from: "A", to: HOSTILE } };
  await seeded.events(
    "default",
    [
      { type: "invite.changed", inviteId: own.id, occurredAt: at("09:00"), data: { changes } },
      changedStatus(own.id, "pending", at("10:00")),
      {
        type: "watch.blind",
        inviteId: null,
        occurredAt: at("11:00"),
        data: { reason: "HTTP 502", since: at("10:30").toISOString(), until: null, atRisk: [own.id] },
      },
      { type: "invite.acknowledged", inviteId: "other", occurredAt: at("11:30"), data: { by: "jo", reason: null } },
    ],
    at("11:30"),
  );
  const common = { watchName: "default" };
  const told = await owe(seeded, {
    ...common,
    state: "delivered",
    subject: "Invitation",
    attempts: 3,
    lastAttemptAt: at("08:07"),
    deliveredAt: at("08:07"),
    response: "250 queued as 4XyZ",
    rules: ["default", "routes[0]"],
  });
  const tried = { notificationId: told, durationMs: 130, way: "smtp" };
  await seeded.database.prisma.attempt.createMany({
    data: [
      {
        ...tried,
        number: 1,
        startedAt: at("08:05"),
        stage: "recipient",
        outcome: "failed",
        cause: "temporary",
        code: 451,
        enhancedCode: "4.7.1",
        said: "451 4.7.1 later",
      },
      {
        ...tried,
        number: 3,
        startedAt: at("08:07"),
        way: "fallback-smtp",
        durationMs: 2_040,
        stage: "answer",
        outcome: "accepted",
        code: 250,
        queueId: "4XyZ",
        said: "queued",
      },
    ],
  });
  const held = await owe(seeded, {
    ...common,
    eventSeqs: [3],
    heldBy: "quiet-hours",
    reason: "quiet hours until 7",
    nextAttemptAt: at("07:00", 23),
    createdAt: at("10:00"),
  });
  const summary = await owe(seeded, {
    watchName: null,
    recipient: "ops@example.com",
    kind: "summary",
    eventSeqs: [],
    state: "dead",
    reason: "refused",
    error: "550 no such user",
    attempts: 1,
    createdAt: at("12:00"),
  });
  const covered = await owe(seeded, {
    ...common,
    recipient: "ops@example.com",
    eventSeqs: [3, 4],
    state: "cancelled",
    coveredBy: summary,
    reason: `covered by ${summary}`,
    createdAt: at("11:00"),
  });
  await suppress(seeded, { ...common, eventSeqs: [2] });
  await seeded.database.prisma.silence.create({
    data: {
      id: heldBy,
      organization: "acme",
      until: at("20:00", 25),
      reason: "all is expected",
      createdBy: "jo",
      createdAt: at("12:30"),
    },
  });
  mails = { told, held, summary, covered };
});

after(() => seeded.close());

function run(...args: readonly string[]) {
  return runCommand(["explain", ...args], { url: seeded.url, env: CONFIGURED });
}

async function json(...args: readonly string[]) {
  const { code, stdout, stderr } = await run(...args, "--json");
  assert.deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

test("explain as JSON has everything that is recorded of the invitation", async () => {
  const answer = await json("abcdef");

  assert.deepEqual(Object.keys(answer), ["invite", "events", "notifications", "suppressions", "silences"]);
  assert.deepEqual(answer.invite, {
    ...inviteJson({ ...acme, watch: "default" }),
    acknowledgedAt: null,
    cautions: acme.cautions,
    nextReminder: { threshold: "72h", at: "2026-11-26T08:00:00.000Z" },
  });
  assert.deepEqual(
    answer.events.map(({ seq, type }: { seq: number; type: string }) => `${seq} ${type}`),
    ["1 invite.received", "2 invite.changed", "3 invite.status_changed", "4 watch.blind"],
  );
  assert.deepEqual(
    answer.notifications.map(({ id }: { id: string }) => id),
    [mails.told, mails.held, mails.covered, mails.summary],
  );
  assert.deepEqual([answer.suppressions.length, answer.silences[0].id], [1, heldBy]);
});

test("every event says for each recipient whether it was mailed, waits, or why it was not", async () => {
  const { events } = await json("abcdef01");

  const outcomes = events.map((event: { outcomes: { recipient: string; outcome: string; reason: string }[] }) =>
    event.outcomes.map(({ recipient, outcome, reason }) => `${recipient}: ${outcome}: ${reason}`),
  );
  assert.deepEqual(outcomes, [
    ["lead@example.com: mailed: null"],
    ["null: not mailed: minor change: only organizationName changed"],
    [
      "lead@example.com: waiting: quiet hours until 7",
      "ops@example.com: not mailed: given up: refused: 550 no such user",
    ],
    ["ops@example.com: not mailed: given up: refused: 550 no such user"],
  ]);
});

test("every attempt at a mail is under the mail, with how far it came and what was said", async () => {
  const { notifications } = await json("abcdef01");

  const [first, last] = notifications[0].deliveryAttempts;
  assert.deepEqual(first, {
    number: 1,
    startedAt: "2026-11-22T08:05:00.000Z",
    durationMs: 130,
    way: "smtp",
    stage: "recipient",
    outcome: "failed",
    cause: "temporary",
    code: 451,
    enhancedCode: "4.7.1",
    queueId: null,
    said: "451 4.7.1 later",
  });
  assert.deepEqual([last.number, last.way, last.queueId], [3, "fallback-smtp", "4XyZ"]);
  assert.deepEqual(notifications[1].deliveryAttempts, []);
});

test("explain on a screen tells it in the order of time, on 80 columns, without obeying a name", async () => {
  const { code, stdout } = await run("abcdef01");

  const short = (id: string) => id.slice(0, 8);
  assert.equal(code, 0);
  for (const text of [
    "The invitation of “Acme\\u{1b}[31m\\u{202e} GmbH”\n  id            abcdef01\n  watch         default\n",
    "  status        pending, ends 2026-11-29 08:00 (in 6d11h)\n  acknowledged  no\n",
    `  silenced      until 2026-11-25 20:00 by silence ${short(heldBy)}\n`,
    "  look twice    the inviter's domain was not seen before\n",
    "  next          a reminder at 2026-11-26 08:00 (in 3d11h): 72h before the end,\n                to lead@example.com (default)\n",
    "\n2026-11-22 08:05  invite.received  default/1\n",
    `  - lead@example.com (default, routes[0]): mailed 2026-11-22 08:07, mail\n    ${short(mails.told)}\n`,
    "  - everybody: not mailed: minor change: only organizationName changed\n",
    "  no complete list since 2026-11-22 10:30: HTTP 502\n",
    "  by jo, until 2026-11-25 20:00: all is expected\n",
    `  told by       mail ${short(mails.summary)}, in its place\n`,
    "  attempts      3, the last at 2026-11-22 08:07\n  attempt 1     2026-11-22 08:05, 0.1 s: failed (temporary) at recipient: 451\n                4.7.1 later\n",
    "  attempt 2     nobody knows how it ended: it has no record\n",
    "  attempt 3     2026-11-22 08:07, 2.0 s: accepted by the second mail server,\n                queued as 4XyZ: 250 queued\n",
    "  answer        250 queued as 4XyZ\n",
    `  <${mails.told}@example.com>\n`,
    "  error         550 no such user\n",
  ]) {
    assert.ok(stdout.includes(text), `${text}\nis not in\n${stdout}`);
  }
  assert.match(stdout, /waiting until 2026-11-23 07:00, mail \S{8}:\s+quiet hours until 7\n/);
  assert.ok(stdout.split("\n").every((line) => line.length <= 80));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point.
  assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test("what happened comes in the order of time, silences among it", async () => {
  const { stdout } = await run("abcdef01");

  const heads = stdout.split("\n").filter((line) => /^2026-/.test(line));
  assert.deepEqual(
    heads.map((line) => line.split(/ {2}/)[1]),
    [
      "invite.received",
      "invite.changed",
      "invite.status_changed",
      "watch.blind",
      `silence ${heldBy.slice(0, 8)} begins`,
    ],
  );
});

test("an invitation is explained whose mails one mail of the same watch tells in their place", async () => {
  // A mail that takes the place of others is made without events of its own.
  const summary = { recipient: "x@example.com", kind: "summary", rules: [], createdAt: at("12:00") };
  const id = randomUUID();
  await seeded.database.prisma.notification.create({
    data: { ...summary, id, watchName: "b", messageId: `${id}@example.com`, state: "pending" },
  });
  await seeded.events("b", [received(invite({ id: "folded00", watch: "b" }))]);
  await seeded.invites(invite({ id: "folded00", watch: "b" }));
  await owe(seeded, { watchName: "b", state: "cancelled", coveredBy: id, createdAt: at("11:00") });

  const { notifications } = await json("folded00");

  assert.deepEqual(
    notifications.map(({ eventSeqs }: { eventSeqs: number[] }) => eventSeqs),
    [[1], []],
  );
});

test("without a configuration explain says that the thresholds are not known", async () => {
  const { code, stdout } = await runCommand(["explain", "abcdef01"], { url: seeded.url });

  assert.equal(code, 0);
  assert.match(stdout, /no reminder: the watch default is not in this configuration/);
});

test("an invitation of several watches is explained for the one that is named", async () => {
  const { code, stdout, stderr } = await run("shared00");
  const { invite: chosen } = await json("shared00", "--watch", "b");

  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(stderr, "Several watches have this invitation: b, default. Name one with --watch.\n");
  assert.equal(chosen.watch, "b");
});

test("an invitation of which nothing was mailed says so", async () => {
  const { code, stdout } = await run("shared00", "--watch", "b");

  assert.equal(code, 0);
  assert.match(stdout, /\nNo mail was made\.\n/);
});

test("what is not there cannot be explained", async () => {
  const { code, stderr } = await run("nothing");

  assert.equal(code, 1);
  assert.match(stderr, /^There is no invitation “nothing”\./);
});
