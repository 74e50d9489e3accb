import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, test } from "node:test";
import { createPeopleStore } from "../../src/adapters/postgres/people-store.ts";
import { createReader } from "../../src/adapters/postgres/read-store.ts";
import { retryMails } from "../../src/app/mail-decisions.ts";
import { createLogger } from "../../src/log.ts";
import { healthPages } from "../../src/web/health.ts";
import { createReadiness, type Readiness } from "../../src/web/readiness.ts";
import { serveHttp, type WebServer } from "../../src/web/server.ts";
import { owe } from "../adapters/postgres/people-seed.ts";
import { at, notification, type Seeded, seededDatabase, sync } from "../adapters/postgres/read-seed.ts";
import { freePort } from "../support/free-port.ts";

const MINUTE = 60_000;

let seeded: Seeded;
let readiness: Readiness;
let server: WebServer;
let origin: string;
let now: Date;

beforeEach(async () => {
  seeded = await seededDatabase("ops");
  now = at("20:00");
  const watches = [{ name: "ops", intervalMs: 15 * MINUTE }];
  readiness = createReadiness({ watches, clock: { now: () => now }, timeoutMs: 1_000 });
  readiness.attach(createReader(seeded.database));
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  const log = createLogger({ level: "silent", format: "json", redact: (text) => text });
  server = await serveHttp({ host: "127.0.0.1", port }, healthPages(readiness), log);
});

afterEach(async () => {
  await server.close();
  await seeded.close();
});

async function readyz() {
  const response = await fetch(`${origin}/readyz`);
  const body = (await response.json()) as {
    status: string;
    reasons?: { name: string; watch: string; message: string }[];
  };
  return { status: response.status, body, reasons: body.reasons ?? [] };
}

test("it is ready while every watch is read and no mail waits for long", async () => {
  await seeded.syncs(sync(at("19:50")));

  const { status, body } = await readyz();

  assert.deepEqual([status, body], [200, { status: "ready" }]);
});

test("a watch without a complete sync within two intervals is named", async () => {
  await seeded.syncs(sync(at("19:29")), sync(at("19:45"), { outcome: "failed", reason: "HTTP 502" }));

  const { status, body } = await readyz();

  assert.deepEqual(
    [status, body],
    [
      503,
      {
        status: "not ready",
        reasons: [
          {
            name: "sync_late",
            watch: "ops",
            message:
              "The watch ops had no complete sync within two intervals. The last one was at 2026-11-22T19:29:00.000Z.",
          },
        ],
      },
    ],
  );
});

test("a watch that was never read has two intervals from the start", async () => {
  now = at("20:30");
  const inTime = await readyz();
  now = at("20:31");
  const late = await readyz();

  assert.equal(inTime.status, 200);
  assert.deepEqual([late.status, late.reasons.map(({ name }) => name)], [503, ["sync_late"]]);
  assert.match(late.reasons[0]?.message ?? "", /There was none yet\.$/);
});

test("a watch that is blind is named, and one that is not configured any more does not count", async () => {
  await seeded.syncs(sync(at("19:50")));
  const { prisma } = seeded.database;
  await prisma.watch.update({ where: { name: "ops" }, data: { blindSince: at("19:00") } });
  await prisma.watch.create({ data: { name: "former", headHash: "0".repeat(64), blindSince: at("18:00") } });

  const { status, reasons } = await readyz();

  assert.equal(status, 503);
  assert.deepEqual(
    reasons.map(({ name, watch }) => [name, watch]),
    [["watch_blind", "ops"]],
  );
});

test("a last sync in what is now the future is late, and no sign of health", async () => {
  await seeded.syncs(sync(at("19:50", 24)));

  const { status, reasons } = await readyz();

  assert.deepEqual([status, reasons.map(({ name }) => name)], [503, ["sync_late"]]);
  assert.match(
    reasons[0]?.message ?? "",
    /The last one was at 2026-11-24T19:50:00\.000Z, under a clock that was wrong\.$/,
  );
});

test("a clock that differs by more than five minutes from the database's or the API's is named", async () => {
  await seeded.syncs(sync(at("19:50"), { clockSkewMs: 5 * MINUTE + 1_000 }));
  const reader = createReader(seeded.database);
  readiness.attach({ ...reader, clockSkewMs: async () => -8 * 60 * MINUTE });

  const { status, reasons } = await readyz();

  assert.equal(status, 503);
  assert.deepEqual(
    reasons.map(({ name, message }) => [name, message]),
    [
      ["clock_skewed", "This machine's clock is 8 hours behind the database's: set both by NTP."],
      ["clock_skewed", "This machine's clock is 5 minutes ahead of Cloudflare's: set it by NTP."],
    ],
  );
});

test("mail that is due for more than half an hour counts, mail that is held does not", async () => {
  await seeded.syncs(sync(at("19:50")));
  const held = { heldBy: "quiet-hours", nextAttemptAt: at("23:00") } as const;
  await seeded.notifications(notification({ state: "pending", attempts: 0, createdAt: at("12:00"), ...held }));
  const whileHeld = await readyz();
  await seeded.notifications(notification({ state: "pending", createdAt: at("19:29") }));
  const overdue = await readyz();

  assert.equal(whileHeld.status, 200);
  assert.equal(overdue.status, 503);
  assert.deepEqual(overdue.reasons, [
    { name: "mail_overdue", watch: null, message: "1 mail is due for more than 30 minutes and not delivered." },
  ]);
});

