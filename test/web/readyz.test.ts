import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, test } from "node:test";
import { createReader } from "../../src/adapters/postgres/read-store.ts";
import { createLogger } from "../../src/log.ts";
import { healthPages } from "../../src/web/health.ts";
import { createReadiness, type Readiness } from "../../src/web/readiness.ts";
import { serveHttp, type WebServer } from "../../src/web/server.ts";
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
  readiness.attach({ watchStatuses: hang, mailStatus: hang });

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
