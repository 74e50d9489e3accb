import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventJson } from "../../src/domain/chain.ts";
import type { Event } from "../../src/domain/event.ts";
import { inviteJson } from "../../src/domain/invite.ts";
import {
  at,
  changedStatus,
  invite,
  notification,
  received,
  type Seeded,
  seededDatabase,
  sync,
} from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

const HOSTILE = '=cmd|" /C calc"!A0\u001b[31m\u202e';
const acme = invite();
const hostile = invite({ id: "i2", organizationName: HOSTILE, status: "accepted", invitedAt: at("09:00") });

let seeded: Seeded;
let events: readonly Event[];

before(async () => {
  seeded = await seededDatabase("ops", "b");
  await seeded.invites(acme, hostile);
  events = [
    ...(await seeded.events("ops", [received(acme)], at("08:05"))),
    ...(await seeded.events("ops", [received(hostile, at("09:05")), changedStatus("i2", "accepted", at("10:00"))])),
    ...(await seeded.events("b", [changedStatus("x", "accepted", at("11:00"))])),
  ];
  await seeded.syncs(
    sync(at("19:00")),
    sync(at("19:15"), { outcome: "failed", reason: "HTTP 502", httpStatus: 502 }),
    sync(at("19:30"), { events: 2 }),
    sync(at("20:00")),
    sync(at("20:00"), { watch: "b", intervalMs: 3_600_000 }),
  );
  await seeded.notifications(notification({ createdAt: at("20:00"), state: "pending", deliveredAt: null }));
});

after(() => seeded.close());

function run(...args: readonly string[]) {
  return runCommand(args, { url: seeded.url, columns: 80 });
}

async function json(...args: readonly string[]) {
  const { stdout, stderr } = await run(...args, "--json");
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

async function lines(...args: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await run(...args);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout.split("\n").slice(0, -1);
}

test("history as NDJSON is the events alone, oldest first", async () => {
  const rows = (await lines("history", "--format", "ndjson")).map((line) => JSON.parse(line));

  assert.deepEqual(rows, events.map(eventJson));
  assert.deepEqual(Object.keys(rows[0] ?? {}), Object.keys(eventJson(events[0] as Event)));
});

test("history as JSON is newest first, with cursor and coverage", async () => {
  const answer = await json("history", "--since", "2026-11-22T08:30:00Z", "--watch", "ops", "--limit", "1");

  assert.deepEqual(Object.keys(answer), ["events", "next", "coverage"]);
  assert.deepEqual(answer.events, [eventJson(events[2] as Event)]);
  assert.deepEqual(Object.keys(answer.coverage), ["since", "until", "share", "watches", "gaps"]);
  assert.equal(answer.coverage.since, "2026-11-22T08:30:00.000Z");
  assert.equal(answer.coverage.share, 10 / 700);
  assert.deepEqual(answer.coverage.gaps[1], {
    watch: "ops",
    since: "2026-11-22T19:00:00.000Z",
    until: "2026-11-22T19:30:00.000Z",
    reason: "HTTP 502",
    syncs: 1,
  });

  const rest = await json("history", "--since", "2026-11-22T08:30:00Z", "--watch", "ops", "--cursor", answer.next);
  assert.deepEqual([rest.events, rest.next], [[eventJson(events[1] as Event)], null]);
});

test("every filter of history reaches the question", async () => {
  const filters = [
    "--type",
    "invite.*",
    "--type",
    "!invite.received",
    "--invite",
    "i2",
    "--org",
    "CALC",
    "--email",
    "ops@",
  ];
  const more = ["--inviter", "boss", "--status", "accepted", "--text", "accept", "--since", "12h", "--until", "1h"];

  const answer = await json("history", ...filters, ...more);

  assert.deepEqual(answer.events, [eventJson(events[2] as Event)]);
});

for (const filter of [
  ["--type", "watch.*"],
  ["--org", "nobody"],
  ["--email", "nobody"],
  ["--inviter", "nobody"],
  ["--status", "rejected"],
  ["--text", "nothing like it"],
  ["--since", "1h"],
  ["--until", "2026-11-22"],
  ["--watch", "nobody"],
]) {
  test(`history finds nothing where ${filter.join(" ")} is asked for`, async () => {
    const { code, stdout } = await run("history", ...filter, "--json");

    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout).events, []);
  });
}