/** What the outbox comes to, before the mails are retried and after. */
async function aroundRetry(...ids: readonly string[]) {
  const reader = createReader(seeded.database);
  const read = async () => {
    const { owed, held, overdue } = await reader.mailStatus(new Date(now.getTime() - 30 * MINUTE));
    return { owed, held, overdue, isReady: (await readyz()).status === 200 };
  };
  const before = await read();
  const store = createPeopleStore(seeded.database, async () => {});
  await retryMails(ids, "jo", { store, clock: { now: () => now } });
  return [before, await read()];
}

const FROZEN = { nextAttemptAt: at("20:40"), mime: new Uint8Array([1]), attempts: 1 } as const;

test("mail that is overdue stays so when somebody has it retried", async () => {
  await seeded.syncs(sync(at("19:50")));
  const first = { createdAt: at("19:20"), releasedAt: at("19:20") };
  const mail = await owe(seeded, { ...FROZEN, ...first });
  const held = await owe(seeded, { ...FROZEN, ...first, createdAt: at("03:00"), heldBy: "quiet-hours" });
  await failed(held, at("19:20"));
  const behind = await owe(seeded, { createdAt: at("19:20"), nextAttemptAt: at("20:40"), waitsForRelay: true });

  const standings = await aroundRetry(mail, held, behind);

  const overdue = { owed: 3, held: 0, overdue: 3, isReady: false };
  assert.deepEqual(standings, [overdue, overdue]);
});

test("mail that might have left a moment ago is not overdue when somebody has it retried", async () => {
  await seeded.syncs(sync(at("19:50")));
  const night = { createdAt: at("03:00"), heldBy: "quiet-hours", releasedAt: at("19:45") };
  const held = await owe(seeded, { ...FROZEN, ...night });
  await failed(held, at("19:45"));
  const waiting = { nextAttemptAt: at("20:40"), waitsForRelay: true };
  const behind = await owe(seeded, { ...waiting, createdAt: at("19:45") });
  const heldBehind = await owe(seeded, { ...waiting, ...night });

  const standings = await aroundRetry(held, behind, heldBehind);

  const inTime = { owed: 3, held: 0, overdue: 0, isReady: true };
  assert.deepEqual(standings, [inTime, inTime]);
});

/** Records the first attempt at the mail. */
async function failed(notificationId: string, startedAt: Date): Promise<void> {
  const tried = { number: 1, durationMs: 130, way: "smtp", stage: "recipient", outcome: "failed", said: "451 later" };
  await seeded.database.prisma.attempt.create({ data: { notificationId, startedAt, ...tried } });
}

test("mail that was given up counts", async () => {
  await seeded.syncs(sync(at("19:50")));
  await seeded.notifications(notification({ state: "dead" }));

  const { status, reasons } = await readyz();

  assert.equal(status, 503);
  assert.deepEqual(
    reasons.map(({ name }) => name),
    ["mail_given_up"],
  );
});

test("until the database was opened, and when it fails, it is unreachable; the daemon is alive all the same", async () => {
  const reader = createReader(seeded.database);
  readiness.attach({ ...reader, mailStatus: async () => Promise.reject(new Error("postgres://u:topsecret@db")) });

  const { status, body } = await readyz();
  const alive = await fetch(`${origin}/healthz`);

  const reasons = [{ name: "database_unreachable", watch: null, message: "The database does not answer." }];
  assert.deepEqual([status, body], [503, { status: "not ready", reasons }]);
  assert.deepEqual([alive.status, await alive.json()], [200, { status: "ok" }]);
  assert.deepEqual(await createReadiness({ watches: [], clock: { now: () => now } }).shortcomings(), reasons);
});

test("a database that hangs is waited for no longer than the time-out, and asked once", async () => {
  let asked = 0;
  const hang = () => {
    asked += 1;
    return new Promise<never>(() => {});
  };
  readiness.attach({ watchStatuses: hang, mailStatus: hang, clockSkewMs: async () => 0 });

  const answers = await Promise.all([readyz(), readyz(), readyz()]);

  assert.deepEqual(
    answers.map(({ status, reasons }) => [status, reasons[0]?.name]),
    Array(3).fill([503, "database_unreachable"]),
  );
  assert.equal(asked, 2);
});

test("nobody keeps an answer; HEAD has the headers alone", async () => {
  await seeded.syncs(sync(at("19:00")));

  const got = await fetch(`${origin}/readyz?verbose`);
  const head = await fetch(`${origin}/readyz`, { method: "HEAD" });

  assert.deepEqual([got.status, head.status], [503, 503]);
  assert.deepEqual(
    [got, head].map(({ headers }) => headers.get("cache-control")),
    ["no-store", "no-store"],
  );
  assert.equal(head.headers.get("content-length"), String((await got.text()).length));
  assert.equal(await head.text(), "");
});

for (const path of ["/healthz", "/readyz"]) {
  test(`${path} takes nothing`, async () => {
    const response = await fetch(`${origin}${path}`, { method: "POST", body: "x" });

    assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
  });
}

test("there is nothing else", async () => {
  const paths = ["/", "/readyz/", "/healthzz", "//readyz", "/%72eadyz", "/api/v1/status", "/constructor"];

  const statuses = await Promise.all(paths.map(async (path) => (await fetch(origin + path)).status));

  assert.deepEqual(statuses, Array(paths.length).fill(404));
});

test("a port that is taken is logged, and no reason not to watch", async () => {
  const logged = new PassThrough();
  const log = createLogger({ level: "error", format: "json", redact: (text) => text, destination: logged });
  const port = Number(new URL(origin).port);

  const second = await serveHttp({ host: "127.0.0.1", port }, healthPages(readiness), log);
  await second.close();
  logged.end();

  assert.match(await text(logged), /"event":"http\.failed"/);
});