test("history as a table escapes hostile names, and ends with coverage and gaps", async () => {
  const { code, stdout } = await run("history", "--watch", "ops");

  assert.equal(code, 0);
  assert.match(stdout, /^TIME +WATCH +SEQ +TYPE\n2026-11-22 10:00 +ops +3 +invite\.status_changed\n/);
  assert.match(stdout, /“=cmd\|' \/C calc'!A0\\u\{1b\}\[31m\\u\{202e\}”: pending → accepted/);
  assert.match(stdout, /\nCoverage: 14\.28 % of 2026-11-22 19:00 to 2026-11-22 20:10, 2 gaps:\n/);
  assert.match(stdout, /\n {2}ops: 2026-11-22 19:00 to 2026-11-22 19:30 \(30m\): HTTP 502\n/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point.
  assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test("a wide terminal has each event on one line", async () => {
  const { stdout } = await runCommand(["history", "--watch", "ops"], { url: seeded.url, columns: 160 });

  assert.match(stdout, /^TIME +RECORDED +WATCH +SEQ +TYPE +WHAT\n/);
  assert.match(
    stdout,
    /invite\.received +“Acme GmbH” invites ops@example\.com as Administrator, until 2026-11-29 08:00\n/,
  );
});

test("times on the screen are in the configured zone", async () => {
  const { stdout } = await runCommand(["history"], { url: seeded.url, timezone: "Asia/Tokyo" });

  assert.match(stdout, /\n2026-11-22 20:00 +b +1 /);
  assert.match(stdout, /\nTimes are in Asia\/Tokyo\.\n$/);
});

test("history as CSV has a header, whole values, and no formula", async () => {
  const args = ["invites", "--all", "--format", "csv"];

  const { stdout } = await runCommand(args, { url: seeded.url });

  const [header, ...rows] = stdout.split("\r\n");
  assert.equal(
    header,
    Object.keys(inviteJson(acme))
      .map((key) => `"${key}"`)
      .join(","),
  );
  assert.equal(rows.length, 3);
  assert.ok(rows[0]?.includes(String.raw`,"'=cmd|"" /C calc""!A0\u{1b}[31m\u{202e}",`), rows[0]);
  assert.ok(rows[0]?.includes(',"[""Administrator""]",'));
});

for (const [command, keys] of [
  ["history", Object.keys(eventJson({ occurredAt: at("10:00"), recordedAt: at("10:00") } as Event))],
  ["syncs", "id,watch,startedAt,finishedAt,outcome,reason,httpStatus,code,pages,listed,totalCount,events".split(",")],
  ["gaps", ["watch", "since", "until", "reason", "syncs"]],
  [
    "notifications",
    "id,watch,recipient,kind,subject,messageId,state,reason,attempts,createdAt,deliveredAt,response,error,eventSeqs".split(
      ",",
    ),
  ],
] as const) {
  test(`${command} has the same keys in JSON, NDJSON and the header of CSV`, async () => {
    const noun = command === "history" ? "events" : command;
    const answer = await json(command);
    const [ndjson = ""] = await lines(command, "--format", "ndjson");
    const [csv] = (await run(command, "--format", "csv")).stdout.split("\r\n");

    assert.deepEqual(Object.keys(answer[noun][0]), keys);
    assert.deepEqual(Object.keys(JSON.parse(ndjson)), keys);
    assert.equal(csv, keys.map((key) => `"${key}"`).join(","));
    assert.equal(answer.next, null);
  });
}

test("invites are the pending ones unless another status or all are asked for", async () => {
  const ids = async (...args: readonly string[]) =>
    (await json("invites", ...args)).invites.map((one: { id: string }) => one.id);

  assert.deepEqual((await json("invites")).invites, [inviteJson(acme)]);
  assert.deepEqual(await ids("--status", "accepted"), ["i2"]);
  assert.deepEqual(await ids("--all"), ["i2", "i1"]);
  assert.deepEqual(await ids("--all", "--order", "asc"), ["i1", "i2"]);
  assert.deepEqual(await ids("--org", "acme", "--expiring-within", "7d"), ["i1"]);
  assert.deepEqual(await ids("--expiring-within", "3d"), []);
});

test("syncs are found by outcome and time", async () => {
  const { syncs } = await json("syncs", "--outcome", "failed", "--since", "2h", "--until", "10m");

  assert.deepEqual(
    syncs.map((one: { reason: string; httpStatus: number }) => [one.reason, one.httpStatus]),
    [["HTTP 502", 502]],
  );
});

test("gaps are newest first", async () => {
  const { gaps } = await json("gaps", "--watch", "ops");

  assert.deepEqual(
    gaps.map((gap: { since: string; reason: string }) => [gap.since, gap.reason]),
    [
      ["2026-11-22T19:30:00.000Z", "no sync ran"],
      ["2026-11-22T19:00:00.000Z", "HTTP 502"],
    ],
  );
});

test("a watch that nobody knows is told on stderr, with the known ones", async () => {
  const { code, stdout, stderr } = await run("invites", "--watch", "nobody", "--watch", "ops", "--json");

  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).invites.length, 1);
  assert.equal(stderr, "There is no watch named nobody; known: b, ops.\n");
});

test("a type that nobody recorded is told on stderr, with the recorded ones", async () => {
  const { stderr } = await run("history", "--type", "invite.recieved");

  assert.match(stderr, /^There is no event of the type invite\.recieved; recorded: invite\.received, /);
});

for (const [args, sentence] of [
  [["--limit", "10001"], /^--limit is 10000 at most for table and json/],
  [["--cursor", "nonsense"], /^The cursor is not one that invitewatch gave\./],
  [["--since", "soon"], /^--since cannot be "soon": it takes /],
  [["--since", "1h", "--until", "2h"], /^--since is not before --until\./],
] as const) {
  test(`history refuses ${args.join(" ")} and exits 2`, async () => {
    const { code, stdout, stderr } = await run("history", ...args);

    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, sentence);
  });
}

test("NDJSON has no highest limit, and says where a limited one goes on", async () => {
  const { code, stdout, stderr } = await run("history", "--format", "ndjson", "--limit", "3");
  const all = await run("history", "--format", "ndjson", "--limit", "20000");

  assert.deepEqual([code, stdout.split("\n").length], [0, 4]);
  const cursor = /^There are more: ask with --cursor (\S+)\n$/.exec(stderr)?.[1] ?? "";
  const [rest = "", ...others] = await lines("history", "--format", "ndjson", "--cursor", cursor);
  assert.deepEqual([JSON.parse(rest), others], [eventJson(events[3] as Event), []]);
  assert.equal(all.stdout.split("\n").length, 5);
});

test("a reader that goes away ends the command quietly", async () => {
  const program = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
  const own = await seededDatabase("ops");
  await own.events(
    "ops",
    Array.from({ length: 5_000 }, (_, index) => changedStatus(`i${index}`, "x", at("10:00"))),
  );
  const child = spawn(process.execPath, [program, "history", "--format", "ndjson"], {
    env: { PATH: process.env.PATH, DATABASE_URL: own.url },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const ended = once(child, "close");

  child.stdout.once("data", () => child.stdout.destroy());

  assert.deepEqual([await ended, stderr], [[0, null], ""]);
  await own.close();
});
